"""Never worse for being early: a decision leaves a person the time that they had.

Charter, decided rules.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.scheduler.pause import pause, resume
from tests.club import LILEI, OWNER, PLAN, House

READ = {"book": "边城", "author": "沈从文", "reflection": "翠翠一直在等。", "share": True}
SATURDAY = datetime(2026, 12, 12, 12, 0, tzinfo=UTC)  # 20:00 in Shanghai, when week 50 is due
DAY = timedelta(days=1)


def midnight(day: int) -> datetime:
    """24:00 of that day of December, in Shanghai."""
    return datetime(2026, 12, day, 16, tzinfo=UTC)


@pytest.fixture
def week(house: House) -> House:
    """Sunday, 10:00: the reading week has begun, its letters are out."""
    house.add(LILEI, "李雷")
    house.tick(days=6)
    house.deliver()
    return house


def hand_in(house: House, action: str = "submit", workflow: str = "reflection") -> None:
    house.press(
        LILEI, action, workflow=workflow, answers=READ if workflow == "reflection" else PLAN
    )


def decide(house: House, action: str, workflow: str = "reflection") -> None:
    house.press(OWNER, action, workflow=workflow, note="请写你自己的。" if action != "undo" else "")
    house.deliver()


def stands(house: House, workflow: str = "reflection") -> tuple[str, datetime | None]:
    case = house.case(LILEI, workflow)
    return case.state, case.due_at


def steps(house: House, workflow: str = "reflection") -> list[tuple[str, datetime]]:
    """Where the clock led, and when."""
    return [
        (event.to_state, event.at)
        for event in house.events(house.case(LILEI, workflow))
        if event.action == "due"
    ]


def test_b1_returned_on_tuesday_what_is_due_on_saturday_is_due_on_saturday(week: House) -> None:
    hand_in(week)
    week.now += 2 * DAY
    decide(week, "return")
    assert stands(week) == ("returned", SATURDAY)
    week.live(until=SATURDAY - timedelta(hours=1))
    assert week.letters("reflection.second_chance") == []
    week.live(until=SATURDAY + 3 * DAY)
    assert steps(week) == [("overdue", SATURDAY), ("removal_proposed", midnight(14))]


def test_b1_returned_late_in_the_week_the_days_of_a_return_count(week: House) -> None:
    hand_in(week)
    week.now += 5 * DAY
    decide(week, "return")
    assert stands(week) == ("returned", midnight(14))


def test_d12_declined_on_tuesday_the_week_is_still_theirs(week: House) -> None:
    hand_in(week)
    week.now += 2 * DAY
    decide(week, "decline")
    assert stands(week) == ("returned", SATURDAY)
    assert week.letters("reflection.second_chance") == []
    week.live(until=SATURDAY + 3 * DAY)
    assert steps(week) == [("overdue", SATURDAY), ("removal_proposed", midnight(14))]
    assert [letter.created_at for letter in week.letters("reflection.second_chance")] == [SATURDAY]


def test_d12_declined_after_the_week_it_is_the_second_chance(week: House) -> None:
    hand_in(week)
    week.now = SATURDAY + timedelta(hours=14)
    decide(week, "decline")
    assert stands(week) == ("overdue", midnight(15))


def test_declining_again_and_again_gives_no_time_of_its_own(week: House) -> None:
    hand_in(week)
    decide(week, "decline")
    for _ in range(3):
        week.now += DAY
        hand_in(week, "resubmit")
        decide(week, "decline")
        assert stands(week) == ("returned", SATURDAY)
    hand_in(week, "resubmit")
    week.now = SATURDAY + timedelta(hours=1)
    decide(week, "decline")
    assert week.case(LILEI, "reflection").state == "overdue"


def test_a_second_chance_handed_in_early_and_declined_lasts_as_long_as_it_was_given(
    week: House,
) -> None:
    week.live(until=SATURDAY + timedelta(hours=2))
    hand_in(week)
    decide(week, "decline")
    assert stands(week) == ("returned", midnight(14))
    week.live(until=SATURDAY + 3 * DAY)
    assert steps(week) == [("overdue", SATURDAY), ("removal_proposed", midnight(14))]


def test_a_resubmission_keeps_the_longer_time_that_a_return_gave(week: House) -> None:
    hand_in(week)
    week.now += 5 * DAY
    decide(week, "return")
    hand_in(week, "resubmit")
    decide(week, "decline")
    assert stands(week) == ("returned", midnight(14))


@pytest.mark.parametrize("action", ["return", "decline"])
def test_a_decision_taken_back_gives_and_takes_no_time(week: House, action: str) -> None:
    hand_in(week)
    waits = stands(week)
    week.now += 5 * DAY
    decide(week, action)
    decide(week, "undo")
    assert stands(week) == waits
    decide(week, "decline")
    assert stands(week) == ("returned", SATURDAY)


def test_a_big_book_handed_in_early_keeps_its_days(week: House) -> None:
    week.press(LILEI, "choose", workflow="reflection", answers={"book": "战争与和平", "big": True})
    hand_in(week)
    week.now += 2 * DAY
    decide(week, "return")
    assert stands(week) == ("returned", SATURDAY + 3 * DAY)


def test_a_rest_in_between_moves_the_time_that_they_had(week: House) -> None:
    hand_in(week)
    week.db.write(pause, week.club_id, week.now)
    week.now += 3 * DAY
    week.db.write(resume, week.club_id, week.now)
    decide(week, "decline")
    assert stands(week) == ("returned", SATURDAY + 3 * DAY)


def test_a_rest_after_their_time_gives_none_back(week: House) -> None:
    hand_in(week)
    week.now = SATURDAY + timedelta(hours=2)
    week.db.write(pause, week.club_id, week.now)
    week.now += 3 * DAY
    week.db.write(resume, week.club_id, week.now)
    decide(week, "decline")
    assert week.case(LILEI, "reflection").state == "overdue"


@pytest.mark.parametrize("action", ["return", "decline"])
def test_a_study_plan_sent_on_the_first_day_is_not_due_sooner(
    action: str, template: object
) -> None:
    house = House(template, numbers={"plan_days": 10})  # type: ignore[arg-type]
    house.join()
    house.deliver()
    due = house.case(LILEI, "study_plan").due_at
    hand_in(house, workflow="study_plan")
    decide(house, action, "study_plan")
    assert stands(house, "study_plan") == ("returned", due)
    assert due is not None
    house.live(until=due - timedelta(hours=1), hours=6)
    assert house.letters("study_plan.second_chance") == []
    house.end()


def test_an_excuse_taken_back_leaves_the_time_that_a_return_left(week: House) -> None:
    hand_in(week)
    decide(week, "return")
    hand_in(week, "resubmit")
    decide(week, "approve")
    week.now += timedelta(hours=20)
    decide(week, "undo")
    decide(week, "return")
    assert stands(week) == ("returned", SATURDAY)
