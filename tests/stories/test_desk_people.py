"""People at the desk: found, read about, acted for, their addresses put right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.club.context import by_slug
from engine.storage.models import Event
from engine.storage.unit_of_work import ClubSession
from tests.page import Page
from tests.stories.test_desk import (
    ADMIN,
    DESK,
    LILEI,
    MEIMEI,
    OWNER,
    PLAN,
    UNKNOWN,
    late,
    record,
    with_an_admin,
)
from tests.world import World


@pytest.fixture
def club(world: World) -> World:
    return with_an_admin(world)


@pytest.mark.postgres
def test_the_owner_finds_a_person_and_acts_for_them(club: World) -> None:
    late(club)
    browser = club.sign_in(OWNER)
    page = browser.get(DESK).browser.get(f"{DESK}/people?q=武汉 李")
    [row] = page.soup.select("a.row-link")
    assert "李雷" in row.text
    page = browser.get(str(row["href"]))
    doing = next(str(a["href"]) for a in page.soup.select("a") if "替本人办理" in a.text)
    browser.get(doing).press("submit", **PLAN)
    case = club.case("study_plan", LILEI)
    [event] = club.rows(select(Event).where(Event.case_id == case.id, Event.action == "submit"))
    assert (event.who_id, event.on_behalf_of_id) == (club.person(OWNER).id, club.person(LILEI).id)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("韩", ["武汉+韩梅梅"]),
        ("HANMEI", ["武汉+韩梅梅"]),
        ("ｈａｎｍｅｉｍｅｉ＠163。com", ["武汉+韩梅梅"]),
        ("周敏 武汉", ["武汉+周敏"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("'", []),
        ("没有这个人", []),
        ("武汉", ["武汉+周敏", "武汉+韩梅梅"]),
    ],
)
def test_looking_for_somebody(club: World, words: str, found: list[str]) -> None:
    page = Page(
        None, club.sign_in(OWNER).session.get(f"{club.base}jiuniu/desk/people", params={"q": words})
    )  # type: ignore[arg-type]
    assert (page.status, sorted(row.text for row in page.soup.select("a.row-link"))) == (
        200,
        sorted(found),
    )


def test_an_admin_reads_no_address_and_finds_nobody_by_one(club: World) -> None:
    browser = club.sign_in(ADMIN)
    page = record(club, browser, MEIMEI)
    assert (MEIMEI in str(page.soup), "h***@163.com" in page.text, page.actions) == (
        False,
        True,
        ["link"],
    )
    assert [
        row.text for row in browser.get(f"{DESK}/people?q=163.com").soup.select("a.row-link")
    ] == []


@pytest.mark.postgres
def test_a_record_tells_what_was_and_what_may_be_done(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))
    world.open(world.mail("study_plan.please_decide_removal", OWNER)).press(
        "remove", note="两次都没有收到。"
    )
    browser = world.sign_in(OWNER)
    assert [
        row.text for row in browser.get(f"{DESK}/people?status=removed").soup.select("a.row-link")
    ] == ["武汉+李雷"]
    page = record(world, browser, LILEI)
    assert [line.text for line in page.soup.select("#removals ~ .history .history-line")] == [
        "到期没有收到，补交机会已用完，提议移出 学习计划",
        "陈老师决定移出李雷 学习计划",
    ]
    back = next(
        str(row.select_one("a")["href"])
        for row in page.soup.select("li.row")
        if "请对方回来" in row.text
    )  # type: ignore[index]
    browser.get(back).press("readmit")
    assert world.person(LILEI).status == "member"


def test_a_fresh_link_opens_the_members_own_page(club: World) -> None:
    page = record(club, club.sign_in(ADMIN), MEIMEI).press("link")
    assert page.status == 200
    mail = club.mail("club.your_page", MEIMEI)
    assert "周敏" in mail.text
    assert "武汉+韩梅梅" in club.browser().get(mail.link("/me/")).text


def test_the_owner_corrects_an_address_after_a_550_and_the_letter_arrives(club: World) -> None:
    browser = club.sign_in(OWNER)
    signed_in = club.sign_in(MEIMEI)
    club.sink.replies["RCPT"] = UNKNOWN
    club.live_until(datetime(2026, 12, 6, 1, tzinfo=UTC), step=timedelta(hours=12))
    club.sink.replies.clear()
    assert "没有送到的邮件" in browser.get(DESK).text
    letters = browser.get(f"{DESK}/letters")
    assert ("这个邮箱不存在" in letters.text, UNKNOWN in letters.text) == (True, True)
    page = record(club, browser, MEIMEI)
    assert "寄给本人的邮件被退回" in page.text
    club.new_mails()
    page = page.press("correct", email="hanmeimei@gmail.com", why="她来电话说换了邮箱。")
    assert "邮箱已改正" in page.text
    arrived = club.new_letters()
    assert {
        ("new_address.address_changed", "hanmeimei@gmail.com"),
        ("reflection.please_read", "hanmeimei@gmail.com"),
    } <= set(arrived)
    assert "她来电话说换了邮箱。" in club.mail("new_address.address_changed").text
    assert club.open(club.mail("reflection.please_read", "hanmeimei@gmail.com")).status == 200
    assert "武汉+韩梅梅" not in signed_in.get("/jiuniu/me").text
    assert "寄给本人的邮件被退回" not in record(club, browser, "hanmeimei@gmail.com").text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "没有地址", "why": "写错了。"}, "email"),
        ({"email": ADMIN, "why": "写错了。"}, "email"),
        ({"email": "new@qq.com", "why": ""}, "why"),
        ({"email": MEIMEI, "why": "写错了。"}, "email"),
    ],
)
def test_a_correction_that_cannot_be_keeps_what_was_typed(
    club: World, typed: dict[str, str], field: str
) -> None:
    page = record(club, club.sign_in(OWNER), MEIMEI).press("correct", **typed)
    assert (page.status, page.value("email"), page.value("why")) == (
        422,
        typed["email"],
        typed["why"],
    )
    assert page.soup.select_one(f'[name="{field}"][aria-invalid="true"]') is not None
    assert club.person(MEIMEI).name == "韩梅梅"


def test_an_admin_corrects_nobodys_address(club: World) -> None:
    page = record(club, club.sign_in(ADMIN), MEIMEI)
    assert page.forge("correct", email="x@qq.com", why="试试").status == 403
    assert club.person(MEIMEI).name == "韩梅梅"


@pytest.mark.postgres
def test_walking_ids_finds_nobody(club: World) -> None:
    here = club.person(MEIMEI).id
    club.found_club("other", owner_email="other@qq.com")
    stranger = club.person("other@qq.com").id
    club.slug, club.club_id = "jiuniu", club.service.db.write(_club_of_jiuniu)
    browser = club.sign_in(OWNER)
    answers = [
        browser.get(f"{DESK}/people/{number}").status
        for number in (here, stranger, here + 1, 0, 2**63, 2**70)
    ]
    assert answers == [200, 404, 404, 404, 404, 404]


def _club_of_jiuniu(session: ClubSession) -> int:
    found = by_slug(session, "jiuniu")
    assert found is not None
    return found.id
