"""Leaving, removal and readmission, a new address, a new name, erasure (clauses 2.2, 2.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.storage.models import Case, Event, Letter, Person
from tests.world import World

LILEI, MEIMEI, OWNER, ADMIN = "lilei@qq.com", "hanmeimei@163.com", "owner@qq.com", "admin@qq.com"
PLAN = {"goals": "讲得出二十本书。", "plan": "每周一本。"}


def with_members(world: World) -> World:
    world.add_member(LILEI, "李雷")
    world.add_member(MEIMEI, "韩梅梅")
    world.add_member(ADMIN, "林涛", role="admin")
    return world


@pytest.fixture
def club(world: World) -> World:
    return with_members(world)


def proposed(world: World) -> None:
    """Li Lei joins and hands in nothing until the removal is proposed."""
    world.join()
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))


# Leaving


@pytest.mark.postgres
def test_a_member_leaves_with_a_fresh_link(club: World) -> None:
    gone = club.press_as_a_person(club.form_page("departure", LILEI), why="搬家了，很忙。")
    assert [
        (answer.status_code, answer.headers["Location"]) for answer in gone.response.history
    ] == [(303, "/jiuniu/farewell?lang=zh-CN")]
    assert club.person(LILEI).status == "departed"
    assert {("departure.farewell", LILEI), ("departure.remove_from_group", ADMIN)} <= set(
        club.new_letters()
    )
    task = club.mail("departure.remove_from_group", ADMIN)
    assert ("武汉+李雷" in task.text, "搬家了，很忙" in task.text) == (True, True)
    assert club.open(club.mail("departure.your_link", LILEI)).status == 410


def test_an_old_link_does_not_let_anybody_leave(club: World) -> None:
    page = club.form_page("departure", LILEI)
    club.set_clock(club.now + timedelta(minutes=31))
    asked = club.press_as_a_person(page, why="我写了很长的话。")
    assert (asked.status, club.person(LILEI).status) == (200, "member")
    assert "li***@qq.com" in asked.text and asked.actions == ["resend", "withdraw"]
    club.open(club.mail("departure.please_confirm", LILEI)).press("confirm")
    assert club.person(LILEI).status == "departed"
    assert "我写了很长的话。" in club.mail("departure.remove_from_group", ADMIN).text


def test_what_was_open_falls_away_and_the_door_stays_open(club: World) -> None:
    club.join(email="new@qq.com", name="新人")
    club.press_as_a_person(club.form_page("departure", "new@qq.com"))
    assert club.case("study_plan", "new@qq.com").state == "void"
    club.join(email="new@qq.com", name="新人")
    assert (club.person("new@qq.com").status, club.case("study_plan", "new@qq.com").state) == (
        "member",
        "owed",
    )


def test_the_owner_cannot_leave(club: World) -> None:
    page = club.browser().get("/jiuniu/departure")
    club.press_as_a_person(page, email=OWNER)
    assert not [link for link in club.mail("departure.your_link", OWNER).links if "/c/" in link]


@pytest.mark.postgres
def test_who_leaves_may_have_everything_erased(club: World) -> None:
    club.join(email="new@qq.com", name="新来的人")
    club.open(club.mail("study_plan.please_write", "new@qq.com")).press("submit", **PLAN)
    person_id = club.person("new@qq.com").id
    club.press_as_a_person(club.form_page("departure", "new@qq.com"), erase="y")
    club.live_until(club.now + timedelta(days=4), step=timedelta(hours=12))
    [gone] = club.rows(select(Person).where(Person.id == person_id))
    assert (gone.status, gone.address, gone.address_hash, gone.name, gone.display_name) == (
        "erased",
        None,
        None,
        "",
        "",
    )
    about = select(Case.id).where(Case.person_id == person_id)
    assert set(map(str, club.rows(select(Case.answers).where(Case.person_id == person_id)))) == {
        "{}"
    }
    assert set(map(str, club.rows(select(Event.answers).where(Event.case_id.in_(about))))) <= {"{}"}
    assert (
        club.rows(
            select(Letter.bytes).where(Letter.about_id == person_id, Letter.bytes.is_not(None))
        )
        == []
    )


# A new address, a new name


@pytest.mark.postgres
def test_both_addresses_confirm_a_change(club: World) -> None:
    club.press_as_a_person(club.form_page("new-address", LILEI), email="Lilei@Gmail.com")
    confirm = club.mail("new_address.confirm_new_address", "lilei@gmail.com")
    assert club.person(LILEI).address == LILEI
    assert [row["to"] for row in club.ledger(letter="new_address.confirm_new_address")] == [
        "lilei@gmail.com"
    ]
    club.new_mails()
    page = club.open(confirm).press("confirm")
    assert page.status == 200
    assert club.person("lilei@gmail.com").name == "李雷"
    assert club.new_letters() == [
        ("new_address.address_changed", "lilei@gmail.com"),
        ("new_address.address_was_changed", LILEI),
    ]
    assert club.open(club.mail("new_address.your_link", LILEI)).status == 410
    assert club.ledger(to=LILEI, state="queued") == []


def test_the_old_address_alone_cannot_confirm_the_new_one(club: World) -> None:
    page = club.press_as_a_person(club.form_page("new-address", LILEI), email="lilei@gmail.com")
    assert page.actions == ["resend", "withdraw"]
    answer = page.forge("confirm")
    assert (answer.status, club.person(LILEI).address) == (403, LILEI)


def test_an_address_of_somebody_else_is_refused_without_saying_whose(club: World) -> None:
    club.press_as_a_person(club.form_page("new-address", LILEI), email=MEIMEI)
    club.open(club.mail("new_address.confirm_new_address", MEIMEI)).press("confirm")
    told = club.mail("new_address.address_taken", LILEI)
    assert (club.person(LILEI).name, club.person(MEIMEI).name, "韩梅梅" in told.text) == (
        "李雷",
        "韩梅梅",
        False,
    )


def test_an_address_that_is_never_confirmed_changes_nothing(club: World) -> None:
    club.press_as_a_person(club.form_page("new-address", LILEI), email="lilei@gmail.com")
    club.live_until(club.now + timedelta(days=4), step=timedelta(hours=12))
    assert club.case("new_address", LILEI).state == "lapsed"
    assert club.mail("new_address.address_kept", LILEI).to == LILEI


@pytest.mark.postgres
def test_the_admins_hear_of_a_new_name(club: World) -> None:
    club.press_as_a_person(club.form_page("new-name", LILEI), name="李雷雷", city="北京")
    assert club.person(LILEI).display_name == "北京+李雷雷"
    task = club.mail("new_name.rename_in_group", ADMIN)
    assert ("武汉+李雷" in task.text, "北京+李雷雷" in task.text) == (True, True)


# Removal, readmission


@pytest.mark.postgres
def test_a_removed_member_is_taken_back_with_one_press(world: World) -> None:
    proposed(world)
    decide = world.mail("study_plan.please_decide_removal", OWNER)
    world.open(decide).press("remove", note="两次都没有收到。")
    assert "武汉+李雷" in world.mail("study_plan.remove_from_group", OWNER).text
    world.open(decide).press("readmit", note="欢迎回来。")
    person = world.person(LILEI)
    assert (person.status, world.case("study_plan", LILEI).state) == ("member", "readmitted")
    assert "欢迎回来" in world.mail("study_plan.readmitted", LILEI).text
    assert "readmit" not in world.open(decide).actions


def test_who_was_removed_and_has_joined_anew_is_not_readmitted_besides(world: World) -> None:
    proposed(world)
    decide = world.mail("study_plan.please_decide_removal", OWNER)
    world.open(decide).press("remove", note="两次都没有收到。")
    world.join()
    assert "readmit" not in world.open(decide).actions


def test_a_day_that_cannot_be_is_said_beside_the_field(club: World) -> None:
    page = club.sign_in(OWNER).get("/jiuniu/desk").press("away", until="昨天")
    assert (page.status, page.value("until"), "请填一年之内的某一天" in page.text) == (
        422,
        "昨天",
        True,
    )


def test_a_session_leads_to_no_link_that_confirms(club: World) -> None:
    browser = club.sign_in(LILEI)
    page = browser.get("/jiuniu/me")
    rooms = [str(a["href"]) for a in page.soup.select("nav.menu a")]
    found = [
        browser.get(str(a["href"]))
        for room in rooms
        for a in browser.get(room).soup.select("main a[href*='/c/']")
    ]
    asking = {
        here.soup.h1.contents[0]
        for here in found
        if here.soup.h1 and "提交，再去邮箱确认" in here.text
    }
    assert asking == {"退出读书会", "更换邮箱"}
    assert "export" not in browser.get(rooms[-1]).actions


def test_a_new_address_ends_the_sessions_of_before(club: World) -> None:
    browser = club.sign_in(LILEI)
    club.press_as_a_person(club.form_page("new-address", LILEI), email="lilei@gmail.com")
    assert "武汉+李雷" in browser.get("/jiuniu/me").text
    club.open(club.mail("new_address.confirm_new_address", "lilei@gmail.com")).press("confirm")
    assert "武汉+李雷" not in browser.get("/jiuniu/me").text


def test_no_mailbox_is_filled_through_the_form_for_a_new_address(club: World) -> None:
    answers = []
    for _time in range(4):
        page = club.press_as_a_person(
            club.form_page("new-address", LILEI), email="stranger@example.org"
        )
        answers.append(page.status)
        if page.status == 200:
            page.press("withdraw")
    assert answers == [200, 200, 200, 429]
