"""Servers that behave as real ones do, stopped at the end of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.mailers.scripted import Reply, Scripted


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    servers: list[Scripted] = []

    def begin(**replies: Reply) -> Scripted:
        servers.append(Scripted(dict(replies)))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()
