"""Fixtures that many rooms of the tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import workflows  # noqa: F401
from tests.club import House, migrated
from tests.world import World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without a row, to be copied: migrating anew for each test would take most of the time."""
    return migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def house(template: Path) -> Iterator[House]:
    """A club without web or network: for the engine and the mailers."""
    made = House(template)
    yield made
    made.end()


@pytest.fixture
def begin(tmp_path: Path, template: Path) -> Iterator[Callable[..., World]]:
    """Begin a world with settings of one's own."""
    worlds: list[World] = []

    def start(**environment: str) -> World:
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(World.begin(folder, template, **environment))
        return worlds[-1]

    yield start
    for world in worlds:
        world.end()


@pytest.fixture
def world(begin: Callable[..., World]) -> World:
    """The app, a mail server, and the founding club on a Monday morning in Shanghai."""
    found = begin()
    found.found_club()
    return found
