"""What the calendar begins, and the daily letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.club.people import add_person
from engine.scheduler.recurring import BATCH, open_due, openings_round
from engine.scheduler.schedules import plan_schedules
from engine.storage.models import Case, Person, Schedule
from engine.storage.unit_of_work import ClubSession
from tests.club import DOWN, LILEI, MEIMEI, OWNER, TAKEN, House
from tests.engine import toys

pytestmark = pytest.mark.postgres

SUNDAY = datetime(2026, 12, 6, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
WEEK = timedelta(weeks=1)
TOYS = Case.workflow == "toy_reading"


@pytest.fixture
def reading(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    toys.declared(monkeypatch, toys.reading())
    house.write(lambda session: plan_schedules(session, house.now))
    house.add(LILEI, "李雷")
    house.add(MEIMEI, "韩梅梅")
    return house


def periods(house: House) -> list[str]:
    return sorted(
        house.rows(select(Case.data["period"].as_string()).where(Case.workflow == "toy_reading"))
    )


def schedule(house: House, rule: str = "toy_reading") -> Schedule:
    return house.rows(select(Schedule).where(Schedule.rule == rule))[0]


def test_a_workflow_that_was_added_opens_first_with_the_next_week(reading: House) -> None:
    assert schedule(reading).next_at == SUNDAY
    reading.write(lambda session: plan_schedules(session, SUNDAY + WEEK))
    assert schedule(reading).next_at == SUNDAY


def test_each_member_gets_one_case_a_week_and_the_owner_too_where_nobody_is_exempt(
    reading: House,
) -> None:
    assert open_due(reading.db, SUNDAY - timedelta(seconds=1)) == 0
    assert open_due(reading.db, SUNDAY) >= 2
    assert open_due(reading.db, SUNDAY) == 0
    about = reading.rows(select(Case.person_id).where(Case.workflow == "toy_reading"))
    assert {reading.person(LILEI).id, reading.person(MEIMEI).id} <= set(about)
    assert len(set(about)) == len(about)
    case = reading.case(LILEI, "toy_reading")
    assert (case.data["period"], case.due_at, case.opened_at) == (
        "2026-W50",
        datetime(2026, 12, 12, 12, 0, tzinfo=UTC),
        SUNDAY,
    )


def test_who_still_has_one_open_gets_no_second_one(reading: House) -> None:
    open_due(reading.db, SUNDAY)
    reading.press(LILEI, "submit", LILEI, "toy_reading")
    open_due(reading.db, SUNDAY + WEEK)
    mine = reading.rows(
        select(Case.data["period"].as_string()).where(
            Case.person_id == reading.person(LILEI).id, TOYS
        )
    )
    hers = reading.rows(
        select(Case.data["period"].as_string()).where(
            Case.person_id == reading.person(MEIMEI).id, TOYS
        )
    )
    assert (sorted(mine), hers) == (["2026-W50", "2026-W51"], ["2026-W50"])


def test_who_may_be_removed_begins_no_week_whatever_the_removal_is_about(reading: House) -> None:
    reading.open(LILEI, "study_plan")
    reading.live(until=SUNDAY + timedelta(days=2), hours=12)
    reading.press(LILEI, "submit", LILEI, "toy_reading")
    assert reading.case(LILEI, "study_plan").state == "removal_proposed"
    open_due(reading.db, SUNDAY + WEEK)
    mine = select(Case.data["period"].as_string()).where(
        Case.person_id == reading.person(LILEI).id, TOYS
    )
    assert reading.rows(mine) == ["2026-W50"]  # the one that opened before it was proposed


def test_who_is_done_with_a_week_is_not_asked_for_it_again(reading: House) -> None:
    open_due(reading.db, SUNDAY)
    reading.press(LILEI, "submit", LILEI, "toy_reading")

    def again(session: ClubSession) -> None:
        session.execute(
            select(Schedule).where(Schedule.rule == "toy_reading")
        ).scalar_one().next_at = SUNDAY

    reading.write(again)
    assert open_due(reading.db, SUNDAY + timedelta(hours=1)) == 0


def test_a_clock_that_ran_ahead_and_was_put_right_skips_no_week(reading: House) -> None:
    open_due(reading.db, SUNDAY + 9 * WEEK)
    reading.write(lambda session: plan_schedules(session, SUNDAY))
    assert schedule(reading).next_at == SUNDAY + WEEK


def test_of_missed_weeks_only_the_running_one_opens_and_the_others_are_recorded(
    reading: House,
) -> None:
    open_due(reading.db, SUNDAY + 3 * WEEK + timedelta(days=2))
    assert set(periods(reading)) == {"2026-W53"}
    assert (schedule(reading).not_opened, schedule(reading).next_at) == (
        ["2026-W50", "2026-W51", "2026-W52"],
        SUNDAY + 4 * WEEK,
    )


@pytest.mark.parametrize("late", [timedelta(), timedelta(days=2), timedelta(days=3)])
def test_who_came_in_mid_week_begins_with_the_next_one_however_late_this_one_opens(
    reading: House, late: timedelta
) -> None:
    reading.now = SUNDAY + timedelta(seconds=1)
    reading.bring(
        "name,email,joined\n旧人,old@qq.com,2026-03-01\n新人,new@qq.com,\n"
    )  # registered after the opening
    reading.add("mid@qq.com")  # joined after it
    open_due(reading.db, SUNDAY + late)
    first = reading.rows(
        select(Person.address)
        .join(Case, Case.person_id == Person.id)
        .where(Case.workflow == "toy_reading")
    )
    assert {LILEI, MEIMEI} <= set(first) and not {"old@qq.com", "new@qq.com", "mid@qq.com"} & set(
        first
    )
    open_due(reading.db, SUNDAY + WEEK)
    for address in ("old@qq.com", "new@qq.com", "mid@qq.com"):
        assert reading.case(address, "toy_reading").data["period"] == "2026-W51"


def test_who_came_in_before_the_opening_begins_with_it(reading: House) -> None:
    reading.now = SUNDAY - timedelta(seconds=1)
    reading.bring("name,email\n新人,new@qq.com\n")
    open_due(reading.db, SUNDAY)
    assert reading.case("new@qq.com", "toy_reading").data["period"] == "2026-W50"


def test_a_month_of_chances_begins_at_midnight_where_the_club_is(house: House) -> None:
    """In Shanghai the year is eight hours old when it begins in Greenwich; December's chance was
    December's."""
    house.add(LILEI)
    for week, due in (
        ("2026-W51", "2026-12-19T20:00+08:00"),
        ("2026-W53", "2026-12-31T23:30+08:00"),
    ):
        house.open(LILEI, "reflection", key=week, data={"period": week, "period_due": due})
        house.deliver()
        house.now = datetime.fromisoformat(due).astimezone(UTC)
        house.tick(hours=1)
        assert house.case(LILEI, "reflection").state == "overdue"
        house.press(OWNER, "excuse", LILEI, "reflection")


def test_a_club_larger_than_a_batch_is_opened_over_several_commits_nobody_twice(
    reading: House,
) -> None:
    def crowd(session: ClubSession) -> None:
        for number in range(BATCH + 3):
            add_person(session, f"a{number}@qq.com", locale="en", status="member")

    reading.write(crowd)
    members = len(reading.rows(select(Person.id).where(Person.status == "member")))
    while (
        opened := reading.db.write(openings_round, SUNDAY)
    ) == 0:  # the daily letter is due as well
        pass
    assert opened == BATCH
    assert schedule(reading).next_at == SUNDAY
    done = open_due(reading.db, SUNDAY)
    about = reading.rows(select(Case.person_id).where(Case.workflow == "toy_reading"))
    others = len(reading.rows(select(Case.id).where(~TOYS)))
    assert len(about) == len(set(about)) == BATCH + done - daily(reading) - others
    assert len(about) in (members, members - 1)
    assert schedule(reading).not_opened == []


def daily(house: House) -> int:
    return len(house.letters("club.daily"))


# The daily letter


def test_the_daily_letter_comes_once_a_day_and_only_when_something_waits(house: House) -> None:
    for day in range(3):
        house.tick(days=1 if day else 0)
    assert house.letters("club.daily") == []
    house.apply()
    house.press(LILEI, "confirm")
    for _ in range(6):
        house.tick(hours=8)
    assert [letter.created_at.hour for letter in house.letters("club.daily")] == [2, 2]


def test_after_days_without_a_mail_server_one_daily_letter_leaves(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.deliver()
    for _ in range(4):
        house.tick(days=1)
        house.deliver(DOWN)
    assert [to for name, to in house.deliver() if name == "club.daily"] == [OWNER]
    daily = [(letter.state, letter.answer) for letter in house.letters("club.daily")]
    assert daily == [("dropped", "skipped: a newer daily letter took its place")] * 3 + [
        ("sent", str(TAKEN))
    ]
    assert all(letter.settled_at for letter in house.letters("club.daily"))


def test_after_days_of_downtime_there_is_one_daily_letter(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.tick(days=5)
    house.tick()
    assert [letter.name for letter in house.letters("club.daily")] == ["club.daily"]
