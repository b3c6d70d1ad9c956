"""An undo leads to the state that the case came from, and to its deadline there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from engine.cases.transitions import NotAllowed, act
from engine.declare.transition import Actor
from engine.scheduler.pause import pause, resume
from engine.storage.models import Case, Event, Person
from engine.storage.unit_of_work import ClubSession
from tests.club import ADMIN, LILEI, OWNER, PLAN, House
from tests.databases import databases

READ = {"book": "边城", "author": "沈从文", "reflection": "翠翠一直在等。", "share": True}
SATURDAY_EVENING = datetime(2026, 12, 5, 12, tzinfo=UTC)  # 20:00 in Shanghai


@pytest.fixture
def house() -> Iterator[House]:
    house = House(databases("sqlite"))
    yield house
    house.end()


@pytest.fixture
def reading(house: House) -> House:
    """Monday, 10:00: this week's reflection is open until Saturday evening."""
    house.add(LILEI, "李雷")
    house.open(
        LILEI, "reflection", data={"period": "2026-W49", "period_due": SATURDAY_EVENING.isoformat()}
    )
    house.deliver()
    return house


def days_of(house: House) -> list[tuple[str, datetime | None]]:
    case = house.case(LILEI, "reflection")
    return [(case.state, case.due_at)]


def decide(house: House, action: str, **given: object) -> None:
    house.press(OWNER, action, workflow="reflection", **given)


def declined(house: House, note: str = "请写你自己的。") -> None:
    """What came in is declined once the time for it is over."""
    due = house.case(LILEI, "reflection").due_at
    assert due is not None
    house.press(LILEI, "submit", workflow="reflection", answers=READ)
    house.deliver()
    house.now = max(house.now, due)
    decide(house, "decline", note=note)


def midnight(day: int) -> datetime:
    """24:00 of that day of December, in Shanghai."""
    return datetime(2026, 12, day, 16, tzinfo=UTC)


def test_an_excuse_taken_back_leaves_everything_as_it_was(reading: House) -> None:
    decide(reading, "excuse")
    reading.deliver()
    reading.now += timedelta(hours=20)
    decide(reading, "undo")
    assert days_of(reading) == [("owed", SATURDAY_EVENING)]
    assert sorted(reading.deliver()) == [
        ("reflection.please_read", LILEI)
    ]  # one letter says it; the receipt comes later
    assert reading.story(reading.case(LILEI, "reflection")) == [
        ("open", "owed"),
        ("excuse", "let_off"),
        ("undo", "owed"),
    ]


def test_it_leads_back_to_the_big_book_and_to_its_due_time(reading: House) -> None:
    reading.press(
        LILEI, "choose", workflow="reflection", answers={"book": "战争与和平", "big": True}
    )
    decide(reading, "excuse")
    decide(reading, "undo")
    assert days_of(reading) == [("long_owed", SATURDAY_EVENING + timedelta(days=3))]


def test_nobody_is_caught_by_a_due_time_that_passed_or_is_near(reading: House) -> None:
    """Saturday 19:00 excused, 21:00 taken back: until the end of Sunday, one day's warning as
    everywhere."""
    reading.now = SATURDAY_EVENING - timedelta(hours=1)
    decide(reading, "excuse")
    reading.now += timedelta(hours=2)
    decide(reading, "undo")
    assert days_of(reading) == [("owed", midnight(6))]


def test_where_the_mail_about_it_leaves_late_there_is_still_a_day(reading: House) -> None:
    """Entered after the moment of the calendar that it was due: no span of its own to move by."""
    reading.now = SATURDAY_EVENING - timedelta(hours=1)
    decide(reading, "excuse")
    reading.now += timedelta(hours=2)
    decide(reading, "undo")
    reading.now += timedelta(days=2)  # the mail server was down
    reading.deliver()
    assert days_of(reading) == [("owed", reading.now + timedelta(days=1))]


def test_a_second_chance_stays_the_one_that_it_was(reading: House) -> None:
    """An excuse, more time, and both taken back: no chance is given or gained by it."""
    declined(reading)
    due = midnight(7)
    assert days_of(reading) == [("overdue", due)]
    decide(reading, "excuse")
    decide(reading, "undo")
    decide(reading, "extend", days=3)
    assert days_of(reading) == [("overdue", due + timedelta(days=3))]
    decide(reading, "undo")
    assert days_of(reading) == [("overdue", due)]
    declined(reading, note="还是抄来的。")
    assert reading.case(LILEI, "reflection").state == "removal_proposed"


def test_an_excuse_taken_back_is_no_chance_given() -> None:
    """Of two second chances one was given before, and one is still left after."""
    house = House(databases("sqlite"), numbers={"second_chances": 2})
    house.add(LILEI, "李雷")
    house.open(
        LILEI, "reflection", data={"period": "2026-W49", "period_due": SATURDAY_EVENING.isoformat()}
    )
    for action in ("decline", "excuse", "undo", "decline"):
        if action == "decline":
            declined(house)
        else:
            decide(house, action)
    assert house.case(LILEI, "reflection").state == "overdue"
    house.end()


def test_a_refusal_that_led_to_a_proposal_is_taken_back_as_well(reading: House) -> None:
    for _ in range(2):
        declined(reading)
    reading.deliver()
    assert reading.case(LILEI, "reflection").state == "removal_proposed"
    decide(reading, "undo")
    assert reading.case(LILEI, "reflection").state == "review"
    assert reading.deliver() == [("reflection.taken_back", LILEI)]


def test_more_time_taken_back_opens_the_proposal_again_in_one_letter(reading: House) -> None:
    reading.live(until=SATURDAY_EVENING + timedelta(days=4), hours=6)
    proposed = reading.case(LILEI, "reflection")
    assert proposed.state == "removal_proposed"
    decide(reading, "extend", days=3)
    reading.deliver()
    decide(reading, "undo")
    assert days_of(reading) == [("removal_proposed", proposed.due_at)]
    assert sorted(reading.deliver()) == [
        ("reflection.please_decide_removal", OWNER),
        ("reflection.removal_proposed", LILEI),
    ]


def test_taking_back_is_no_decision_that_could_be_taken_back(reading: House) -> None:
    declined(reading)
    decide(reading, "excuse")
    decide(reading, "undo")
    with pytest.raises(NotAllowed):
        decide(reading, "undo")


def test_what_the_owner_does_in_a_members_name_is_not_the_owners_to_take_back(
    reading: House,
) -> None:
    reading.press(LILEI, "submit", workflow="reflection", answers=READ)
    decide(reading, "approve")
    case, owner = reading.case(LILEI, "reflection"), reading.person(OWNER).id

    def in_their_name(session: ClubSession) -> None:
        hand = Actor(
            session.get_one(Person, (reading.club_id, owner)),
            "page",
            session.get_one(Person, (reading.club_id, case.person_id)),
        )
        act(
            session,
            session.get_one(Case, (reading.club_id, case.id)),
            "retract",
            by=hand,
            now=reading.now,
        )

    reading.write(in_their_name)
    with pytest.raises(NotAllowed):
        decide(reading, "undo")
    assert reading.case(LILEI, "reflection").state == "accepted"


def test_only_who_excused_takes_it_back_and_only_for_a_day(reading: House) -> None:
    reading.add(ADMIN, "小助", role="admin")
    decide(reading, "excuse")
    for who, hours in ((ADMIN, 0), (LILEI, 0), (OWNER, 24)):
        reading.now += timedelta(hours=hours)
        with pytest.raises(NotAllowed):
            reading.press(who, "undo", workflow="reflection")


def test_an_excuse_stands_once_the_next_week_has_opened(reading: House) -> None:
    reading.now = SATURDAY_EVENING
    decide(reading, "excuse")
    excused = reading.case(LILEI, "reflection")
    reading.tick(hours=13)  # Sunday
    assert reading.case(LILEI, "reflection").id != excused.id
    with pytest.raises(NotAllowed):
        reading.press(OWNER, "undo", case=excused)


def test_in_a_club_that_rests_it_waits_like_everything_else(reading: House) -> None:
    decide(reading, "excuse")
    reading.db.write(pause, reading.club_id, reading.now)
    reading.now += timedelta(hours=10)
    decide(reading, "undo")
    assert reading.case(LILEI, "reflection").wake_at is None
    reading.now += timedelta(days=3)
    reading.db.write(resume, reading.club_id, reading.now)
    assert days_of(reading) == [("owed", SATURDAY_EVENING + timedelta(days=3))]


def test_a_decision_from_before_this_was_kept_gets_its_time_anew(house: House) -> None:
    house.join()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.press(OWNER, "approve", workflow="study_plan")
    house.write(
        lambda session: session.execute(
            update(Event).where(Event.action == "approve").values(answers={})
        )
    )
    house.now += timedelta(hours=20)  # Tuesday
    house.press(OWNER, "undo", workflow="study_plan")
    assert house.case(LILEI, "study_plan").due_at == midnight(8)
