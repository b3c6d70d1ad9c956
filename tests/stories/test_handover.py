"""The owner's actions on the whole club: the handover, the pause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.storage.models import Case, Club, Person
from tests.world import World

PAGE = "/jiuniu/desk/club"
OWNER, LILEI, MEIMEI = "owner@qq.com", "lilei@qq.com", "hanmeimei@163.com"


@pytest.fixture
def club(world: World) -> World:
    world.join()
    world.join(email=MEIMEI, name="韩梅梅", city="荆州")
    return world


def roles(world: World) -> dict[str, str]:
    return {
        person.address or "": person.role
        for person in world.rows(select(Person).where(Person.status == "member"))
    }


@pytest.mark.postgres
def test_the_owner_offers_the_club_a_member_accepts_and_everybody_hears(club: World) -> None:
    page = club.sign_in(OWNER).get(PAGE)
    shown = page.press("offer", email="ＬＩＬＥＩ@qq.com")
    assert "等待答复" in shown.text
    club.tick()
    assert ("handover.please_take_over", LILEI) in club.new_letters()

    answer = club.open(club.mail("handover.please_take_over"))
    assert answer.actions == ["accept", "refuse"]
    asked = answer.press("accept")
    assert roles(club)[OWNER] == "owner" and asked.actions == ["resend", "refuse"]
    confirm = club.open(club.mail("handover.please_confirm", LILEI))
    assert confirm.actions == ["confirm", "resend", "refuse"]
    confirm.press("confirm")
    club.tick()
    assert roles(club) == {OWNER: "admin", LILEI: "owner", MEIMEI: "member"}
    assert [item for item in club.new_letters() if item[0].startswith("handover.new")] == [
        ("handover.new_owner", MEIMEI),
        ("handover.new_owner", LILEI),
        ("handover.new_owner", OWNER),
    ]
    assert club.case("study_plan", LILEI).state == "void"  # the owner owes nothing
    assert club.case("nomination", OWNER).state == "in_office"  # and can be laid down


def test_nothing_changes_without_a_yes(club: World) -> None:
    browser = club.sign_in(OWNER)
    browser.get(PAGE).press("offer", email=LILEI)
    club.tick()
    club.open(club.mail("handover.please_take_over")).press("refuse", note="明年要考研")
    assert roles(club)[OWNER] == "owner"
    browser.get(PAGE).press("offer", email=MEIMEI)
    again = browser.post(
        PAGE, browser.get("/jiuniu/desk").fields() | {"action": "offer", "email": LILEI}
    )
    assert (again.status, "已经有一份在等答复" in again.text) == (422, True)
    assert [
        case.person_id
        for case in club.rows(select(Case).where(Case.workflow == "handover", Case.turn != ""))
    ] == [club.person(MEIMEI).id]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("stranger@qq.com", "没有成员用这个邮箱"), (OWNER, "这就是现在的群主"), ("lilei", "邮箱")],
)
def test_an_offer_to_nobody_is_refused_beside_its_field(club: World, typed: str, said: str) -> None:
    page = club.sign_in(OWNER).get(PAGE).press("offer", email=typed)
    assert (page.status, page.value("email")) == (422, typed)
    assert said in page.text
    assert club.rows(select(Case.id).where(Case.workflow == "handover")) == []


def test_a_member_cannot_see_the_page_nor_press(club: World) -> None:
    browser = club.sign_in(LILEI)
    assert browser.get(PAGE).response.url.endswith("/jiuniu/me")
    csrf = browser.get("/jiuniu/join").fields()["csrf_token"]
    browser.post(PAGE, {"csrf_token": csrf, "action": "pause"})
    assert club.rows(select(Club.paused_at)) == [None]


@pytest.mark.postgres
def test_a_rest_is_said_on_every_page_and_moves_what_is_due(club: World) -> None:
    due = club.case("study_plan", LILEI).due_at
    assert due is not None
    browser = club.sign_in(OWNER)
    wrong = browser.get(PAGE).press("pause", until="2020-01-01")
    assert (wrong.status, wrong.value("until")) == (422, "2020-01-01")
    resting = browser.get(PAGE).press("pause")
    assert (
        "读书会放假中" in resting.response.text
        and "读书会放假中" in club.browser().get("/jiuniu/").response.text
    )
    club.tick()
    assert {item for item in club.new_letters() if item[0] == "club.paused"} == {
        ("club.paused", LILEI),
        ("club.paused", MEIMEI),
    }
    club.pass_time(days=6, hours=1)
    assert "读书会恢复了" in browser.get(PAGE).press("resume").text
    assert club.case("study_plan", LILEI).due_at == due + timedelta(days=7)
    assert "读书会放假中" not in club.browser().get("/jiuniu/").response.text


def test_the_owner_does_not_answer_the_offer_in_the_others_name(club: World) -> None:
    browser = club.sign_in(OWNER)
    shown = browser.get(PAGE).press("offer", email=LILEI)
    link = str(shown.soup.select("a[href*='/c/']")[-1]["href"])
    page = browser.get(link + "?for=person")
    assert page.actions == ["withdraw"]
    assert page.forge("accept", **{"for": "person"}).status == 403
    assert roles(club) == {OWNER: "owner", LILEI: "member", MEIMEI: "member"}


def test_who_comes_into_an_office_is_signed_in_for_no_longer_than_officers_are(club: World) -> None:
    browser = club.sign_in(LILEI)
    club.sign_in(OWNER).get(PAGE).press("offer", email=LILEI)
    club.open(club.mail("handover.please_take_over", LILEI)).press("accept")
    club.open(club.mail("handover.please_confirm", LILEI)).press("confirm")
    club.set_clock(club.now + timedelta(days=13))
    assert browser.get(PAGE).response.url.endswith(PAGE)
    club.set_clock(club.now + timedelta(days=2))
    assert browser.get(PAGE).response.url.endswith("/jiuniu/desk")


def test_who_was_signed_out_meanwhile_keeps_the_address(club: World) -> None:
    page = club.sign_in(OWNER).get(PAGE)
    club.set_clock(club.now + timedelta(days=15))
    refused = page.press("offer", email=LILEI)
    assert (refused.status, LILEI in refused.response.text) == (403, True)
    assert club.rows(select(Case.id).where(Case.workflow == "handover")) == []
