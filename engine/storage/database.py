"""The database: readers that cannot write, and one door for writing.

On SQLite every writing unit begins with BEGIN IMMEDIATE behind one lock in the process: plain BEGIN
in WAL mode fails at once when another writer was faster, and threads that wait in SQLite's own busy
handler wait unfairly.

On PostgreSQL units of many processes run side by side (READ COMMITTED). Rows that decide are held
(``hold``, FOR UPDATE) or guarded by a version; a unit that was overtaken all the same is run again
and finds what the faster one left.
"""

from __future__ import annotations

import contextlib
import functools
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Dialect, Executable, Insert, Table, Update, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker, with_loader_criteria
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql import visitors

from engine.storage.engines import open_engine
from engine.storage.fair_lock import FairLock
from engine.storage.models import ClubRow, Row

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Maker = Callable[[Any], Any] | None  # what makes a column's value ready for the driver

_EVERY_CLUB = "every club"
_NOTHING = object()

# How often a unit that was overtaken is run again, and the longest wait before that, in seconds.
_TRIES, _LONGEST_WAIT = 20, 0.1
_DEADLOCK, _NOT_SERIALIZABLE, _KEY_TAKEN = "40P01", "40001", "23505"


class OutsideClub(RuntimeError):
    """A query on a club's rows without saying which club."""


class Database:
    """``write(unit, …)`` is the only committer. A unit takes a session and plain data, and returns
    plain data."""

    def __init__(self, url: str, *, on_letters: Callable[[], None] = lambda: None) -> None:
        self.url = make_url(url)
        self.on_letters = on_letters
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.writer = open_engine(self.url, read_only=False)
        self.reader = open_engine(self.url, read_only=True)
        self._lock: contextlib.AbstractContextManager[Any] = (
            FairLock() if self.is_sqlite else contextlib.nullcontext()
        )
        self._write_session = sessionmaker(self.writer, expire_on_commit=False)
        self._read_session = sessionmaker(self.reader, expire_on_commit=False, autoflush=False)

    def write(
        self, unit: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run one writing unit and commit it. Whatever the unit raises rolls all of it back.

        Overtaken by another process, it is run again from the start: it sees what the other one
        wrote.
        """
        for turn in range(1, _TRIES):
            try:
                return self._write_once(unit, *args, **kwargs)
            except (StaleDataError, DBAPIError) as trouble:
                if not lost_race(trouble) and _state_of(trouble) != _KEY_TAKEN:
                    raise
            # By chance: whoever collided once should not meet again.
            threading.Event().wait(random.uniform(0, min(_LONGEST_WAIT, 0.002 * 2**turn)))  # noqa: S311
        return self._write_once(unit, *args, **kwargs)

    def _write_once(
        self, unit: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        with self._lock, self._write_session() as session:
            result = unit(session, *args, **kwargs)
            session.commit()
            letters = session.info.get("letters")
        if letters:
            self.on_letters()
        return result

    @contextlib.contextmanager
    def rehearse(self) -> Iterator[Session]:
        """A session whose writes are all taken back: for a short look ahead with the very code that
        acts."""
        with self._lock, self._write_session() as session:
            try:
                yield session
            finally:
                session.expunge_all()  # a rollback would empty what the page still shows
                session.rollback()

    @contextlib.contextmanager
    def read(self, club_id: int | None = None) -> Iterator[Session]:
        """A session that cannot write."""
        with self._read_session() as session:
            if club_id is not None:
                enter_club(session, club_id)
            yield session

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def lost_race(trouble: BaseException) -> bool:
    """Was another process faster, so that the whole unit wants to be run again? What catches faults
    in a unit lets this pass."""
    return isinstance(trouble, StaleDataError) or _state_of(trouble) in (
        _DEADLOCK,
        _NOT_SERIALIZABLE,
    )


def database_unavailable(trouble: BaseException) -> bool:
    """Does the database take nothing for now (a restart, a full disk, a lock)? Nothing was half
    written, and it comes back."""
    if isinstance(trouble, DBAPIError):
        return isinstance(trouble, OperationalError) or trouble.connection_invalidated
    return isinstance(trouble, PoolTimeoutError)


def _state_of(trouble: BaseException) -> str | None:
    """PostgreSQL's SQLSTATE."""
    return getattr(trouble.orig, "sqlstate", None) if isinstance(trouble, DBAPIError) else None


def lock_row(session: Session, row: Row) -> None:
    """Until the commit nobody else changes this row; it is read anew. On SQLite whoever writes is
    alone anyway."""
    if session.get_bind().dialect.name == "postgresql" and row not in session.new:
        session.flush()  # a refresh throws away what was not written yet
        session.refresh(row, with_for_update=ROW_LOCK)


# FOR NO KEY UPDATE: rows that refer to this one may still be written.
ROW_LOCK: dict[str, Any] = {"key_share": True}


def enter_club(session: Session, club_id: int) -> None:
    """From here on this session sees and writes only this club's rows."""
    session.info["club_id"] = club_id


@contextlib.contextmanager
def in_club(session: Session, club_id: int) -> Iterator[None]:
    """Within this block the session belongs to one club, and what is new in it is written at its
    end."""
    before = session.info.get("club_id")
    session.info["club_id"] = club_id
    try:
        yield
        if session.new:
            session.flush()
    finally:
        session.info["club_id"] = before


def club_of(session: Session) -> int:
    club_id = session.info.get("club_id")
    if not isinstance(club_id, int):
        raise OutsideClub("say which club: enter_club(session, club_id)")
    return club_id


def across_clubs(function: F) -> F:
    """Mark a function that looks at the rows of all clubs; a house test lists every one of them."""

    @functools.wraps(function)
    def wrapped(session: Session, *args: Any, **kwargs: Any) -> Any:
        before = session.info.get("club_id")
        session.info["club_id"] = _EVERY_CLUB
        try:
            return function(session, *args, **kwargs)
        finally:
            session.info["club_id"] = before

    wrapped.across_clubs = True  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


@event.listens_for(Session, "do_orm_execute")
def _stay_in_club(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load:
        return
    club_id = state.session.info.get("club_id")
    if club_id == _EVERY_CLUB:
        return
    if club_id is None:
        if not _speaks_of_club_rows(state.statement):
            return
        raise OutsideClub(
            "a query on a club's rows outside a club: enter_club(session, club_id) first"
        )
    state.statement = _narrowed(state.statement, club_id)


@functools.lru_cache(maxsize=128)
def _narrowed(statement: Executable, club_id: int) -> Executable:
    """The statement for this club. A module's own statement is narrowed once, so that SQLAlchemy
    knows it again at once."""
    return statement.options(_only(club_id))


@functools.lru_cache(maxsize=4096)
def _only(club_id: int) -> Any:
    return with_loader_criteria(
        ClubRow,
        lambda cls: cls.club_id == club_id,
        include_aliases=True,
        track_closure_variables=True,
    )


@functools.lru_cache(maxsize=128)
def _speaks_of_club_rows(statement: Any) -> bool:
    return any(
        isinstance(part, Table) and "club_id" in part.c for part in visitors.iterate(statement)
    )


@event.listens_for(Session, "before_flush")
def _write_in_club(session: Session, context: Any, instances: Any) -> None:
    for row in session.new:
        if isinstance(row, ClubRow):
            if row.club_id is None:
                row.club_id = club_of(session)
            elif session.info.get("club_id") not in (row.club_id, _EVERY_CLUB):
                raise OutsideClub(f"a {row.__class__.__name__} of another club")


def insert_new(session: Session, model: type[Row], **values: Any) -> bool:
    """Insert a row unless its unique key is taken. True when it was inserted."""
    statement = _insert_and_say(session.get_bind().dialect.name, model)
    return (
        session.connection().execute(statement, values).first() is not None
    )  # psycopg's count says -1, taken or not


def insert_new_rows(session: Session, model: type[Row], rows: Sequence[Mapping[str, Any]]) -> None:
    """As ``insert_new``, for many rows with the same columns (every one that the model gives a
    default) in one statement."""
    write_many(session, _insert_statement(session.get_bind().dialect.name, model), rows)


def write_many(
    session: Session, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Run one statement for many rows with the same keys. Returns how many rows of the database it
    met.

    As SQLAlchemy's own list of parameters, but the values are made ready for the driver column by
    column: per row a fifth of the work (P3 of the benchmarks).
    """
    connection = session.connection()
    text, makers, positional = _made_ready(statement, connection.dialect, tuple(rows[0]))
    columns = [_ready([row[name] for row in rows], make) for name, make in makers.items()]
    values = list(zip(*columns, strict=True))
    parameters = values if positional else [dict(zip(makers, row, strict=True)) for row in values]
    return connection.exec_driver_sql(text, parameters).rowcount


def _ready(values: list[Any], make: Maker) -> list[Any]:
    """What the driver takes. Rows of one round share many a value: a run of the very same one is
    made ready once."""
    if make is None:
        return values
    ready, last, made = [], _NOTHING, None
    for value in values:
        if value is not last:
            last, made = value, make(value)
        ready.append(made)
    return ready


@functools.lru_cache(maxsize=64)
def _made_ready(
    statement: Insert | Update, dialect: Dialect, keys: tuple[str, ...]
) -> tuple[str, dict[str, Maker], bool]:
    """The statement's text, its parameters in order with what makes their values ready, and whether
    they go by position."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    names = compiled.positiontup or list(compiled.binds)
    makers: dict[str, Maker] = {
        name: compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        for name in names
    }
    return str(compiled), makers, compiled.positional


@functools.cache
def _insert_statement(dialect: str, model: type[Row]) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(model.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]


@functools.cache
def _insert_and_say(dialect: str, model: type[Row]) -> Any:
    return _insert_statement(dialect, model).returning(*model.__table__.primary_key)
