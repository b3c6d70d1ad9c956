"""The undo of a decision on an application, with all that followed; and when it is too late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.cases.erasure import erase_for_good
from engine.cases.offers import offer
from engine.cases.transitions import NotAllowed
from engine.declare.transition import Actor
from engine.storage.models import Case
from tests.club import ADMIN, LILEI, OWNER, PLAN, House
from tests.engine.test_run import refused

pytestmark = pytest.mark.postgres


def test_an_approval_can_be_taken_back_and_what_followed_falls_away(house: House) -> None:
    house.join()
    house.deliver()
    house.press(OWNER, "undo")
    assert house.story(house.case(LILEI))[-1] == ("undo", "review")
    assert house.story(house.case(LILEI, "study_plan")) == [("open", "owed"), ("void", "void")]
    person = house.person(LILEI)
    assert (person.status, person.joined_at) == ("applicant", None)
    assert sorted(house.deliver()) == [("join.please_decide", OWNER), ("join.taken_back", LILEI)]


def test_with_an_approval_taken_back_a_reading_week_that_opened_meanwhile_falls_away(
    house: House,
) -> None:
    house.join()
    house.open(
        LILEI, "reflection", data={"period_due": (house.now + timedelta(days=6)).isoformat()}
    )
    house.press(OWNER, "undo")
    assert house.story(house.case(LILEI, "reflection")) == [("open", "owed"), ("void", "void")]
    assert house.case(LILEI).state == "review"


def test_an_approval_taken_back_and_given_again_opens_a_new_plan(house: House) -> None:
    house.join()
    house.press(OWNER, "undo")
    house.press(OWNER, "approve")
    assert house.person(LILEI).status == "member"
    assert [
        case.state
        for case in house.rows(select(Case).where(Case.workflow == "study_plan").order_by(Case.id))
    ] == [
        "void",
        "owed",
    ]


@pytest.mark.parametrize(("hours", "open_"), [(23.99, True), (24, False)])
def test_the_undo_lasts_as_long_as_the_charter_says(
    house: House, hours: float, open_: bool
) -> None:
    house.join()
    house.now += timedelta(hours=hours)
    if open_:
        house.press(OWNER, "undo")
    else:
        refused(house, NotAllowed, OWNER, "undo")


def test_nobody_takes_back_what_somebody_has_acted_on(house: House) -> None:
    house.join()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    refused(house, NotAllowed, OWNER, "undo")


@pytest.mark.parametrize("erased", [False, True])
def test_of_somebody_who_left_no_decision_is_taken_back(house: House, erased: bool) -> None:
    """The case would be open again, and might end in the removal of somebody who is gone."""
    house.join()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.press(OWNER, "approve", workflow="study_plan")
    accepted = house.case(LILEI, "study_plan")
    if erased:
        house.db.write(erase_for_good, house.club_id, house.person(LILEI).id, house.now)
    else:
        house.hand_in(LILEI, "departure", {"why": "", "erase": False})
    with pytest.raises(NotAllowed):
        house.press(OWNER, "undo", case=accepted)
    assert house.rows(select(Case.id).where(Case.turn != "")) == []


def test_who_owns_the_club_by_now_is_not_made_an_applicant_again(house: House) -> None:
    """Approved anew they would be a plain member, and the club without an owner."""
    house.join()
    by = Actor(house.person(OWNER), "page")
    house.db.write(offer, house.club_id, "handover", LILEI, by=by, now=house.now)
    house.press(LILEI, "accept", workflow="handover")
    house.press(LILEI, "confirm", workflow="handover")
    refused(house, NotAllowed, OWNER, "undo")


def test_whose_approval_is_taken_back_holds_no_office(house: House) -> None:
    """They had the club for an hour."""
    house.join()
    for who, whom in ((OWNER, LILEI), (LILEI, OWNER)):
        house.db.write(
            offer,
            house.club_id,
            "handover",
            whom,
            by=Actor(house.person(who), "page"),
            now=house.now,
        )
        house.press(whom, "accept", whom, "handover")
        house.press(whom, "confirm", whom, "handover")
    assert house.person(LILEI).role == "admin"
    house.press(OWNER, "undo")
    assert (house.person(LILEI).status, house.person(LILEI).role) == ("applicant", "member")


def test_nobody_takes_back_somebody_elses_decision(house: House) -> None:
    house.join()
    house.add(ADMIN, role="admin")
    refused(house, NotAllowed, ADMIN, "undo")
    refused(house, NotAllowed, LILEI, "undo")


def test_a_refusal_is_not_taken_back_once_the_person_has_applied_again(house: House) -> None:
    """Else there would be two open applications of one person."""
    house.apply()
    house.press(LILEI, "confirm")
    house.press(OWNER, "decline", note="不了。")
    declined = house.case(LILEI)
    house.now += timedelta(hours=1)
    house.apply(form="form-2")
    with pytest.raises(NotAllowed):
        house.press(OWNER, "undo", case=declined)
    assert [case.state for case in house.rows(select(Case).order_by(Case.opened_at))] == [
        "declined",
        "unconfirmed",
    ]


def test_a_refusal_is_not_taken_back_once_the_person_is_a_member_by_another_application(
    house: House,
) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.press(OWNER, "decline", note="不了。")
    declined = house.case(LILEI)
    house.now += timedelta(hours=1)
    house.join(form="form-2")
    with pytest.raises(NotAllowed):
        house.press(OWNER, "undo", case=declined)
    assert house.person(LILEI).status == "member"
