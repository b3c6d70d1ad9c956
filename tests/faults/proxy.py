"""A TCP proxy on loopback that cuts lines after so many bytes, or delays what passes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """``cut_after``: bytes of a client that pass before its line is cut, None for all of them.

    ``delay``: seconds before each piece of the server's passes on.
    """

    target: int
    cut_after: int | None = None
    delay: float = 0.0
    lines: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        """End every line now."""
        for line in self.lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.lines.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.lines += [client, server]
            for source, sink, limit, delay in (
                (client, server, self.cut_after, 0.0),
                (server, client, None, self.delay),
            ):
                threading.Thread(
                    target=self._pump, args=(source, sink, limit, delay), daemon=True
                ).start()

    def _pump(
        self, source: socket.socket, sink: socket.socket, left: int | None, delay: float
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                time.sleep(delay)
                sink.sendall(piece[:left])
                if left is not None and (left := left - len(piece)) <= 0:
                    break
        for line in (source, sink):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
