"""The databases of the browser's stories: SQLite alone.

What a browser shows does not depend on the kind of database.
"""

from __future__ import annotations

import pytest

from tests.databases import Databases, databases


@pytest.fixture
def template() -> Databases:
    return databases("sqlite")
