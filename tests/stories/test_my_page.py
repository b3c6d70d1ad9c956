"""A member's own room: what is due, the record, the letters and why they came, settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from engine.security.links import Link
from engine.storage.database import enter_club
from engine.storage.models import Case, Event, Letter, Person, Row, new_id
from engine.storage.unit_of_work import ClubSession
from tests.page import Page
from tests.world import World

LILEI, MEIMEI, OWNER = "lilei@qq.com", "hanmeimei@163.com", "owner@qq.com"
BOOK = {"book": "活着", "reflection": "人是为活着本身而活着的。"}
ROOMS = ("", "record", "letters", "settings", "data")


def with_members(world: World) -> World:
    """Lilei and Meimei have been members for long."""
    world.add_member(LILEI, "李雷")
    world.add_member(MEIMEI, "韩梅梅", locale="en")
    return world


@pytest.fixture
def club(world: World) -> World:
    return with_members(world)


def until(world: World, month: int, day: int, hour: int = 1, year: int = 2026) -> None:
    world.live_until(datetime(year, month, day, hour, tzinfo=UTC), step=timedelta(hours=6))


def case_page(world: World, reader: str, about: str = LILEI, workflow: str = "reflection") -> Page:
    """The newest case about somebody, as a reader opens it."""
    you, case = world.person(reader), world.case(workflow, about)
    token = world.service.links.token(
        Link("case", world.club_id, you.id, you.link_epoch, case.id, world.now)
    )
    return world.browser().get(f"/c/{token}")


# What is due


def test_what_is_due_comes_first_with_its_countdown_its_clause_and_one_tap_to_the_form(
    world: World,
) -> None:
    world.join()
    page = world.open_own_page(LILEI)
    due = page.soup.select_one("article.due")
    assert due is not None
    said = " ".join(due.get_text(" ", strip=True).split())
    assert (
        said.startswith("学习计划 还有 3 天 12月3日（周四）23:59（北京时间）")
        and "章程 3.1" in said
    )
    button = due.select_one("a.button")
    assert button is not None and button.get_text(strip=True).startswith("现在写")
    assert "submit" in page.browser.get(str(button["href"])).actions


def test_while_a_removal_is_proposed_the_form_still_stands_among_what_is_to_do(
    world: World,
) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=7), step=timedelta(hours=6))
    assert world.case("study_plan", LILEI).state == "removal_proposed"
    plan = next(
        due.text
        for due in world.open_own_page(LILEI).soup.select("article.due")
        if "学习计划" in due.text
    )
    assert "提议移出" in plan and "现在写" in plan


def test_a_vote_stands_among_what_is_to_do_until_it_is_cast(club: World) -> None:
    page = club.form_page("nomination", MEIMEI)
    page.browser.post(
        page.response.url, page.fields("save") | {"why": "I will.", "plan": "Thursdays."}
    )
    case_page(club, OWNER, MEIMEI, "nomination").press("approve")

    def votes(address: str) -> list[str]:
        due = club.open_own_page(address).soup.select("article.due")
        return [
            str(button["href"])
            for one in due
            if "韩梅梅" in one.h3.text
            for button in one.select("a.button")
        ]  # type: ignore[union-attr]

    assert votes(MEIMEI) == votes(OWNER) == []
    mine = votes(LILEI)
    assert len(mine) == 1
    club.browser().get(mine[0]).press("vote", choice="yes")
    assert votes(LILEI) == []


@pytest.mark.postgres
def test_every_room_opens_by_a_mailed_link_and_by_a_session(club: World) -> None:
    by_link = club.open_own_page(LILEI)
    signed_in = club.sign_in(LILEI).get("/jiuniu/me")
    for start in (by_link, signed_in):
        rooms = [start.browser.get(str(a["href"])) for a in start.soup.select("nav.menu a")]
        assert [room.soup.h1.contents[0] for room in rooms if room.soup.h1] == [
            "我的页面",
            "我的记录",
            "寄给我的邮件",
            "设置",
            "我的资料",
        ]
        assert {len(room.soup.select('nav.menu a[aria-current="page"]')) for room in rooms} == {1}


def test_a_link_to_something_else_opens_no_room(club: World) -> None:
    you = club.person(LILEI)
    for kind in ("calendar", "unsubscribe", "waiting"):
        token = club.service.links.token(
            Link(kind, club.club_id, you.id, you.link_epoch, 0, club.now)
        )
        for room in ROOMS:
            assert club.browser().get(f"me/{token}{room and '/'}{room}").status == 404


# The record


def weeks(page: Page) -> dict[str, str]:
    return {
        row.select("td")[0].text: row.select("td")[1].text
        for row in page.soup.select("table.weeks tbody tr")
    }


def squares(page: Page) -> int:
    """Drawn squares that say something (the others are one small dot each)."""
    return len(page.soup.select("svg.year g")) - len(page.soup.select("svg.year .w-none"))


LAST_YEAR = {
    "12月6日—12日": "按时交",
    "12月13日—19日": "补交",
    "12月20日—26日": "按时交",
}


@pytest.mark.postgres
def test_the_year_equals_what_was_counted_by_hand(club: World) -> None:
    """Week 50 in time, and again after it came back; 51 late, so week 52 began a little later for her; 53
    excused; the first of the new year never came."""
    until(club, 12, 8)
    case_page(club, LILEI).press("submit", **BOOK)
    case_page(club, OWNER).press("return", note="再多写两句。")
    case_page(club, LILEI).press("resubmit", **BOOK)
    case_page(club, OWNER).press("approve")
    until(club, 12, 20)
    late = case_page(club, OWNER)
    case_page(club, LILEI).press("submit", **BOOK)
    until(club, 12, 21)
    case_page(club, LILEI).press("submit", **BOOK)
    late.browser.get(late.response.url).press("approve")
    until(club, 12, 28)
    assert weeks(club.open_own_page(LILEI, "record")) == LAST_YEAR | {
        "2026年12月27日—2027年1月2日": "还没到期"
    }
    case_page(club, OWNER).press("excuse")
    until(club, 1, 13, year=2027)
    this_year = club.open_own_page(LILEI, "record")
    assert weeks(this_year) == {"1月3日—9日": "没有交", "1月10日—16日": "没有开始：前面的还没交"}
    assert "交了 0 篇读书笔记，其中 0 篇按时。没有交 1 篇。" in this_year.text
    last_year = this_year.browser.get(
        str(this_year.soup.select_one("main a[href*='year=2026']")["href"])
    )  # type: ignore[index]
    assert weeks(last_year) == LAST_YEAR | {"2026年12月27日—2027年1月2日": "免交"}
    assert "交了 3 篇读书笔记，其中 2 篇按时。免交 1 篇。" in last_year.text
    assert (len(last_year.soup.select("svg.year g")), squares(last_year), squares(this_year)) == (
        53,
        4,
        2,
    )
    in_english = club.open_own_page(MEIMEI, "record")
    assert "0 reflections handed in, 0 of them on time. Not handed in: 2." in in_english.text
    assert list(weeks(in_english).values()) == [
        "not handed in",
        "did not begin: something was still to be handed in",
        "did not begin: something was still to be handed in",
        "not handed in",  # begun late, when the first one was not pursued any more
    ]


def test_without_a_week_there_is_a_kind_word_and_no_empty_grid(club: World) -> None:
    for address, word in ((LILEI, "你的第一个读书周还没开始"), (OWNER, "群主不用交读书笔记")):
        page = club.open_own_page(address, "record")
        assert word in page.text and page.soup.select("svg.year") == []


# The letters


def test_each_letter_says_what_it_was_what_became_of_it_and_why_it_came(world: World) -> None:
    world.join()
    world.pass_time(days=2, hours=22)
    world.mail("study_plan.due_soon")
    page = world.open_own_page(LILEI, "letters")
    said = [
        " ".join(row.get_text(" ", strip=True).split())
        for row in page.soup.select("ul.letters > li")
    ]
    assert said == [
        "学习计划：催办 为什么： 截止时间快到了：待提交。 章程 3.1 12月3日（周四）08:00 你的邮箱已收下",
        "学习计划：等你来办 为什么： 轮到你了：待提交。 章程 3.1 11月30日（周一）10:00 你的邮箱已收下",
        "入会申请：通知 为什么： 有了新进展，现在是：已通过。 章程 2.1 11月30日（周一）10:00 你的邮箱已收下",
        "入会申请：等你来办 为什么： 轮到你了：待确认邮箱。 章程 2.1 11月30日（周一）10:00 你的邮箱已收下",
    ]
    assert {
        world.browser().get(str(a["href"])).status for a in page.soup.select("ul.letters a")
    } == {200}


def test_letters_that_belong_to_no_case_say_why_too_and_a_dropped_one_says_so(world: World) -> None:
    world.join()
    world.sign_in(LILEI)
    world.mail("study_plan.please_write")
    world.form_page("study-plan", LILEI).press("submit", goals="读史", plan="每天")

    def drop(session: Any) -> None:
        session.scope = world.club_id
        session.execute(
            select(Letter).where(Letter.name == "club.sign_in")
        ).scalar_one().state = "dropped"

    world.service.db.write(drop)
    said = world.open_own_page(LILEI, "letters").text
    assert (
        "九牛读书会：登录链接 为什么： 有人在登录页面填了这个邮箱。 11月30日（周一）10:00 没有寄：已经不需要"
        in said
    )
    assert "学习计划：表单链接 为什么： 有人在表单页面填了这个邮箱。" in said


# Settings


def test_the_language_is_changed_for_the_next_page_and_the_next_mail(club: World) -> None:
    until(club, 12, 8)
    page = club.open_own_page(LILEI, "settings")
    assert page.press("language", locale="en").soup.h1.contents[0] == "Settings"  # type: ignore[union-attr]
    case_page(club, LILEI).press("submit", **BOOK)
    case_page(club, OWNER).press("return", note="Please say more.")
    assert "Please" in club.mail("reflection.please_revise", LILEI).subject
    assert page.forge("language", locale="tlh").status == 400
    assert club.person(LILEI).locale == "en"


def test_fewer_reminders_and_all_of_them_again(club: World) -> None:
    page = club.open_own_page(LILEI, "settings").press("fewer")
    assert club.person(LILEI).fewer_reminders and "all" in page.actions
    page.press("all")
    assert not club.person(LILEI).fewer_reminders
    assert page.browser.get(str(page.soup.select_one("p.address a")["href"])).text.startswith(
        "BEGIN:VCALENDAR"
    )  # type: ignore[index]


# Costs


def test_every_room_asks_the_database_a_fixed_number_of_times_and_stays_small(club: World) -> None:
    asked: list[str] = []
    event.listen(
        club.service.db.reader, "before_cursor_execute", lambda *args: asked.append(args[2])
    )

    def count(room: str) -> int:
        asked.clear()
        page = club.open_own_page(LILEI, room)
        assert page.status == 200 and len(page.response.content) < 40_000, room
        return len(asked)

    before = {room: count(room) for room in ROOMS}
    until(club, 12, 8)
    for week in (8, 15, 22, 29):
        until(club, 12, week)
        case_page(club, LILEI).press("save", **BOOK)
        case_page(club, LILEI).press("submit", **BOOK)
        until(club, 12, week, 9)
        case_page(club, OWNER).press("approve")
    assert {room: count(room) for room in ROOMS} == before


def test_two_years_of_membership_still_make_small_pages(club: World) -> None:
    """A hundred weeks, each with its letters, a hundred other matters, and ten of them open at
    once."""
    you = club.person(LILEI).id

    def unit(session: ClubSession) -> None:
        enter_club(session, club.club_id)
        for number in range(200):
            year, week = 2025 + number // 2 // 52, number // 2 % 52 + 1
            flow, state, turn = (
                ("reflection", "accepted", "") if number % 2 else ("new_name", "renamed", "")
            )
            if number % 20 == 0:
                flow, state, turn = "nomination", "returned", "person"
            case = Case(
                id=new_id(),
                workflow=flow,
                key=f"{number}",
                person_id=you,
                state=state,
                turn=turn,
                version=1,
                entered_version=1,
                opened_at=club.now,
                entered_at=club.now,
                due_at=club.now if turn else None,
                answers={},
                private={},
                data={"period": f"{year}-W{week:02d}"} if flow == "reflection" else {},
            )
            session.add(case)
            session.flush()
            session.add(
                Event(
                    case_id=case.id,
                    version=1,
                    at=club.now,
                    via="page",
                    action="submit",
                    from_state="owed",
                    to_state=state,
                )
            )
            session.add(
                Letter(
                    key=f"{number}",
                    name=f"{flow}.taken_back",
                    case_id=case.id,
                    version=1,
                    person_id=you,
                    about_id=you,
                    created_at=club.now,
                    next_at=club.now,
                )
            )

    club.service.db.write(unit)
    for room in (*ROOMS, "record?year=2025"):
        page = club.open_own_page(LILEI, room)
        assert page.status == 200 and len(page.response.content) < 40_000, (
            room,
            len(page.response.content),
        )
    assert len(weeks(club.open_own_page(LILEI, "record?year=2025"))) == 52
    assert len(club.open_own_page(LILEI, "letters").soup.select("ul.letters > li")) == 50


def test_opening_a_room_writes_nothing(club: World) -> None:
    def everything() -> list[Any]:
        with club.service.db.read(club.club_id) as session:
            return [session.execute(select(table)).all() for table in Row.metadata.sorted_tables]

    club.open_own_page(LILEI)
    before = everything()
    for room in ROOMS:
        page = club.open_own_page(LILEI, room)
        assert page.browser.session.head(page.response.url, timeout=60).status_code == 200
    club.browser().get("/jiuniu/privacy")
    assert everything() == before
    assert club.rows(select(Person.link_epoch)) == [1, 1, 1]
