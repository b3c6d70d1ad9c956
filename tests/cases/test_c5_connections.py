"""Whoever holds connections open keeps nobody else out (case C5)."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.world import World
from web.app import connections

HALVES = {
    "half a header": b"POST /jiuniu/join HTTP/1.1\r\nHost: x\r\nContent-Le",
    "half a body": b"POST /jiuniu/join HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabout=",
    "nothing": b"",
    "headers without end": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 50,
    "half a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\nab",
    "an answer that nobody reads": b"GET /jiuniu/ HTTP/1.1\r\nHost: x\r\n\r\n" * 3,
}


@contextlib.contextmanager
def hostile(world: World, count: int, half: bytes) -> Iterator[list[socket.socket]]:
    """So many clients of one address with half a request each, of which one more byte drips."""
    parts, over = urlsplit(world.base), threading.Event()
    held: list[socket.socket] = []

    def drip() -> None:
        while not over.wait(0.2):
            for line in list(held):
                with contextlib.suppress(OSError):
                    line.send(b"a")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        for _number in range(count):
            line = socket.create_connection((parts.hostname, parts.port), timeout=20)
            held.append(line)
            with contextlib.suppress(OSError):
                line.sendall(half)
        yield held
    finally:
        over.set()
        dripping.join()
        for line in held:
            line.close()


@pytest.mark.parametrize("half", HALVES)
def test_c5_hundreds_of_half_requests_keep_nobody_out(world: World, half: str) -> None:
    with hostile(world, 450, HALVES[half]):
        assert [world.browser().get("/healthz").status for _number in range(20)] == [200] * 20
        assert world.apply().status == 200
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]


def test_c5_a_request_that_does_not_arrive_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1)
    monkeypatch.setattr(connections, "BODY_SECONDS", 1)
    for half in ("half a header", "half a body", "nothing", "half a chunk"):
        with hostile(world, 1, HALVES[half]) as (line,):
            assert closed(line), half


def closed(line: socket.socket) -> bool:
    """Wait until the other side has closed."""
    line.settimeout(20)
    with contextlib.suppress(ConnectionError):
        while line.recv(4096):
            pass
    return True


def test_c5_a_header_that_is_too_long_is_refused(world: World) -> None:
    answer = world.browser().session.get(world.base, headers={"Cookie": "a" * 60_000}, timeout=20)
    assert answer.status_code == 431


def test_c5_who_asks_now_and_then_keeps_the_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1)
    reader, parts = world.browser(), urlsplit(world.base)
    assert reader.get("/healthz").status == 200
    with hostile(world, 1, b"") as (line,):
        assert closed(line)
    again = http.client.HTTPConnection(parts.netloc, timeout=20)
    for _number in range(2):
        again.request("GET", "/healthz")
        assert again.getresponse().read() == b'{"status":"ok"}\n'
    again.close()
    assert reader.get("/healthz").status == 200
