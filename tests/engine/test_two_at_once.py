"""Two processes at one row at once: the second finds what the first did, and none fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engine.cases.offers import CannotOffer, offer
from engine.cases.submissions import submit_application
from engine.cases.transitions import NotAllowed, act, open_case
from engine.charter.model import shipped_charter
from engine.clock import machine_now
from engine.club.context import current_owner
from engine.declare.transition import CLOCK, Actor
from engine.scheduler.recurring import open_due
from engine.scheduler.sweep import sweep
from engine.security.encryption import Encryption
from engine.setup.first_club import AlreadyFounded, create_first_club, save_answers
from engine.storage.bulk import insert_new
from engine.storage.database import Database, enter_club
from engine.storage.models import Case, Heartbeat, Letter, Person, Rate
from engine.storage.unit_of_work import ClubSession
from mailers.queue import outbox
from tests.club import APPLICATION, LILEI, MEIMEI, OWNER, House
from tests.databases import Databases

pytestmark = pytest.mark.postgres

PROCESSES = 6


@pytest.fixture
def processes(house: House) -> Iterator[list[Database]]:
    """Each with connections and locks of its own, as in processes of their own."""
    url = house.db.url.render_as_string(hide_password=False)
    databases = [Database(url) for _ in range(PROCESSES)]
    yield databases
    for db in databases:
        db.dispose()


def at_once(processes: list[Database], do: Callable[[Database, int], Any]) -> list[Any]:
    """What each of them got: the result, or the class of what was raised."""
    barrier, found = Barrier(len(processes)), []

    def run(db: Database, number: int) -> None:
        with db.writer.connect():  # connected before the race begins
            pass
        barrier.wait()
        try:
            found.append(do(db, number))
        except Exception as trouble:
            found.append(type(trouble))

    threads = [Thread(target=run, args=(db, number)) for number, db in enumerate(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def applies(house: House, db: Database, form: str, address: str = LILEI) -> None:
    db.write(
        submit_application,
        house.club_id,
        "join",
        APPLICATION | {"email": address},
        form_id=form,
        locale="zh-CN",
        now=house.now,
        limited=True,
    )


def test_the_same_form_of_a_stranger_in_six_processes_is_one_person_and_one_case(
    house: House, processes: list[Database]
) -> None:
    assert at_once(processes, lambda db, _: applies(house, db, "form-1")) == [None] * PROCESSES
    counts = house.counts()
    assert (counts["case"], counts["person"], counts["letter"], counts["event"]) == (1, 2, 1, 1)
    with house.db.read() as session:
        counts_of_limits = session.execute(select(Rate.count)).scalars().all()
        assert set(counts_of_limits) == {1}  # the address, its mailbox, the form's token


def test_three_forms_of_one_address_are_one_case_and_the_newest_word(
    house: House, processes: list[Database]
) -> None:
    assert Counter(at_once(processes[:3], lambda db, n: applies(house, db, f"form-{n}"))) == {
        None: 3
    }
    [case] = house.rows(select(Case))
    assert [action for action, _ in house.story(case)] == ["open", "apply_again", "apply_again"]


def test_of_a_workflow_with_one_open_six_processes_open_one(
    house: House, processes: list[Database]
) -> None:
    about = house.add(LILEI)

    def open_one(db: Database, _: int) -> str:
        def unit(session: ClubSession) -> str:
            enter_club(session, house.club_id)
            person = session.get_one(Person, (house.club_id, about))
            return open_case(session, "study_plan", person, by=CLOCK, now=house.now).state

        return db.write(unit)

    assert Counter(at_once(processes, open_one)) == {"owed": 1, NotAllowed: PROCESSES - 1}
    assert len(house.rows(select(Case))) == 1


def test_a_letter_that_six_think_theirs_goes_to_the_server_once(
    house: House, processes: list[Database]
) -> None:
    house.apply()
    [claimed] = house.claim()
    lease = machine_now() + timedelta(seconds=60)
    frozen = at_once(
        processes,
        lambda db, _: (
            db.write(outbox.prepare_and_store, claimed, house.composer, house.now, lease)
            is not None
        ),
    )
    assert Counter(frozen) == {True: 1, False: PROCESSES - 1}
    assert house.letters()[0].attempts == 1


def test_each_letter_is_claimed_by_one(house: House, processes: list[Database]) -> None:
    for number in range(40):
        house.apply(f"reader{number}@qq.com", f"form-{number}")
    lease = machine_now() + timedelta(seconds=60)
    taken = at_once(processes, lambda db, _: db.write(outbox.claim, house.now, lease, 20))
    assert Counter(Counter(item for batch in taken for item in batch).values()) == {1: 40}


def test_six_that_sweep_and_open_the_day_take_each_step_once(
    house: House, processes: list[Database]
) -> None:
    readers = [f"reader{number}@qq.com" for number in range(12)]
    for number, reader in enumerate(readers):
        house.join(reader, f"form-{number}")
    house.deliver()
    house.apply(MEIMEI)
    house.press(
        MEIMEI, "confirm", MEIMEI
    )  # something waits for the owner: the daily letter has what to say
    house.now += timedelta(days=4)
    found = at_once(processes, lambda db, _: sweep(db, house.now) + open_due(db, house.now))
    assert all(isinstance(count, int) for count in found), found
    plans = house.rows(select(Case).where(Case.workflow == "study_plan"))
    assert Counter((case.state, case.version, case.trouble) for case in plans) == {
        ("overdue", 2, ""): 12
    }
    assert Counter(letter.name for letter in house.letters())["study_plan.second_chance"] == 12
    assert len(house.letters("club.daily")) == 1


def test_decisions_of_the_same_moment_are_gathered_in_one_receipt(
    house: House, processes: list[Database]
) -> None:
    readers = [f"reader{number}@qq.com" for number in range(PROCESSES)]
    for number, reader in enumerate(readers):
        house.apply(reader, f"form-{number}")
        house.press(reader, "confirm", reader)
    cases, owner = [house.case(reader).id for reader in readers], house.person(OWNER).id

    def approve(db: Database, number: int) -> str:
        def unit(session: ClubSession) -> str:
            enter_club(session, house.club_id)
            hand = Actor(session.get_one(Person, (house.club_id, owner)), "page")
            case = session.get_one(Case, (house.club_id, cases[number]))
            act(session, case, "approve", by=hand, now=house.now)
            return case.state

        return db.write(unit)

    assert at_once(processes, approve) == ["approved"] * PROCESSES
    assert house.rows(select(Letter.state).where(Letter.name == "club.receipt")) == ["queued"]


def test_a_fault_that_comes_back_at_every_try_is_told(house: House) -> None:
    tries = []

    def unit(session: ClubSession) -> None:
        tries.append(1)
        session.add(Person(address="x", address_hash=house.person(OWNER).address_hash, locale="en"))
        session.flush()

    with pytest.raises(IntegrityError):
        house.write(unit)
    assert len(tries) == (1 if house.db.is_sqlite else 20)


def test_a_key_that_is_taken_is_said(house: House) -> None:
    values = {"name": "here", "at": house.now, "data": {}}
    assert [
        house.write(lambda session: insert_new(session, Heartbeat, **values)) for _ in range(2)
    ] == [True, False]


def test_of_six_offers_of_the_club_one_is_made(house: House, processes: list[Database]) -> None:
    addresses = [f"m{number}@qq.com" for number in range(PROCESSES)]
    for number, address in enumerate(addresses):
        house.join(address, f"form-{number}")

    def offers(db: Database, number: int) -> str:
        def unit(session: ClubSession) -> None:
            enter_club(session, house.club_id)
            by = Actor(current_owner(session), "page")
            offer(session, house.club_id, "handover", addresses[number], by=by, now=house.now)

        db.write(unit)
        return "offered"

    assert Counter(at_once(processes, offers)) == {"offered": 1, CannotOffer: PROCESSES - 1}
    assert len(house.rows(select(Case.id).where(Case.workflow == "handover", Case.turn != ""))) == 1


def test_of_six_who_found_the_first_club_one_does(template: Databases) -> None:
    url = template.empty("founding")
    processes = [Database(url) for _ in range(PROCESSES)]
    processes[0].write(save_answers, "club", {}, machine_now())

    def founds(db: Database, number: int) -> str:
        club = {
            "slug": f"club-{number}",
            "name": "C",
            "owner_email": "a@qq.com",
            "owner_name": "A",
            "zone": "Asia/Shanghai",
            "locale": "en",
        }
        db.write(
            create_first_club,
            club=club,
            charter=shipped_charter("en").plain(),
            account=None,
            encryption=Encryption(["k" * 32]),
            now=machine_now(),
        )
        return "founded"

    assert Counter(at_once(processes, founds)) == {"founded": 1, AlreadyFounded: PROCESSES - 1}
    for db in processes:
        db.dispose()
