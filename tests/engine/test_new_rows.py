"""New people and cases are inserted beside the ORM's flush: afterwards they are rows as any others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import inspect, select

from engine.cases.transitions import open_case
from engine.club.people import add_person
from engine.declare.transition import Actor
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession
from tests.club import House

pytestmark = pytest.mark.postgres

TANG = "tang@qq.com"


def values(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in inspect(row).mapper.column_attrs}


def apply(house: House, session: ClubSession) -> Case:
    person = add_person(session, TANG, locale="zh-CN", name="糖糖")
    return open_case(session, "join", person, by=Actor(person, "page"), now=house.now)


def test_a_new_row_holds_in_memory_what_it_holds_in_the_database(house: House) -> None:
    def unit(session: ClubSession) -> list[dict[str, Any]]:
        case = apply(house, session)
        session.flush()
        made = [values(case.person), values(case)]
        session.expire_all()
        return [*made, values(case.person), values(case)]

    person, case, person_read, case_read = house.write(unit)
    assert (person, case) == (person_read, case_read)
    assert (
        person["version"],
        person["role"],
        person["link_epoch"],
        case["trouble"],
        case["due_at"] is None,
    ) == (
        1,
        "member",
        1,
        "",
        False,
    )


def test_a_new_row_may_change_in_the_unit_that_made_it(house: House) -> None:
    def unit(session: ClubSession) -> None:
        case = apply(house, session)
        session.flush()
        case.person.name = "唐糖"

    house.write(unit)
    assert house.rows(select(Person.name).where(Person.address == TANG)) == ["唐糖"]


def test_what_a_savepoint_takes_back_may_be_made_again(house: House) -> None:
    def unit(session: ClubSession) -> None:
        savepoint = session.begin_nested()
        apply(house, session)
        session.flush()
        savepoint.rollback()
        apply(house, session)

    house.write(unit)
    assert house.rows(select(Case.workflow).join(Case.person).where(Person.address == TANG)) == [
        "join"
    ]
