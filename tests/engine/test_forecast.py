"""The days ahead: the forecast is what happens if no one acts, and it changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from engine.reports.forecast import forecast_letters, letter_changes, with_charter
from engine.reports.sandbox import sandbox
from engine.scheduler.schedules import plan_schedules
from engine.setup.club_admin import apply_charter
from engine.storage.models import Case, Club, Letter, Person, Schedule
from tests.club import LILEI, MEIMEI, OWNER, PLAN, House
from tests.engine import toys

pytestmark = pytest.mark.postgres

DAYS = 40


def next_moment(house: House) -> datetime | None:
    """When something wants to be done next: a case, a schedule, a letter."""
    moments = [
        *house.rows(select(Case.wake_at).where(Case.wake_at.is_not(None))),
        *house.rows(select(Schedule.next_at)),
        *house.rows(select(Letter.next_at).where(Letter.state == "queued")),
    ]
    return min(moments, default=None)


def lived(house: House, until: datetime) -> list[tuple[datetime, str, int | None]]:
    """Let the clock go from moment to moment; nobody acts, the post works."""
    known = {letter.id for letter in house.letters() if letter.state != "queued"}
    while (moment := next_moment(house)) is not None and moment <= until:
        house.now = max(house.now, moment)
        house.tick()
        house.deliver()
    fresh: list[Letter] = [
        letter for letter in house.letters() if letter.id not in known and letter.state == "sent"
    ]
    return sorted((letter.next_at, letter.name, letter.person_id) for letter in fresh)


def stories(house: House) -> None:
    house.join()
    house.apply(MEIMEI, "form-2", name="韩梅梅")
    house.press(MEIMEI, "confirm", MEIMEI)
    house.deliver()
    house.now += timedelta(hours=5)
    house.apply("wang@gmail.com", "form-3")


def test_what_is_foreseen_is_what_happens(house: House) -> None:
    stories(house)
    until = house.now + timedelta(days=DAYS)
    foreseen = sorted(
        (item.at, item.letter, item.person_id)
        for item in forecast_letters(house.db, house.club_id, house.now, until)
    )
    assert foreseen == lived(house, until)
    assert {name for _, name, _ in foreseen} >= {
        "study_plan.second_chance",
        "study_plan.removal_proposed",
        "join.lapsed",
        "club.daily",
        "study_plan.not_pursued",
    }


def test_it_says_why_and_to_whom(house: House) -> None:
    house.join()
    house.deliver()
    found = forecast_letters(house.db, house.club_id, house.now, house.now + timedelta(days=4))
    soon = [item for item in found if item.letter == "study_plan.due_soon"]
    assert [(item.to, item.address, item.state, item.clause) for item in soon] == [
        ("李雷", LILEI, "owed", "3.1")
    ] * 2


def test_looking_ahead_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    toys.declared(monkeypatch, toys.reading())
    stories(house)
    house.write(lambda session: plan_schedules(session, house.now))
    before = house.counts(), house.letter_states(), house.story(house.case(LILEI, "study_plan"))
    forecast_letters(house.db, house.club_id, house.now, house.now + timedelta(days=DAYS))
    assert (
        house.counts(),
        house.letter_states(),
        house.story(house.case(LILEI, "study_plan")),
    ) == before


def test_a_calendar_is_foreseen_week_by_week(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    toys.declared(monkeypatch, toys.reading())
    house.add(LILEI, "李雷")
    house.write(lambda session: plan_schedules(session, house.now))
    found = forecast_letters(house.db, house.club_id, house.now, house.now + timedelta(weeks=2))
    weeks = [
        item.at.date().isoformat()
        for item in found
        if item.letter == "toy_reading.please_read" and item.to == "李雷"
    ]
    assert weeks == ["2026-12-06", "2026-12-13"]


def test_what_somebody_has_done_already_is_not_foreseen(house: House) -> None:
    house.join()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.press(OWNER, "approve", workflow="study_plan")
    house.deliver()
    found = forecast_letters(house.db, house.club_id, house.now, house.now + timedelta(days=DAYS))
    mine = [item.letter for item in found if item.person_id == house.person(LILEI).id]
    assert [letter for letter in mine if letter.startswith(("join.", "study_plan."))] == []


def test_nobody_who_writes_waits_for_a_look_ahead(house: House) -> None:
    stories(house)
    with sandbox(house.db, house.club_id) as session:
        session.execute(update(Person).values(name="of the rehearsal"))
        house.add("new@qq.com", "新人")
        assert set(session.execute(select(Person.name)).scalars()) == {"of the rehearsal"}
    assert {person.name for person in house.rows(select(Person))} >= {"新人", "李雷"}


def test_a_rehearsal_sees_one_club_only(house: House) -> None:
    house.join()
    other = house.found(slug="other", owner_email="other@qq.com")
    with sandbox(house.db, other) as session:
        assert [
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (Club, Person, Case)
        ] == [
            1,
            1,
            0,
        ]


def test_another_charter_is_foreseen_as_it_would_come(house: House) -> None:
    """What saving it would bring, letter by letter; what was parsed of it on the way is nobody
    else's."""
    house.add(LILEI, "李雷")
    house.join(MEIMEI, "form-2")
    house.deliver()
    charter = house.rows(select(Club.charter))[0]
    later = charter | {
        "numbers": charter["numbers"] | {"remind_before": "2 days", "week_opens": "monday 08:00"}
    }
    now, until = house.now, house.now + timedelta(days=14)
    before = forecast_letters(house.db, house.club_id, now, until)
    after = forecast_letters(
        house.db,
        house.club_id,
        now,
        until,
        change=lambda session: with_charter(session, house.club_id, later, now),
    )
    house.db.write(apply_charter, house.club_id, later, now)
    assert sorted((item.at, item.letter, item.person_id) for item in after) == lived(house, until)
    found = [
        (item.letter, item.before, item.after)
        for item in letter_changes(before, after)
        if item.to == "李雷"
    ]
    opening = datetime(2026, 12, 6, tzinfo=UTC)
    assert ("reflection.please_read", opening, opening + timedelta(days=1)) in found
    assert letter_changes(before, before) == []
