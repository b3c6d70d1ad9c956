"""Fixtures that many rooms of the tests share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

import workflows  # noqa: F401
from tests import databases
from tests.club import House
from tests.mailers.scripted import Reply, Scripted
from tests.world import World


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases",
        choices=["sqlite", "marked", "every"],
        default="marked",
        help="what runs on PostgreSQL besides SQLite: nothing, the tests marked postgres (the default), or every test that touches a database",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what lives in a World, and deselect the twins on PostgreSQL that this run does not ask
    for.
    """
    wanted = config.getoption("--databases")
    for item in items:
        if "begin" in getattr(item, "fixturenames", ()):
            item.add_marker("world")

    def is_left_out(item: pytest.Item) -> bool:
        is_marked = item.get_closest_marker("postgres") is not None
        return (
            wanted != "every"
            and _database_of(item) == "postgresql"
            and not (is_marked and wanted == "marked")
        )

    config.hook.pytest_deselected(items=[item for item in items if is_left_out(item)])
    items[:] = [item for item in items if not is_left_out(item)]


def _database_of(item: pytest.Item) -> object:
    """Return the kind of database that a test is told on, None where it touches none."""
    call = getattr(item, "callspec", None)
    return call.params.get("template") if call else None


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: looking through it again and again took a tenth of
    the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", params=databases.KINDS)
def template(request: pytest.FixtureRequest) -> databases.Databases:
    """The database of a test: SQLite, and PostgreSQL where the test is marked ``postgres`` or with
    ``--databases every``."""
    return databases.databases(request.param)


@pytest.fixture
def house(template: databases.Databases) -> Iterator[House]:
    """A club without web or network: for the engine and the mailers."""
    made = House(template)
    yield made
    made.end()


@pytest.fixture
def begin(template: databases.Databases) -> Iterator[Callable[..., World]]:
    """Begin a world with settings of one's own."""
    worlds: list[World] = []

    def start(**environment: str) -> World:
        folder = databases.fresh_folder(f"world-{len(worlds)}")
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


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    """Mail servers that say what they are told to say, stopped at the end of the test."""
    servers: list[Scripted] = []

    def begin(**replies: Reply) -> Scripted:
        servers.append(Scripted(dict(replies)))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()
