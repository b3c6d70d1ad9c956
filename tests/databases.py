"""The databases of the tests: files of SQLite, and a PostgreSQL server."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

import pytest

from engine.storage.database import Database
from engine.storage.schema import upgrade
from tests import postgres

SECRET_KEY = "a-key-of-the-tests-the-same-on-every-host"


class Databases(Protocol):
    """One kind of database, as many of it as a test wants, told apart by name."""

    def empty(self, name: str) -> str:
        """The URL of one with the newest schema and no row."""

    def bare(self, name: str) -> str:
        """The URL of one without a table."""

    def settings(self, folder: Path, name: str, *, bare: bool = False) -> dict[str, str]:
        """What an installation in this folder is told, so that it finds an empty one (``bare``: one
        without a table)."""


@functools.cache
def memory() -> Path:
    """A folder of this process on a disk in memory where there is one: these tests are not about
    what survives a power cut."""
    folder = tempfile.mkdtemp(
        prefix="jiuniu-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    )
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


_resting: dict[str, Database] = {}


def borrow(url: str) -> Database:
    """A database that no other test of this process uses now: a new engine compiles every statement
    anew, which takes longer than most tests."""
    return _resting.pop(url, None) or Database(url)


def give_back(db: Database) -> None:
    """Its connections end, what was compiled stays."""
    db.on_letters, db.keys = lambda count: None, None
    db.dispose()
    _resting[db.url.render_as_string(hide_password=False)] = db


def forget_compiled() -> None:
    """Dispose of lent engines, for a test that needs new ones."""
    _resting.clear()


class Files:
    """SQLite. Migrating for each test would take most of the time, so a migrated file is
    copied."""

    def __init__(self) -> None:
        self.template = memory() / "template.sqlite"
        db = Database(f"sqlite:///{self.template}")
        upgrade(db)
        db.dispose()  # the last connection to close folds the write-ahead log into the file

    def empty(self, name: str) -> str:
        url = self.bare(name)
        shutil.copy(self.template, memory() / f"{name}.sqlite")
        return url

    def bare(self, name: str) -> str:
        for path in memory().glob(f"{name}.sqlite*"):
            path.unlink()
        return f"sqlite:///{memory() / name}.sqlite"

    def settings(self, folder: Path, name: str, *, bare: bool = False) -> dict[str, str]:
        if not bare:
            shutil.copy(self.template, folder / "jiuniu.sqlite")
        return {"JIUNIU_DATA_DIR": str(folder)}


class Postgres:
    """The server of this process."""

    def empty(self, name: str) -> str:
        return postgres.server().empty(name)

    def bare(self, name: str) -> str:
        return postgres.server().bare(name)

    def settings(self, folder: Path, name: str, *, bare: bool = False) -> dict[str, str]:
        url = self.bare(name) if bare else self.empty(name)
        return {
            "JIUNIU_DATA_DIR": str(folder),
            "JIUNIU_DATABASE_URL": url,
            "JIUNIU_SECRET_KEY": SECRET_KEY,
        }


KINDS = ("sqlite", "postgresql")


def fresh_folder(name: str) -> Path:
    """An empty folder of this process; by the same name it is the same path, so that ``borrow``
    knows what lies in it."""
    folder = memory() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@functools.cache
def databases(kind: str) -> Databases:
    """Of this kind; without a PostgreSQL for this platform the test is left out, and the summary
    says so."""
    if kind == "sqlite":
        return Files()
    if postgres.binaries() is None:
        assert not os.environ.get("JIUNIU_NEED_POSTGRES"), (
            "no PostgreSQL here, and this run needs one: install requirements-dev.txt"
        )
        pytest.skip(
            "NOT TESTED ON POSTGRESQL: the wheel with the server is not installed, or not made for this platform"
        )
    return Postgres()
