"""A small HTTP client for loopback: many connections, one thread.

It costs the machine less than what it measures.
"""

from __future__ import annotations

import html
import re
import selectors
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

_INPUT = re.compile(rb"<input\b[^>]*>")
_ATTRIBUTE = re.compile(rb'\b(name|value)="([^"]*)"')
TIMEOUT = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def field(self, name: str) -> str:
        """The value of the page's first input with this name."""
        for tag in _INPUT.findall(self.body):
            found = dict(_ATTRIBUTE.findall(tag))
            if found.get(b"name") == name.encode():
                return html.unescape(found.get(b"value", b"").decode())
        raise RuntimeError(
            f"no field {name!r} on the page (status {self.status}): {self.body[:300]!r}"
        )

    def has_field(self, name: str) -> bool:
        return f'name="{name}"'.encode() in self.body


@dataclass
class Connection:
    """One kept connection with its cookies."""

    port: int
    cookies: dict[bytes, bytes] = field(default_factory=dict)
    sock: socket.socket = field(init=False)
    received: bytes = b""

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> Answer:
        return self.ask(self.request("GET", path))

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        return self.ask(self.request("POST", path, fields))

    def ask(self, request: bytes) -> Answer:
        self.sock.sendall(request)
        while (answer := self.receive()) is None:
            pass
        return answer

    def request(self, method: str, path: str, fields: dict[str, str] | None = None) -> bytes:
        body = urlencode(fields).encode() if fields is not None else b""
        cookies = b"; ".join(name + b"=" + value for name, value in self.cookies.items())
        lines = [
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept-Language: zh-CN,zh;q=0.9\r\n".encode()
        ]
        if cookies:
            lines.append(b"Cookie: " + cookies + b"\r\n")
        if fields is not None:
            lines.append(
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n".encode()
            )
        return b"".join(lines) + b"\r\n" + body

    def receive(self) -> Answer | None:
        """What has come by now; None while the answer is not whole. Cookies are kept."""
        part = self.sock.recv(262_144)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head) if found else None
        if not found or (length and len(body) < int(length[1])):
            return None
        if length is None:
            raise RuntimeError(f"an answer without its length: {head[:300]!r}")
        for cookie in re.findall(rb"(?i)\r\nset-cookie: *([^=;]+)=([^;\r]*)", head):
            self.cookies[cookie[0]] = cookie[1]
        self.received = b""
        return Answer(int(head[9:12]), head, body)

    def close(self) -> None:
        self.sock.close()


@dataclass(frozen=True)
class Load:
    """What came of a round: how long it took, each request's time, the statuses."""

    seconds: float
    latencies: list[float]
    statuses: list[int]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def accepted(self, status: int) -> int:
        return self.statuses.count(status)


def load(connections: Sequence[Connection], requests: Sequence[Iterable[bytes]]) -> Load:
    """Send each connection its requests one after the other, all connections at once."""
    waiting = [iter(queue) for queue in requests]
    sent_at = [0.0] * len(connections)
    latencies: list[float] = []
    statuses: list[int] = []
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        for number, connection in enumerate(connections):
            if request := next(waiting[number], None):
                selector.register(connection.sock, selectors.EVENT_READ, number)
                sent_at[number] = time.perf_counter()
                connection.sock.sendall(request)
        while selector.get_map():
            ready = selector.select(TIMEOUT)
            if not ready:
                raise TimeoutError("no answer")
            for key, _ in ready:
                number = key.data
                connection = connections[number]
                answer = connection.receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                latencies.append(now - sent_at[number])
                statuses.append(answer.status)
                if request := next(waiting[number], None):
                    sent_at[number] = time.perf_counter()
                    connection.sock.sendall(request)
                else:
                    selector.unregister(connection.sock)
        return Load(time.perf_counter() - began, latencies, statuses)
