"""Engines for both databases: settings of a new connection, and of each use."""

from __future__ import annotations

import functools
import json
import os
import selectors
import sqlite3
import time
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import NullPool

from engine.storage.database_file import DatabaseFile

# A connection to PostgreSQL that was idle for longer, in seconds, is pinged before use.
_IDLE_SECONDS = 1.0


def sqlite_module() -> Any:
    """Return the bundled SQLite if its wheel exists, else Python's own."""
    try:
        import pysqlite3.dbapi2 as bundled  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        return sqlite3
    return bundled if bundled.sqlite_version_info > sqlite3.sqlite_version_info else sqlite3


def open_engine(url: URL, *, read_only: bool, file: DatabaseFile | None = None) -> Engine:
    """Open an engine for readers that cannot write, or for writers.

    ``file``: of SQLite, checked when a transaction begins.
    """
    return (
        _sqlite(url, read_only, file or database_file(url))
        if url.get_backend_name() == "sqlite"
        else _postgresql(url, read_only)
    )


def database_file(url: URL) -> DatabaseFile:
    """Return the file that a SQLite URL names."""
    return DatabaseFile(url.database, sqlite_module().OperationalError)


def _sqlite(url: URL, read_only: bool, file: DatabaseFile) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        module=sqlite_module(),
        pool_size=20,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=_from_json,
    )
    event.listen(engine, "do_connect", file.check_before_connect)
    event.listen(engine, "connect", functools.partial(_set_up_sqlite, read_only=read_only))
    event.listen(engine, "connect", lambda *_: file.note_opened())
    event.listen(engine, "begin", lambda _: file.check())
    event.listen(
        engine,
        "begin",
        functools.partial(begin_sqlite, "BEGIN" if read_only else "BEGIN IMMEDIATE"),
    )
    return engine


def out_of_bounds(url: URL) -> Path | None:
    """Return the folder or file of a SQLite database that this account cannot write, if any.

    SQLite finds out only at the first write: on a readable file, pages would show and nothing be
    stored.
    """
    file = Path(url.database or "")
    parts = (file.parent, *(file.with_name(file.name + ending) for ending in ("", "-wal", "-shm")))
    return next(
        (part for part in parts if part.exists() and not os.access(part, os.R_OK | os.W_OK)), None
    )


def _to_json(value: Any) -> str:
    """Write JSON, with a short cut for empty values.

    Most of these values are empty, and a step of the sweep writes two and reads three.
    """
    return "{}" if value == {} else json.dumps(value)


def _from_json(text: str) -> Any:
    return {} if text == "{}" else json.loads(text)


def _set_up_sqlite(connection: Any, record: Any, *, read_only: bool) -> None:
    connection.isolation_level = None  # The driver must not begin on its own: begin_sqlite does.
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=15000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is erased must not stay in free pages of the file
    ):
        cursor.execute(f"PRAGMA {pragma}")
    if read_only:
        cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def open_sandbox_engine(url: URL) -> Engine:
    """Open connections that are used once and that begin without asking to write."""
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url, isolation_level="REPEATABLE READ", poolclass=NullPool, hide_parameters=True
        )
    engine = create_engine(url, module=sqlite_module(), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sandbox)
    event.listen(engine, "begin", functools.partial(begin_sqlite, "BEGIN"))
    return engine


def _set_up_sandbox(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA temp_store=MEMORY")


def begin_sqlite(statement: str, connection: Any) -> None:
    connection.exec_driver_sql(statement)


def _postgresql(url: URL, read_only: bool) -> Engine:
    """Open an engine: pages read one snapshot, writers see what others committed."""
    level = "REPEATABLE READ" if read_only else "READ COMMITTED"
    engine = create_engine(
        url,
        isolation_level=level,
        pool_size=20,
        hide_parameters=True,
        connect_args={"connect_timeout": 10},
    )
    event.listen(engine, "connect", functools.partial(_set_up_postgresql, read_only=read_only))
    IdlePing(engine)
    return engine


def _set_up_postgresql(connection: Any, record: Any, *, read_only: bool) -> None:
    # Once: SQLAlchemy's execution option is set and undone by every transaction. A writer asks
    # for nothing: READ WRITE would overrule a server that was told to take no writes.
    connection.read_only = True if read_only else None


class IdlePing:
    """A ``pool_pre_ping`` that skips connections which worked a moment ago.

    Unless input waits on one: a server that ends says so, or closes, and nothing else speaks
    unasked.
    """

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._idle_since: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        event.listen(engine, "checkin", self._note)
        event.listen(engine, "checkout", self._ping)

    def _note(self, connection: Any, record: Any) -> None:
        self._idle_since[record] = time.monotonic()

    def _ping(self, connection: Any, record: Any, proxy: Any) -> None:
        since = self._idle_since.pop(record, None)
        if since is not None and (
            time.monotonic() - since > _IDLE_SECONDS or _has_input(connection)
        ):
            try:
                self._dialect.do_ping(connection)
            except self._dialect.loaded_dbapi.Error as gone:
                raise InvalidatePoolError from gone


def _has_input(connection: Any) -> bool:
    """True if the socket has input.

    Asks the operating system only: a tenth of the cost of asking the server.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
