"""A migrated file once per run; a club of one's own per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.club import House, migrated

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("short", deadline=None, max_examples=30, stateful_step_count=30, suppress_health_check=_QUIET, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=600, stateful_step_count=60, suppress_health_check=_QUIET, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def house(tmp_path: Path, template: Path) -> Iterator[House]:
    made = House(tmp_path, template)
    yield made
    made.end()
