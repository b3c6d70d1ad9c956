"""Drafts: kept as they are, for one person, and gone when their time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.cases.drafts import (
    KEPT,
    delete_draft,
    draft_of,
    drafts_of,
    forget_old_drafts,
    form_of,
    keep_draft,
)
from engine.cases.erasure import erase_for_good
from engine.storage.models import Draft, Person
from tests.club import LILEI, MEIMEI, OWNER, PLAN, House

pytestmark = pytest.mark.postgres


def keep(house: House, who: str, form: str, **answers: object) -> None:
    author = house.person(who).id
    house.write(
        lambda session: keep_draft(
            session, session.get_one(Person, (house.club_id, author)), form, answers, house.now
        )
    )


def kept(house: House) -> dict[tuple[str, str], dict[str, object]]:
    names = {person.id: person.address for person in house.rows(select(Person))}
    return {
        (str(names[draft.person_id]), draft.form): draft.answers
        for draft in house.rows(select(Draft))
    }


def test_the_newest_text_replaces_the_one_before_and_each_form_has_its_own(house: House) -> None:
    for address in (LILEI, MEIMEI):
        house.add(address)
        keep(house, address, "case:1", goals="读史", plan="")
    keep(house, LILEI, "form:2", why="想")
    house.now += timedelta(hours=1)
    keep(house, LILEI, "case:1", goals="读二十本史书", plan="每天")
    lilei = house.person(LILEI)
    with house.read() as session:
        mine = drafts_of(session, lilei)
        assert {form: (draft.answers, draft.at) for form, draft in mine.items()} == {
            "case:1": ({"goals": "读二十本史书", "plan": "每天"}, house.now),
            "form:2": ({"why": "想"}, house.now - timedelta(hours=1)),
        }
    house.write(delete_draft, lilei, "case:1")
    with house.read() as session:
        assert draft_of(session, lilei, "case:1") is None
    assert kept(house) == {
        (LILEI, "form:2"): {"why": "想"},
        (MEIMEI, "case:1"): {"goals": "读史", "plan": ""},
    }


def test_housekeeping_takes_what_is_old_what_has_ended_and_what_belongs_to_nobody_any_more(
    house: House,
) -> None:
    house.join()
    house.add(MEIMEI)
    matter = form_of("case", house.case(LILEI, "study_plan").id)
    keep(house, LILEI, matter, goals="读史")
    keep(house, LILEI, "form:1", why="自荐")
    keep(house, MEIMEI, "form:1", why="自荐")
    house.db.write(forget_old_drafts, house.now)
    assert set(kept(house)) == {(LILEI, matter), (LILEI, "form:1"), (MEIMEI, "form:1")}
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.press(OWNER, "approve", workflow="study_plan")
    house.db.write(forget_old_drafts, house.now)
    assert set(kept(house)) == {(LILEI, "form:1"), (MEIMEI, "form:1")}
    house.hand_in(MEIMEI, "departure", {"why": "", "erase": False})
    house.db.write(forget_old_drafts, house.now)
    assert set(kept(house)) == {(LILEI, "form:1")}
    house.db.write(forget_old_drafts, house.now + KEPT)
    assert set(kept(house)) == {(LILEI, "form:1")}
    house.db.write(forget_old_drafts, house.now + KEPT + timedelta(seconds=1))
    assert kept(house) == {}


def test_erasure_takes_drafts_along(house: House) -> None:
    for address in (LILEI, MEIMEI):
        house.add(address)
        keep(house, address, "form:1", why="自荐")
    house.db.write(erase_for_good, house.club_id, house.person(LILEI).id, house.now)
    assert kept(house) == {(MEIMEI, "form:1"): {"why": "自荐"}}
