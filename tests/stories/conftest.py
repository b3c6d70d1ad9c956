"""An installation before its first club, and mail servers that ask for a login."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.mailers.scripted import Reply, Scripted
from tests.world import World

GREETS: dict[str, Reply] = {"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 welcome\r\n"}


@pytest.fixture
def serve(serve: Callable[..., Scripted]) -> Callable[..., Scripted]:
    return lambda **replies: serve(**(GREETS | replies))


@pytest.fixture
def fresh(begin: Callable[..., World]) -> World:
    """An installation without a mail server and without a club."""
    return begin(JIUNIU_SMTP_URL="")
