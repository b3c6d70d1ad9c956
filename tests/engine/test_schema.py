"""The migrated tables are the declared ones, and an earlier version's database is upgraded."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from engine.storage.database import Database
from engine.storage.models import Row
from tests.databases import Databases

pytestmark = pytest.mark.postgres


def test_the_migrations_make_the_tables_that_are_declared(template: Databases) -> None:
    db = Database(template.empty("schema"))
    with db.reader.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), Row.metadata)
    db.dispose()
    assert difference == [], (
        "engine/storage/models.py says something else than engine/storage/migrations: write a migration"
    )
