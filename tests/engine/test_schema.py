"""The tables that the migrations make are those that the code declares, and a database of an earlier version comes along."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from engine.db import Database
from engine.models import Row


def test_the_migrations_make_the_tables_that_are_declared(template: Path) -> None:
    db = Database(f"sqlite:///{template}")
    with db.reader.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), Row.metadata)
    db.dispose()
    assert difference == [], "engine/models.py says something else than engine/migrations: write a migration"
