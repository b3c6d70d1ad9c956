"""A migrated file once per run; a club of one's own per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.club import House, migrated

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_COMMON = {"deadline": None, "suppress_health_check": _QUIET, "print_blob": True}
# Shrinking a story of the whole club may take minutes: the daily run only says that something broke, "long" makes it short.
settings.register_profile(
    "short", **_COMMON, max_examples=30, stateful_step_count=30, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("long", **_COMMON, max_examples=600, stateful_step_count=60)
settings.register_profile("hunt", **_COMMON, max_examples=300, stateful_step_count=40, phases=[Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("template"))


@pytest.fixture
def house(template: Path) -> Iterator[House]:
    made = House(template)
    yield made
    made.end()
