"""The database: readers that cannot write, and ``Database.write`` for everything else.

On SQLite every writing unit begins with BEGIN IMMEDIATE behind one lock in the process: plain BEGIN
in WAL mode fails at once when another writer was faster, and threads that wait in SQLite's own busy
handler wait unfairly.

On PostgreSQL units of many processes run side by side (READ COMMITTED). Rows that decide are locked
(``lock_row``, FOR UPDATE) or guarded by a version; a unit that lost a race is run again and finds
what the faster one left.
"""

from __future__ import annotations

import contextlib
import functools
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from engine.storage.engines import database_file, open_engine, open_sandbox_engine
from engine.storage.fair_lock import FairLock
from engine.storage.models import Row
from engine.storage.unit_of_work import ALL_CLUBS, ClubSession, Sealer

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

# How often a unit that lost a race is run again, and the longest wait before that, in seconds.
_TRIES, _LONGEST_WAIT = 20, 0.1
_DEADLOCK = "40P01"
_NOT_SERIALIZABLE = "40001"
_KEY_TAKEN = "23505"
_READ_ONLY = "25006"  # PostgreSQL: read_only_sql_transaction


class Database:
    """The only committer, by ``write(unit, …)``.

    A unit takes a session and plain data, and returns plain data. ``on_letters`` is told after each
    commit how many letters the unit queued, if any.
    """

    def __init__(
        self,
        url: str,
        *,
        on_letters: Callable[[int], None] = lambda count: None,
        keys: Sealer | None = None,
    ) -> None:
        self.url = make_url(url)
        self.on_letters = on_letters
        self.keys = keys
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._file = database_file(self.url) if self.is_sqlite else None
        self.writer = open_engine(self.url, read_only=False, file=self._file)
        self.reader = open_engine(self.url, read_only=True, file=self._file)
        self._lock: contextlib.AbstractContextManager[Any] = (
            FairLock() if self.is_sqlite else contextlib.nullcontext()
        )
        self._write_session = sessionmaker(self.writer, class_=ClubSession, expire_on_commit=False)
        self._read_session = sessionmaker(
            self.reader, class_=ClubSession, expire_on_commit=False, autoflush=False
        )

    def write(
        self, unit: Callable[Concatenate[ClubSession, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run one writing unit and commit it; any exception rolls all of it back.

        A unit that lost a race runs again from the start, and sees what the faster one wrote.
        """
        for turn in range(1, _TRIES):
            try:
                return self._write_once(unit, *args, **kwargs)
            except (StaleDataError, DBAPIError) as trouble:
                if is_read_only(trouble):
                    self.writer.dispose()  # after a failover the name may lead to another server
                if not lost_race(trouble) and _state_of(trouble) != _KEY_TAKEN:
                    raise
            # At random, so that two units do not collide again.
            threading.Event().wait(random.uniform(0, min(_LONGEST_WAIT, 0.002 * 2**turn)))  # noqa: S311
        return self._write_once(unit, *args, **kwargs)

    def _write_once(
        self, unit: Callable[Concatenate[ClubSession, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        with self._lock, self._write_session() as session:
            session.keys = self.keys
            result = unit(session, *args, **kwargs)
            session.commit()
            letters = session.unit.letters_queued
        if letters:
            self.on_letters(letters)
        return result

    @contextlib.contextmanager
    def rehearse(self) -> Iterator[ClubSession]:
        """Open a session whose writes are rolled back, for a preview with the code that acts."""
        with self._lock, self._write_session() as session:
            session.keys = self.keys
            try:
                yield session
            finally:
                session.expunge_all()  # A rollback would empty what the page still shows.
                session.rollback()

    @contextlib.contextmanager
    def read(self, club_id: int | None = None) -> Iterator[ClubSession]:
        """Open a session that cannot write."""
        with self._read_session() as session:
            session.keys = self.keys
            if club_id is not None:
                enter_club(session, club_id)
            yield session

    def truncate_log(self) -> None:
        """Move SQLite's log into its file and empty it, so that erased words leave the log, too.

        Returns early while a reader still needs the log; the next housekeeping does it.
        """
        if self.is_sqlite:
            with self._lock, self.writer.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @functools.cached_property
    def sandbox(self) -> Engine:
        """Return an engine for trying something on a copy of a club's rows."""
        return open_sandbox_engine(self.url)

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()
        if self._file:
            self._file.forget()


def lost_race(trouble: BaseException) -> bool:
    """True if another process was faster and the unit must run again.

    An ``except`` inside a unit must re-raise it.
    """
    return isinstance(trouble, StaleDataError) or _state_of(trouble) in (
        _DEADLOCK,
        _NOT_SERIALIZABLE,
    )


def database_unavailable(trouble: BaseException) -> bool:
    """True if the database takes nothing for now: a restart, a full disk, a lock, a standby.

    Nothing was half written, and it comes back.
    """
    if isinstance(trouble, DBAPIError):
        return (
            isinstance(trouble, OperationalError)
            or trouble.connection_invalidated
            or is_read_only(trouble)
        )
    return isinstance(trouble, PoolTimeoutError)


def is_read_only(trouble: BaseException) -> bool:
    """True if the database can be read but takes no write: a standby, a disk mounted read-only."""
    if not isinstance(trouble, DBAPIError):
        return False
    return _state_of(trouble) == _READ_ONLY or "readonly database" in str(trouble.orig)


def _state_of(trouble: BaseException) -> str | None:
    """Return PostgreSQL's SQLSTATE."""
    return getattr(trouble.orig, "sqlstate", None) if isinstance(trouble, DBAPIError) else None


def lock_row(session: ClubSession, row: Row) -> None:
    """Lock this row until the commit, and refresh it.

    On SQLite a writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql" and row not in session.new:
        session.flush()  # A refresh drops what is not flushed yet.
        session.refresh(row, with_for_update=ROW_LOCK)


# FOR NO KEY UPDATE: rows that refer to this one may still be written.
ROW_LOCK: dict[str, Any] = {"key_share": True}


def enter_club(session: ClubSession, club_id: int) -> None:
    """Limit the session to this club's rows."""
    session.scope = club_id


@contextlib.contextmanager
def in_club(session: ClubSession, club_id: int) -> Iterator[None]:
    """Limit the session to one club within this block, and flush at its end."""
    before, session.scope = session.scope, club_id
    try:
        yield
        if session.new:
            session.flush()
    finally:
        session.scope = before


def club_of(session: ClubSession) -> int:
    return session.club_id


def across_clubs(function: F) -> F:
    """Mark a function that reads the rows of all clubs; a house test lists every one."""

    @functools.wraps(function)
    def wrapped(session: ClubSession, *args: Any, **kwargs: Any) -> Any:
        before, session.scope = session.scope, ALL_CLUBS
        try:
            return function(session, *args, **kwargs)
        finally:
            session.scope = before

    wrapped.across_clubs = True  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]
