"""Migration to the schema of this version; safe when many processes start at once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from engine.storage.database import Database

_PLACE = Path(__file__).parent / "migrations"
_ADVISORY_KEY = 20_261_122


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_PLACE))
    return config


class SchemaIsNewer(RuntimeError):
    """A database that a later version of Jiuniu made."""


@functools.cache
def newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


@functools.cache
def _known() -> frozenset[str | None]:
    return frozenset(
        {
            None,
            *(
                script.revision
                for script in ScriptDirectory.from_config(_config()).walk_revisions()
            ),
        }
    )


def current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def standing(db: Database) -> Literal["current", "behind", "newer"]:
    """Compare the database's schema with the one that this version needs."""
    with db.reader.connect() as connection:
        found = current(connection)
    return "current" if found == newest() else "behind" if found in _known() else "newer"


def upgrade(db: Database) -> bool:
    """Migrate to the newest schema in one transaction; return True if anything was to do.

    Raises: SchemaIsNewer.
    """
    with db.writer.connect() as connection:
        if db.is_sqlite:  # Only effective outside a transaction; batch migrations rebuild tables.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            if not db.is_sqlite:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY}
                )
            found = current(connection)
            if found not in _known():
                raise SchemaIsNewer(
                    f"its schema is {found}, this version knows up to {newest()}: use the "
                    "newer Jiuniu"
                )
            needed = found != newest()
            if needed:
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        if db.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
    return needed
