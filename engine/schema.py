"""Brings a database to the schema that this version needs; safe when many processes start in the same second."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from engine.db import Database

_PLACE = Path(__file__).parent / "migrations"
_ADVISORY_KEY = 20_261_122


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_PLACE))
    return config


def newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def is_current(db: Database) -> bool:
    with db.reader.connect() as connection:
        return current(connection) == newest()


def upgrade(db: Database) -> bool:
    """Migrate to the newest schema in one transaction. True when there was something to do."""
    with db.writer.connect() as connection:
        if db.is_sqlite:  # only effective outside a transaction; batch migrations rebuild tables
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            if not db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY})
            needed = current(connection) != newest()
            if needed:
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        if db.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
    return needed
