"""Submissions by the open form: they tell no one who is a member, and none comes in twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.cases.submissions import send_form_link, send_sign_in
from engine.cases.transitions import NotAllowed
from engine.security.rate_limits import TooManyMails
from engine.storage.models import Case, Person
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, House

pytestmark = pytest.mark.postgres

NOMINATION = {"why": "我愿意多做一点。", "plan": "每周四主持讨论。"}


def test_an_unknown_address_becomes_an_applicant_with_one_case_and_one_mail(house: House) -> None:
    house.apply()
    case, person = house.case(LILEI), house.person(LILEI)
    assert (case.state, person.status, person.role) == ("unconfirmed", "applicant", "member")
    assert house.deliver() == [("join.confirm_address", LILEI)]


def test_the_same_form_twice_is_one_case_and_one_mail(house: House) -> None:
    house.apply()
    before = house.counts()
    house.apply()
    assert house.counts() == before
    house.join(MEIMEI, "form-2")
    before = house.counts()
    house.apply(MEIMEI, "form-2")
    assert house.counts() == before, "also long after"


def test_the_same_form_with_a_corrected_address_reaches_the_right_person(house: House) -> None:
    """Somebody mistyped, pressed back, corrected the address and sent the same form again."""
    house.apply("lilie@qq.com")
    house.apply(LILEI)
    assert house.deliver() == [
        ("join.confirm_address", "lilie@qq.com"),
        ("join.confirm_address", LILEI),
    ]


def test_the_same_form_after_it_was_forgotten_is_taken(house: House) -> None:
    """A phone kept the page open for a week and sends it once more."""
    house.apply()
    house.deliver()
    house.tick(days=5)
    assert house.rows(select(Case.state)) == ["forgotten"]
    house.apply()
    assert house.deliver() == [("join.confirm_address", LILEI)]


def test_applying_again_while_unconfirmed_is_a_new_round_with_the_new_words_and_a_new_mail(
    house: House,
) -> None:
    house.apply()
    house.deliver()
    house.now += timedelta(hours=1)
    house.apply(form="form-2", city="荆州")
    case = house.case(LILEI)
    assert (house.story(case), case.entered_version, case.answers["city"]) == (
        [("open", "unconfirmed"), ("apply_again", "unconfirmed")],
        2,
        "荆州",
    )
    assert house.deliver() == [("join.confirm_address", LILEI)]
    before = house.counts()
    house.apply(form="form-1")
    house.apply(form="form-2")
    assert house.counts() == before


def test_applying_again_while_it_waits_changes_nothing_and_says_so(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.deliver()
    house.apply(form="form-2", city="荆州")
    assert (house.case(LILEI).version, house.case(LILEI).answers["city"]) == (2, "武汉")
    assert house.deliver() == [("join.already_waiting", LILEI)]


def test_a_member_hears_that_they_are_one(house: House) -> None:
    house.join()
    house.deliver()
    before = house.counts()["case"]
    house.apply(form="form-2")
    assert house.deliver() == [("join.already_member", LILEI)]
    assert house.counts()["case"] == before


def test_who_refused_mail_hears_nothing(house: House) -> None:
    house.add(LILEI, status="refused_mail")
    before = house.counts()
    house.apply()
    assert house.counts() == before


def test_somebody_removed_may_apply_again_and_keeps_the_record(house: House) -> None:
    house.join()
    house.live(until=house.now + timedelta(days=7), hours=6)
    house.press(OWNER, "remove", workflow="study_plan", note="两次都没有收到。")
    person = house.person(LILEI)
    house.now += timedelta(days=1)
    house.join(form="form-2")
    again = house.person(LILEI)
    assert (again.id, again.status, again.removed_at) == (person.id, "member", person.removed_at)
    assert house.case(LILEI, "study_plan").state == "owed"


def test_an_address_gets_three_mails_a_day_at_most(house: House) -> None:
    for number in range(3):
        house.apply(form=f"form-{number}", limited=True)
    for number in range(3, 6):
        with pytest.raises(TooManyMails):
            house.apply(form=f"form-{number}", limited=True)
    house.apply(MEIMEI, "form-9", limited=True)
    assert [letter.name for letter in house.letters()] == ["join.confirm_address"] * 4
    assert house.case(LILEI).version == 3


def test_a_form_link_and_a_sign_in_go_to_members_only(house: House) -> None:
    house.join()
    house.apply(MEIMEI, "form-2")
    house.deliver()
    for address in (LILEI, MEIMEI, "nobody@qq.com"):
        house.db.write(
            send_form_link,
            house.club_id,
            "study_plan",
            address,
            request_id=f"form of {address}",
            now=house.now,
        )
        house.db.write(
            send_sign_in,
            house.club_id,
            address,
            request_id=f"sign-in of {address}",
            now=house.now,
        )
    assert house.deliver() == [("study_plan.your_link", LILEI), ("club.sign_in", LILEI)]
    assert house.rows(select(Person.status).where(Person.address == MEIMEI)) == ["applicant"]


def test_a_member_stands_for_admin_once_at_a_time_and_officers_do_not(house: House) -> None:
    house.add(LILEI)
    house.add(ADMIN, role="admin")
    house.hand_in(LILEI, "nomination", NOMINATION, "form-1")
    house.hand_in(LILEI, "nomination", NOMINATION, "form-1")
    for who in (LILEI, ADMIN, OWNER):
        with pytest.raises(NotAllowed):
            house.hand_in(who, "nomination", NOMINATION, "form-2")
    assert [(case.person_id, case.state) for case in house.rows(select(Case))] == [
        (house.person(LILEI).id, "review")
    ]
