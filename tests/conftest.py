"""Fixtures that many rooms of the tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import workflows  # noqa: F401
from engine import schema
from engine.db import Database
from tests.world import World


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without a row, to be copied: migrating anew for each test would take most of the time."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    db = Database(f"sqlite:///{path}")
    schema.upgrade(db)
    db.dispose()  # the last connection to close folds the write-ahead log into the file
    return path


@pytest.fixture
def begin(tmp_path: Path, empty_database: Path) -> Iterator[Callable[..., World]]:
    """Begin a world with settings of one's own."""
    worlds: list[World] = []

    def start(**environment: str) -> World:
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(World.begin(folder, empty_database, **environment))
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
