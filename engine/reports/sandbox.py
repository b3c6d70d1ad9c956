"""A copy of one club's rows in which the code that acts can run without blocking writers.

Temporary tables of the same names hide the real ones from this one connection and vanish with it.
Left out: bytes of letters, words of ended cases, and rows that no step of the clock reads.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from sqlalchemy import Connection, Table, text

from engine.storage.database import Database, enter_club
from engine.storage.models import Row
from engine.storage.unit_of_work import ClubSession

# The club's rows that are copied, for tables that are not copied whole.
_OPEN = "SELECT id FROM {real}.\"case\" WHERE club_id = :club AND turn <> ''"
_WHICH = {
    "club": "id = :club",
    "letter": (
        "club_id = :club AND (state NOT IN ('sent', 'failed', 'dropped') OR case_id IS "
        f"NULL OR case_id IN ({_OPEN}))"
    ),
    "mark": f"club_id = :club AND case_id IN ({_OPEN})",
    "draft": "1 = 0",
    "web_session": "1 = 0",
    "charter_change": "1 = 0",
}
_INSTEAD = {
    ("letter", "bytes"): "NULL",
    ("event", "answers"): "'{}'",
    ("event", "note"): "''",
    ("case", "answers"): "CASE WHEN turn = '' THEN '{}' ELSE answers END",
    ("case", "private"): "'{}'",
}


@contextlib.contextmanager
def sandbox(db: Database, club_id: int) -> Iterator[ClubSession]:
    """Open a session on the copy, inside the club."""
    with ClubSession(db.sandbox, expire_on_commit=False) as session:
        session.keys = db.keys
        connection = session.connection()
        tables = [
            table
            for table in Row.metadata.sorted_tables
            if table.name == "club" or "club_id" in table.c
        ]
        real = _hide(connection, tables)
        for table in tables:
            _copy(connection, table, club_id, real)
        enter_club(session, club_id)
        yield session


def _hide(connection: Connection, tables: list[Table]) -> str:
    """Create empty temporary tables with the same indexes.

    Returns the name under which the real tables are still found.
    """
    if connection.dialect.name == "postgresql":
        real = str(connection.execute(text("SELECT current_schema()")).scalar_one())
        for table in tables:
            connection.execute(
                text(
                    f'CREATE TEMP TABLE "{table.name}" (LIKE {real}."{table.name}" '
                    "INCLUDING ALL) ON COMMIT DROP"
                )
            )
        return real
    found = connection.execute(
        text(
            "SELECT tbl_name, sql FROM main.sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC"
        )
    ).all()
    names = {table.name for table in tables}
    for name, sql in found:
        if name in names:
            made = re.sub(r"^CREATE TABLE", "CREATE TEMP TABLE", sql)
            connection.exec_driver_sql(
                re.sub(r"^CREATE( UNIQUE)? INDEX ", r"CREATE\1 INDEX temp.", made)
            )
    return "main"


def _copy(connection: Connection, table: Table, club_id: int, real: str) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.c)
    values = ", ".join(
        _INSTEAD.get((table.name, column.name), f'"{column.name}"') for column in table.c
    )
    which = _WHICH.get(table.name, "club_id = :club").replace("{real}", real)
    temporary = "pg_temp" if connection.dialect.name == "postgresql" else "temp"
    statement = (
        f'INSERT INTO {temporary}."{table.name}" ({columns}) '  # noqa: S608
        f'SELECT {values} FROM {real}."{table.name}" WHERE {which}'
    )
    connection.execute(text(statement), {"club": club_id})
