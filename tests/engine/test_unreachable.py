"""The system acts against no one whom no mail reaches: the case waits, and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.outbox.delivery_log import retry
from engine.storage.models import Case
from tests.club import LATER, LILEI, PLAN, TAKEN, UNKNOWN, House
from tests.engine.test_sweep import THURSDAY_NIGHT, plan

pytestmark = pytest.mark.postgres


@pytest.fixture
def unreachable(house: House) -> House:
    """No mail reaches 李雷, who has become a member; the due time has passed."""
    house.join()
    house.deliver(lambda frozen: UNKNOWN if frozen.recipient == LILEI else TAKEN)
    house.now = THURSDAY_NIGHT
    house.tick()
    return house


def test_a_member_whom_no_mail_reaches_is_not_moved_against(unreachable: House) -> None:
    case = plan(unreachable)
    assert (case.state, case.trouble, case.wake_at, case.due_at) == (
        "owed",
        "unreachable",
        None,
        THURSDAY_NIGHT,
    )
    assert unreachable.person(LILEI).mail_trouble == "recipient: 550 5.1.1 user unknown"
    unreachable.tick(days=30)
    assert plan(unreachable).version == case.version


def test_a_resting_case_goes_on_with_a_new_due_time_once_its_letter_got_through(
    unreachable: House,
) -> None:
    letter = unreachable.letters("study_plan.please_write")[0]
    unreachable.now += timedelta(days=10)
    unreachable.db.write(retry, unreachable.club_id, letter.id, unreachable.now)
    unreachable.deliver()
    unreachable.tick()
    case = plan(unreachable)
    assert (case.state, case.due_at) == ("owed", datetime(2026, 12, 17, 16, 0, tzinfo=UTC))
    assert (case.trouble, case.wake_at) == ("", datetime(2026, 12, 16, 16, 0, tzinfo=UTC))
    assert [event.action for event in unreachable.events(case)] == ["open", "postponed"]


def test_who_hands_in_all_the_same_ends_the_rest(unreachable: House) -> None:
    unreachable.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    case = plan(unreachable)
    assert (case.state, case.trouble, case.wake_at) == ("review", "", case.due_at)


def test_an_applicant_whom_no_mail_reaches_simply_ends(house: House) -> None:
    house.apply()
    house.deliver(UNKNOWN)
    house.tick(days=4)
    assert house.rows(select(Case.state)) == ["forgotten"]


def test_a_letter_that_is_still_being_tried_holds_the_clock(house: House) -> None:
    house.join()
    house.now = THURSDAY_NIGHT - timedelta(minutes=1)
    house.deliver(LATER)
    house.now = THURSDAY_NIGHT + timedelta(days=10)
    house.tick()
    assert plan(house).state == "owed"
