"""Declined cases are kept for the charter's days and then emptied, by each club's charter."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.scheduler.sweep import forget_old
from engine.storage.models import Case, Letter, Person
from tests.club import LILEI, MEIMEI, MONDAY, OWNER, House

pytestmark = pytest.mark.postgres


def test_what_was_declined_is_emptied_after_the_charters_days_and_its_person_with_it(
    house: House,
) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.press(OWNER, "decline", note="不了。")
    house.deliver()
    assert house.db.write(forget_old, MONDAY + timedelta(days=180)) == 0
    assert house.db.write(forget_old, MONDAY + timedelta(days=180, seconds=1)) == 1
    case = house.rows(select(Case))[0]
    person = house.rows(select(Person).where(Person.role != "owner"))[0]
    assert (case.answers, case.state) == ({}, "declined")
    assert [(event.note, event.answers) for event in house.events(case)] == [("", {})] * 3
    assert (person.status, person.address, person.address_hash, person.name) == (
        "erased",
        None,
        None,
        "",
    )
    assert [
        letter.bytes for letter in house.rows(select(Letter).where(Letter.case_id == case.id))
    ] == [None] * 3


def test_what_was_emptied_long_ago_does_not_keep_the_rest_from_being_emptied(house: House) -> None:
    for number in range(3):
        address = (LILEI, MEIMEI, "wang@gmail.com")[number]
        house.apply(address, f"form-{number}")
        house.press(address, "confirm", address)
        house.press(OWNER, "decline", address, note="不了。")
        house.now += timedelta(hours=1)
    later = MONDAY + timedelta(days=200)
    assert sum(house.db.write(forget_old, later, 1) for _ in range(3)) == 3
    assert house.rows(select(Case.answers)) == [{}, {}, {}]


def test_a_club_that_keeps_its_papers_long_does_not_keep_another_from_forgetting(
    house: House,
) -> None:
    """Each round looks at one case only: the oldest is the long-keeping club's."""

    def decline() -> None:
        house.apply()
        house.press(LILEI, "confirm")
        house.press(OWNER, "decline", note="不了。")
        house.now += timedelta(hours=1)

    short, house.club_id = (
        house.club_id,
        house.found(slug="archive", numbers={"application_days": 366}),
    )
    decline()
    house.club_id = short
    decline()
    later = MONDAY + timedelta(days=200)
    assert [house.db.write(forget_old, later, 1) for _ in range(2)] == [1, 0]
    assert house.rows(select(Case.answers)) == [{}]
