"""A mail server that says what a test tells it to say, byte by byte, over a real socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.settings import MailServer

Reply = bytes | None | Callable[[], bytes]
CLOSE = None


@dataclass
class Scripted:
    """``replies`` maps a command (EHLO, MAIL, RCPT, DATA, DOT, RSET, NOOP, QUIT, AUTH, STARTTLS,
    GREET) to what is said; None hangs up."""

    replies: dict[str, Reply] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None  # encrypted from the start

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.threads: list[threading.Thread] = []
        self.open: list[socket.socket] = []
        self._start(self._accept)

    def server(self, security: str = "smtp", user: str = "", password: str = "") -> MailServer:
        return MailServer(security, "127.0.0.1", self.port, user, password)

    def stop(self) -> None:
        self.listener.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
        for thread in self.threads[1:]:
            thread.join(5)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            line = connection
            if self.tls:
                line = self.tls.wrap_socket(connection, server_side=True)
                self.open.append(line)  # it has taken the socket over
            with line, line.makefile("rb") as lines:
                self._talk(line, lines)
        except (OSError, ValueError):
            return

    def _talk(self, connection: socket.socket, lines: object) -> None:
        if not self._say(connection, "GREET", b"220 here\r\n"):
            return
        for line in lines:  # type: ignore[attr-defined]
            word = line.split()[0].decode("ascii", "replace").upper() if line.split() else ""
            self.commands.append(line.decode("utf-8", "replace").strip())
            default = b"250 fine\r\n" if word != "DATA" else b"354 go on\r\n"
            if not self._say(connection, word, default):
                return
            if word == "QUIT":
                return
            if word == "DATA" and self.replies.get("DATA", b"354").startswith(b"354"):  # type: ignore[union-attr]
                self.mails.append(self._body(lines))
                if not self._say(connection, "DOT", b"250 taken\r\n"):
                    return

    def _body(self, lines: object) -> bytes:
        found = []
        for line in lines:  # type: ignore[attr-defined]
            if line == b".\r\n":
                break
            found.append(line[1:] if line.startswith(b".") else line)
        return b"".join(found)

    def _say(self, connection: socket.socket, word: str, default: bytes) -> bool:
        reply = self.replies.get(word, default)
        if reply is None:
            return False
        connection.sendall(reply() if callable(reply) else reply)
        return True
