"""The copy of a club that has outgrown its file: every row, counted, to another database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select

from engine.storage import schema
from engine.storage.database import Database
from engine.storage.heartbeats import hold_post
from engine.storage.models import Club, Heartbeat, Row
from engine.storage.unit_of_work import ClubSession

BATCH = 1000
MOVED = "moved"


class CannotMove(ValueError):
    """A refusal; the text says why, nothing was written."""


def copy_database(source: Database, target: Database, machine_now: datetime) -> dict[str, int]:
    """Copy all rows into an empty database in one transaction; return counts by table.

    SQLite's writers wait meanwhile; stop other processes on a PostgreSQL source first. The old
    database's post is held afterwards: two posts would mail everything twice.

    Raises: CannotMove.
    """
    if _where(source) == _where(target):
        raise CannotMove("that is the database in use")
    schema.upgrade(target)
    with source.writer.begin() as old, target.writer.begin() as new:
        if new.execute(select(Club.id).limit(1)).first() is not None:
            raise CannotMove("there is a club in that database already")
        counts = {
            table.name: _copy(table, old, new)
            for table in Row.metadata.sorted_tables
            if table is not Heartbeat.__table__
        }
        with ClubSession(old) as session:
            hold_post(session, MOVED, machine_now)
            session.flush()
    return counts


def _where(db: Database) -> object:
    """Return the resolved path: a file has many names."""
    return Path(db.url.database).resolve() if db.is_sqlite and db.url.database else db.url


def _copy(table: Table, old: Connection, new: Connection) -> int:
    for rows in (
        old.execute(select(table).execution_options(yield_per=BATCH)).mappings().partitions()
    ):
        new.execute(insert(table), [dict(row) for row in rows])
    counted = new.execute(select(func.count()).select_from(table)).scalar_one()
    expected = old.execute(select(func.count()).select_from(table)).scalar_one()
    if counted != expected:
        raise CannotMove(f"of {expected} rows of {table.name} {counted} arrived")
    return int(counted)
