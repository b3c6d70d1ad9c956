"""What a browser shows does not hang on the kind of database: these stories run on SQLite alone,
every other one on both."""

from __future__ import annotations

import pytest

from tests.databases import Databases, databases


@pytest.fixture
def template() -> Databases:
    return databases("sqlite")
