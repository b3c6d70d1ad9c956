"""A person leaves while another one opens a case of theirs.

On PostgreSQL: on SQLite writers come one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Thread

import pytest
from sqlalchemy import select, text

from engine.cases.erasure import erase_for_good
from engine.cases.offers import CannotOffer, offer
from engine.cases.submissions import submit_by_member
from engine.cases.transitions import NotAllowed, act
from engine.declare.registry import workflow
from engine.declare.roles import Proof
from engine.declare.transition import Actor
from engine.scheduler.recurring import open_due
from engine.storage.database import Database, enter_club
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession
from tests.club import LILEI, OWNER, PLAN, House
from tests.databases import databases

SUNDAY = datetime(2026, 12, 6, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai: the week opens


@pytest.fixture
def house() -> Iterator[House]:
    made = House(databases("postgresql"), "leaving")
    made.join()
    made.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    made.press(OWNER, "approve", workflow="study_plan")
    yield made
    made.end()


def departs(session: ClubSession, house: House) -> None:
    person = session.get_one(Person, (house.club_id, house.person(LILEI).id))
    answers = {"why": "", "erase": False}
    submit_by_member(
        session,
        person,
        workflow("departure"),
        answers,
        by=Actor(person, "page", proof=Proof.NOW),
        form_id="d",
        now=house.now,
    )


def is_erased(session: ClubSession, house: House) -> None:
    erase_for_good(session, house.club_id, house.person(LILEI).id, house.now)


def the_week_opens(db: Database, house: House) -> None:
    house.now = SUNDAY
    open_due(db, house.now)


def the_owner_undoes(db: Database, house: House) -> None:
    plan, owner = house.case(LILEI, "study_plan").id, house.person(OWNER).id

    def unit(session: ClubSession) -> None:
        enter_club(session, house.club_id)
        hand = Actor(session.get_one(Person, (house.club_id, owner)), "page")
        act(session, session.get_one(Case, (house.club_id, plan)), "undo", by=hand, now=house.now)

    with pytest.raises(NotAllowed):
        db.write(unit)


def the_club_is_offered(db: Database, house: House) -> None:
    with pytest.raises(CannotOffer):
        db.write(offer, house.club_id, "handover", LILEI, by=Actor(None, "command"), now=house.now)


@pytest.mark.parametrize("leaves", [departs, is_erased])
@pytest.mark.parametrize("opens", [the_week_opens, the_owner_undoes, the_club_is_offered])
def test_whoever_leaves_leaves_nothing_open(
    house: House,
    leaves: Callable[[ClubSession, House], None],
    opens: Callable[[Database, House], None],
) -> None:
    other, failed = Database(house.db.url.render_as_string(hide_password=False)), []

    def run() -> None:
        try:
            opens(other, house)
        except BaseException as trouble:
            failed.append(trouble)

    def unit(session: ClubSession) -> Thread:
        leaves(session, house)
        session.flush()
        thread = Thread(target=run)
        thread.start()
        wait_until_blocked(house, thread)
        return thread

    house.write(unit).join()
    other.dispose()
    assert failed == []
    assert house.rows(select(Case.workflow).where(Case.turn != "")) == []


def wait_until_blocked(house: House, thread: Thread) -> None:
    """Or done: then it did not have to wait."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while thread.is_alive():
        with house.db.reader.connect() as connection:
            if connection.execute(blocked).scalar_one():
                return
