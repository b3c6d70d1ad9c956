"""A unit's session: what it sees, what it has to write, and in which order it is written."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from engine.cases.transitions import act
from engine.club.history import history
from engine.declare.transition import CLOCK
from engine.storage.models import Case, Letter, Person
from engine.storage.unit_of_work import ALL_CLUBS, ClubSession, OutsideClub
from tests.club import LILEI, House


def plan(house: House, session: ClubSession) -> Case:
    return session.get_one(Case, (house.club_id, house.case(LILEI, "study_plan").id))


def test_a_letter_is_seen_by_a_query_of_the_unit_that_queued_it(house: House) -> None:
    house.join()

    def unit(session: ClubSession) -> list[tuple[str, str]]:
        act(session, plan(house, session), "due", by=CLOCK, now=house.now)
        found = session.execute(
            select(Letter.name, Letter.state).where(Letter.name == "study_plan.second_chance")
        )
        return [(name, state) for name, state in found]

    assert house.write(unit) == [("study_plan.second_chance", "queued")]


def test_letters_and_events_that_a_savepoint_takes_back_are_never_written(house: House) -> None:
    house.join()
    before = house.counts()
    woken: list[int] = []
    house.db.on_letters = woken.append

    def unit(session: ClubSession) -> None:
        savepoint = session.begin_nested()
        act(session, plan(house, session), "due", by=CLOCK, now=house.now)
        savepoint.rollback()

    house.write(unit)
    assert house.counts() == before
    assert woken == []


def test_what_was_queued_before_a_savepoint_outlives_it(house: House) -> None:
    house.join()

    def unit(session: ClubSession) -> None:
        act(session, plan(house, session), "due", by=CLOCK, now=house.now)
        session.begin_nested().rollback()

    house.write(unit)
    assert [letter.state for letter in house.letters("study_plan.second_chance")] == ["queued"]
    assert house.story(house.case(LILEI, "study_plan")) == [("open", "owed"), ("due", "overdue")]


def test_a_history_that_was_read_in_a_savepoint_is_read_again_after_its_end(house: House) -> None:
    house.join()

    def unit(session: ClubSession) -> list[str]:
        savepoint = session.begin_nested()
        act(session, plan(house, session), "due", by=CLOCK, now=house.now)
        session.flush()
        assert [entry.action for entry in history(session, plan(house, session))] == ["open", "due"]
        savepoint.rollback()
        act(session, plan(house, session), "postponed", by=CLOCK, now=house.now)
        session.flush()
        return [entry.action for entry in history(session, plan(house, session))]

    assert house.write(unit) == ["open", "postponed"]


def test_a_unit_that_reads_all_clubs_writes_no_row_without_saying_in_which(house: House) -> None:
    def unit(session: ClubSession) -> None:
        session.scope = ALL_CLUBS
        session.add(Person(address="x@qq.com", address_hash="x", locale="en"))
        session.flush()

    with pytest.raises(OutsideClub):
        house.db.write(unit)


def test_two_sessions_know_nothing_of_each_other(house: House) -> None:
    with house.db.read(house.club_id) as one, house.db.read() as other:
        assert (one.scope, other.scope) == (house.club_id, None)
        assert one.unit is not other.unit
        with pytest.raises(OutsideClub):
            other.execute(select(Person))
        assert other.execute(text("SELECT 1")).scalar_one() == 1
