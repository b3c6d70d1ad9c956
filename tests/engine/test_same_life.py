"""The same draws lead to the same life, in whatever order unordered rows are returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from engine.storage.models import Case, Event, Letter
from tests.databases import forget_compiled
from tests.engine.test_machine import ClubLife

STORIES = settings(
    database=None,
    max_examples=4,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.generate],
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def lives() -> list[Any]:
    """What was in the club at the end of each story, without what is by chance: ids, keys, salts."""
    found: list[Any] = []

    class Told(ClubLife):
        def teardown(self) -> None:
            if hasattr(self, "house"):
                found.append(
                    self.house.rows(select(Case.workflow + " " + Case.state).order_by(Case.id))
                )
                found.append(
                    self.house.rows(select(Event.action).order_by(Event.case_id, Event.version))
                )
                found.append(
                    self.house.rows(select(Letter.name + " " + Letter.state).order_by(Letter.id))
                )
            super().teardown()

    run_state_machine_as_test(seed(1)(Told), settings=STORIES)
    return found


def _backwards(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA reverse_unordered_selects=ON")


@pytest.fixture
def backwards() -> Any:
    """SQLite returns rows without ORDER BY in reverse, for a test that wants to find who relies on
    their order."""
    began: list[Callable[..., None]] = []

    def begin() -> None:
        forget_compiled()
        event.listen(Engine, "connect", _backwards)
        began.append(_backwards)

    yield begin
    for listener in began:
        event.remove(Engine, "connect", listener)
    forget_compiled()


@pytest.mark.slow
def test_a_story_is_the_same_when_rows_without_an_order_come_in_reverse(
    backwards: Callable[[], None],
) -> None:
    told = lives()
    backwards()
    assert lives() == told
    assert len(told) >= 12
