"""Events are written with their case: never before it, without it, or after a rollback."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.cases.transitions import act
from engine.club.context import current_officers, forget_officers
from engine.declare.transition import CLOCK
from engine.declare.workflow import (
    State,
    Workflow,
    ask,
    charter,
    due,
    end_of_day,
    final,
    form,
    members,
    owner,
)
from engine.storage.models import Case, Event, Person
from engine.storage.unit_of_work import ClubSession
from tests.club import LILEI, OWNER, House
from tests.engine import toys

pytestmark = pytest.mark.postgres


def writing_early() -> type[Workflow]:
    class ToyWritingEarly(Workflow):
        label, clause = "Early", "1.1"
        opens = form("early", members)
        begun = State(
            owner,
            ask("decide"),
            due(end_of_day(charter.plan_days), to="over"),
            do=lambda step: step.session.flush(),
        )
        over = final()

    return ToyWritingEarly


def plan(house: House, session: ClubSession) -> Case:
    return session.get_one(Case, (house.club_id, house.case(LILEI, "study_plan").id))


def actions(case: Case) -> object:
    return select(Event.action).where(Event.case_id == case.id).order_by(Event.version)


def test_a_query_in_the_same_unit_finds_what_happened(house: House) -> None:
    house.join()

    def unit(session: ClubSession) -> list[str]:
        case = plan(house, session)
        act(session, case, "due", by=CLOCK, now=house.now)
        return list(session.execute(actions(case)).scalars())

    assert house.write(unit) == ["open", "due"]


def test_what_happened_is_kept_where_the_case_was_written_before_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = writing_early()
    toys.declared(monkeypatch, toy)
    house.join()
    house.open(LILEI, toy.key)
    assert house.rows(actions(house.case(LILEI, toy.key))) == ["open"]


def test_what_a_savepoint_takes_back_never_happened(house: House) -> None:
    house.join()

    def unit(session: ClubSession) -> None:
        case, savepoint = plan(house, session), session.begin_nested()
        act(session, case, "due", by=CLOCK, now=house.now)
        savepoint.rollback()
        act(session, case, "postponed", by=CLOCK, now=house.now)

    house.write(unit)
    assert house.rows(actions(house.case(LILEI, "study_plan"))) == ["open", "postponed"]


def test_who_left_an_office_in_a_savepoint_that_is_taken_back_holds_it(house: House) -> None:
    admin = house.add("admin@qq.com", "林涛", role="admin")

    def unit(session: ClubSession) -> list[str | None]:
        savepoint = session.begin_nested()
        session.get_one(Person, (house.club_id, admin)).role = "member"
        forget_officers(session)
        current_officers(session)
        savepoint.rollback()
        return [officer.address for officer in current_officers(session)]

    assert house.write(unit) == [OWNER, "admin@qq.com"]
