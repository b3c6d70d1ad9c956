"""The next week opens for everybody who owes nothing; who is held up begins it late, or hears why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.club.permissions import undo_open
from engine.scheduler.pause import pause, resume
from engine.storage.models import Case, Schedule
from tests.club import LILEI, MEIMEI, OWNER, PLAN, House
from tests.databases import databases

READ = {"book": "边城", "author": "沈从文", "reflection": "翠翠一直在等。", "share": True}
SUNDAY = datetime(2026, 12, 6, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai: week 50 opens
SATURDAY = datetime(2026, 12, 12, 12, 0, tzinfo=UTC)  # 20:00: it is due
HALF = datetime(2026, 12, 16, 6, 0, tzinfo=UTC)  # half of week 51 is left
WEEK, DAY, HOUR = timedelta(weeks=1), timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def house() -> Iterator[House]:
    house = House(databases("sqlite"))
    house.add(LILEI, "李雷")
    yield house
    house.end()


@pytest.fixture
def week(house: House) -> House:
    """Sunday, 10:00: week 50 has begun, its letters are out."""
    house.tick(days=6)
    house.deliver()
    return house


def periods(house: House, address: str = LILEI) -> dict[str, str]:
    wanted = select(Case).where(Case.workflow == "reflection").order_by(Case.opened_at, Case.id)
    about = house.person(address).id
    return {
        case.data["period"]: case.state for case in house.rows(wanted) if case.person_id == about
    }


def hand_in(house: House, action: str = "submit", workflow: str = "reflection") -> None:
    answers = READ if workflow == "reflection" else PLAN
    house.press(LILEI, action, workflow=workflow, answers=answers)


def week_50(house: House) -> Case:
    return house.rows(select(Case).where(Case.key.startswith("2026-W50:")))[0]


def test_a1_handed_in_on_saturday_and_read_on_sunday_the_next_week_opens(week: House) -> None:
    week.live(until=SATURDAY - HOUR)
    hand_in(week)
    week.live(until=SUNDAY + WEEK)
    week.now += timedelta(seconds=10)
    week.press(OWNER, "approve", case=week_50(week))
    assert periods(week) == {"2026-W50": "shared", "2026-W51": "owed"}
    week.deliver()
    asked = [letter for letter in week.letters("reflection.please_read") if letter.state == "sent"]
    assert [letter.created_at for letter in asked] == [SUNDAY + 2 * HOUR, SUNDAY + WEEK]


def test_d1_an_owner_who_reads_a_day_late_costs_nobody_a_week(house: House) -> None:
    house.add(MEIMEI, "韩梅梅")
    for number in range(4):
        sunday = SUNDAY + number * WEEK
        house.live(until=sunday + 6 * DAY + 7 * HOUR, hours=6)  # Saturday, 15:00
        for who in (LILEI, MEIMEI):
            house.press(who, "submit", who, "reflection", answers=READ)
        house.live(until=sunday + WEEK + HOUR)
        for case in house.rows(select(Case).where(Case.turn == "reviewer")):
            house.press(OWNER, "approve", case=case)
    every = ["2026-W50", "2026-W51", "2026-W52", "2026-W53", "2027-W01"]
    assert [list(periods(house, who)) for who in (LILEI, MEIMEI)] == [every, every]


def test_d7_weeks_over_the_years_end_open_in_order_each_due_on_its_saturday(house: House) -> None:
    for number in range(5):
        house.live(until=SUNDAY + number * WEEK, hours=12)
        house.press(LILEI, "submit", workflow="reflection", answers=READ)
    wanted = select(Case).where(Case.workflow == "reflection").order_by(Case.opened_at)
    cases = house.rows(wanted)
    assert [(case.data["period"], case.data["days"]) for case in cases] == [
        ("2026-W50", ["2026-12-06", "2026-12-12"]),
        ("2026-W51", ["2026-12-13", "2026-12-19"]),
        ("2026-W52", ["2026-12-20", "2026-12-26"]),
        ("2026-W53", ["2026-12-27", "2027-01-02"]),
        ("2027-W01", ["2027-01-03", "2027-01-09"]),
    ]


def test_a_review_that_comes_back_later_leaves_both_weeks_to_do(week: House) -> None:
    week.live(until=SATURDAY - HOUR)
    hand_in(week)
    week.live(until=SUNDAY + WEEK + HOUR)
    week.press(OWNER, "return", case=week_50(week), note="再写一点。")
    assert periods(week) == {"2026-W50": "returned", "2026-W51": "owed"}


def test_a_decision_about_last_week_is_taken_back_after_the_next_one_opened(week: House) -> None:
    week.live(until=SATURDAY - HOUR)
    hand_in(week)
    week.press(OWNER, "approve", case=week_50(week))
    week.live(until=SUNDAY + WEEK + HOUR)
    week.press(OWNER, "undo", case=week_50(week))
    assert periods(week) == {"2026-W50": "review", "2026-W51": "owed"}


def test_who_owes_is_held_up_and_begins_as_soon_as_the_old_one_is_handed_in(week: House) -> None:
    week.live(until=SUNDAY + WEEK + HOUR)
    held_up = week_50(week)
    assert periods(week) == {"2026-W50": "overdue"}
    assert week.story(held_up)[-1] == ("held_up", "overdue")
    hand_in(week)
    assert periods(week) == {"2026-W50": "review", "2026-W51": "owed"}
    begun = week.case(LILEI, "reflection")
    assert (begun.opened_at, begun.due_at) == (week.now, SATURDAY + WEEK)
    assert ("reflection.please_read", LILEI) in week.deliver()


@pytest.mark.parametrize(("left", "begins"), [(timedelta(), True), (timedelta(seconds=1), False)])
def test_a_week_begins_late_while_half_of_it_is_left(
    week: House, left: timedelta, begins: bool
) -> None:
    week.press(LILEI, "choose", workflow="reflection", answers={"book": "战争与和平", "big": True})
    week.live(until=SATURDAY + 3 * DAY + HOUR, hours=6)  # the second chance of a big book
    week.now = HALF + left
    hand_in(week)
    assert ("2026-W51" in periods(week)) is begins


def test_excused_is_as_good_as_handed_in(week: House) -> None:
    week.live(until=SUNDAY + WEEK + HOUR)
    week.press(OWNER, "excuse", workflow="reflection")
    assert periods(week) == {"2026-W50": "let_off", "2026-W51": "owed"}


def test_an_open_removal_holds_the_week_up_until_the_owner_lets_it_go() -> None:
    house = House(databases("sqlite"), numbers={"plan_days": 1})
    house.add(LILEI, "李雷")
    house.open(LILEI, "study_plan")
    house.deliver()
    house.live(until=SUNDAY + HOUR, hours=6)
    assert house.case(LILEI, "study_plan").state == "removal_proposed"
    assert periods(house) == {}
    house.press(OWNER, "excuse", workflow="study_plan")
    assert periods(house) == {"2026-W50": "owed"}
    house.end()


def test_what_still_is_owed_besides_holds_it_up_as_well(week: House) -> None:
    week.open(LILEI, "study_plan")
    week.live(until=SUNDAY + WEEK + HOUR)  # the plan's removal is proposed, the reading is overdue
    hand_in(week)
    assert "2026-W51" not in periods(week)
    week.press(OWNER, "excuse", workflow="study_plan")
    assert periods(week) == {"2026-W50": "review", "2026-W51": "owed"}


def test_who_leaves_is_given_no_week_by_it(week: House) -> None:
    week.live(until=SUNDAY + WEEK + HOUR)
    week.hand_in(LILEI, "departure", {"why": "", "erase": False})
    assert periods(week) == {"2026-W50": "void"}


def test_nothing_begins_late_in_a_club_that_rests(week: House) -> None:
    week.live(until=SUNDAY + WEEK + HOUR)
    week.db.write(pause, week.club_id, week.now)
    hand_in(week)
    assert periods(week) == {"2026-W50": "review"}


def test_a_rest_moves_the_week_that_is_held_up(week: House) -> None:
    week.live(until=SUNDAY + WEEK + HOUR)
    week.db.write(pause, week.club_id, week.now)
    week.now += 4 * DAY
    week.db.write(resume, week.club_id, week.now)
    hand_in(week)
    assert week.case(LILEI, "reflection").due_at == SATURDAY + WEEK + 4 * DAY


@pytest.mark.parametrize(
    ("back_at", "opens"),
    [
        (SATURDAY - timedelta(minutes=30), False),
        (SUNDAY + 3 * DAY + 6 * HOUR, True),
        (SUNDAY + 3 * DAY + 7 * HOUR, False),
    ],
)
def test_a12_a_week_with_less_than_half_of_it_left_is_not_opened(
    house: House, back_at: datetime, opens: bool
) -> None:
    house.now = back_at
    house.tick()
    told = [letter.name for letter in house.letters() if letter.name.startswith("reflection.")]
    schedule = house.rows(select(Schedule).where(Schedule.rule == "reflection"))[0]
    assert schedule.next_at == SUNDAY + WEEK
    if opens:
        assert (periods(house), schedule.not_opened) == ({"2026-W50": "owed"}, [])
        assert told == ["reflection.please_read"]
    else:
        assert (periods(house), schedule.not_opened) == ({}, ["2026-W50"])
        assert told == ["reflection.not_opened"]
        house.live(until=SUNDAY + WEEK + HOUR, hours=6)
        assert periods(house) == {"2026-W51": "owed"}


def test_whoever_owes_nothing_is_told_once_that_a_week_does_not_open(house: House) -> None:
    house.add(MEIMEI, "韩梅梅")
    house.now = SATURDAY - HOUR
    for _ in range(3):
        house.tick(minutes=5)
    told = house.letters("reflection.not_opened")
    assert sorted(letter.person_id for letter in told) == sorted(
        house.person(who).id for who in (LILEI, MEIMEI)
    )


def test_an_excuse_that_began_the_next_week_stands(week: House) -> None:
    week.live(until=SUNDAY + WEEK + HOUR)
    week.press(OWNER, "excuse", workflow="reflection")
    with week.read() as session:
        case = session.get_one(Case, (week.club_id, week_50(week).id))
        assert undo_open(session, case, week.person(OWNER), week.now) is None
