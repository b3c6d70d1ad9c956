"""A migrated file once per run; a club of one's own per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.club import House, migrated


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def house(template: Path) -> Iterator[House]:
    made = House(template)
    yield made
    made.end()
