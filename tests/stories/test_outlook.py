"""Forecasts, statistics and chat texts, as the owner sees them, also in a large club."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import Tag
from sqlalchemy import event, insert

from engine.storage.database import enter_club
from engine.storage.models import Case, Event, Person, Schedule, new_id
from engine.storage.unit_of_work import ClubSession
from tests.page import Browser, Page
from tests.shell import Shell
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
DESK = "/jiuniu/desk/"
PAGES = ("ahead", "figures", "group", "settings", "settings/duties", "settings/history")
SUNDAY = datetime(2026, 12, 6, 1, tzinfo=UTC)


def due_by_command(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Shell(
        world.same_data | {"JIUNIU_CLOCK_FILE": str(world.folder / "clock-file")}
    ).json("due", "--days", "14")
    return found


def sendings(page: Page) -> Counter[str]:
    """Moment to how many letters, as the page has them."""
    section = page.soup.find(id="letters")
    assert section is not None and isinstance(section.parent, Tag)
    found: Counter[str] = Counter()
    for item in section.parent.select(".timed li"):
        many = item.select_one("summary")
        at = datetime.fromisoformat(str(item.time["datetime"]))  # type: ignore[index]
        found[at.isoformat(timespec="seconds")] += int(many.text.partition(" ")[0]) if many else 1
    return found


@pytest.mark.postgres
def test_the_letters_ahead_are_those_of_the_command(world: World) -> None:
    for nr in range(3):
        world.add_member(f"m{nr}@qq.com", f"成员{nr}")
    world.join()
    owner = world.sign_in("owner@qq.com")
    world.tick()
    page = owner.get(DESK + "ahead")
    told = due_by_command(world)
    assert sendings(page) == Counter(row["at"] for row in told) and len(told) > 30
    assert f"会寄出的邮件（假设没有人操作） {len(told)}" in page.text
    assert "学习计划：到期前催办 → 李雷 章程 3.1" in page.text
    world.open(world.mail("study_plan.please_write")).press(
        "submit", goals="读完二十本史书。", plan="每天早上读一小时。"
    )
    world.tick()
    assert "学习计划：到期前催办" not in owner.get(DESK + "ahead").text


@pytest.mark.postgres
def test_the_calendar_names_openings_votes_and_removals(world: World) -> None:
    world.add_member("hanmeimei@163.com", "韩梅梅")
    world.join()
    form = world.form_page("nomination", "hanmeimei@163.com")
    form.press(why="我愿意。", plan="每周四主持。")
    world.open(world.mail("nomination.please_decide")).press("approve")
    world.live_until(datetime(2026, 12, 3, 2, tzinfo=UTC), step=timedelta(hours=12))
    owner = world.sign_in("owner@qq.com")
    text = owner.get(DESK + "ahead").text
    assert (
        "12月3日（周四） 23:59 管理员自荐：投票截止： 韩梅梅 23:59 学习计划（待提交）截止" in text
    )
    assert (
        "12月6日（周日） 08:00 12月6日—12日读书笔记：开始，请每位成员写" in text
        and "20:00 12月6日—12日读书笔记：全员截止" in text
    )
    world.live_until(datetime(2026, 12, 8, 2, tzinfo=UTC), step=timedelta(hours=6))
    assert "学习计划：移出待决定： 李雷" in owner.get(DESK + "ahead").text


def texts(page: Page) -> list[str]:
    return [item.text for item in page.soup.select("pre.copy")]


def test_texts_for_the_group(world: World) -> None:
    base = world.base.rstrip("/")
    owner = world.sign_in("owner@qq.com")
    assert texts(owner.get(DESK + "group")) == [
        f"想和我们一起读书，从这里申请加入：\n{base}/jiuniu/join\n填好申请表，确认邮箱，审核结果会寄到你的邮箱。",
        "这几天没有要交的，正好安心读书。\n下一个读书周从12月6日（周日）08:00开始。",
        "过去一周平平静静。",
    ]
    for nr, name in enumerate(("韩梅梅", "林涛")):
        world.add_member(f"m{nr}@qq.com", name)
    world.set_clock(SUNDAY)
    world.tick()
    world.join()
    world.open(world.mail("reflection.please_read", "m0@qq.com")).press(
        "submit", book="活着", reflection="人是为活着本身而活着的。", share="y"
    )
    world.open(f"{world.base}jiuniu/desk", owner)
    waiting = owner.get(DESK.rstrip("/"))
    world.open(case_link(waiting, "读书笔记"), owner).press("approve")
    world.form_page("nomination", "m1@qq.com").press(why="我愿意。", plan="每周四主持。")
    world.open(world.mail("nomination.please_decide")).press("approve")
    assert texts(owner.get(DESK + "group"))[1:] == [
        "本周安排：\n刚加入的朋友：学习计划请在12月9日（周三）23:59前交。\n本周读书笔记：请在12月12日（周六）20:00前交。\n"
        "武汉+林涛自荐担任管理员，请在12月9日（周三）23:59前投票。\n下一个读书周从12月13日（周日）08:00开始。\n"
        f"你的专属链接在邮件里；找不到的话，在这里登录：{base}/jiuniu/me",
        f"过去一周：\n欢迎新朋友：武汉+李雷。\n作者愿意分享的读书笔记，成员可以登录阅读：\n武汉+韩梅梅：《活着》\n{base}/jiuniu/reflections",
    ]
    assert texts(owner.get(DESK + "group?in=en"))[1:] == [
        "What is on this week:\nNew among us: your study plan is due Wednesday 9 December, 23:59.\n"
        "Reflection for this week: please hand it in by Saturday 12 December, 20:00.\n"
        "武汉+林涛 stands for admin. Please vote by Wednesday 9 December, 23:59.\n"
        f"The next reading week begins on Sunday 13 December, 08:00.\nYour own link is in your mail. You can also ask for it here: {base}/jiuniu/me",
        "What came of last week:\nWelcome among us: 武汉+李雷.\nTo read for members, shared by their authors:\n"
        f"武汉+韩梅梅: “活着”\n{base}/jiuniu/reflections",
    ]


def case_link(page: Page, word: str) -> str:
    return next(
        str(link["href"]) for link in page.soup.select('main a[href*="/c/"]') if word in link.text
    )


def test_nobody_who_is_late_is_named_in_a_text_for_the_group(world: World) -> None:
    world.join()
    world.live_until(datetime(2026, 12, 5, 2, tzinfo=UTC), step=timedelta(hours=6))
    assert world.case("study_plan", "lilei@qq.com").state == "overdue"
    page = world.sign_in("owner@qq.com").get(DESK + "group")
    assert [("李雷" in text, "学习计划" in text) for text in texts(page)] == [
        (False, False),
        (False, False),
        (True, False),
    ]
    assert "欢迎新朋友：武汉+李雷。" in texts(page)[2]


@pytest.mark.postgres
def test_a_chart_and_its_table_say_the_same(world: World) -> None:
    world.join()
    world.live_until(datetime(2026, 12, 4, 2, tzinfo=UTC), step=timedelta(hours=6))
    page = world.sign_in("owner@qq.com").get(DESK + "figures")
    tables = [
        [[cell.text for cell in row.select("th, td")] for row in table.select("tbody tr")]
        for table in page.soup.select("table")
    ]
    assert tables == [[["2026-11-30", "0", "1", "0%"]], [["2026-11-30", "2"]]]
    assert len(page.soup.select("rect.good")) == 0
    [bar] = page.soup.select("rect.late")
    assert (bar["x"], bar["width"]) == (
        "306.0",
        "56",
    )  # one week's bar stands in the middle, not from edge to edge


def test_who_may_look(world: World) -> None:
    world.add_member("admin@qq.com", "韩梅梅", role="admin")
    world.add_member("lilei@qq.com", "李雷")
    admin, member = world.sign_in("admin@qq.com"), world.sign_in("lilei@qq.com")
    assert [admin.get(DESK + page).status for page in PAGES] == [200, 200, 200, 200, 403, 403]
    assert all(
        not member.get(DESK + page).response.url.startswith(world.base + "jiuniu/desk")
        for page in PAGES
    )
    assert all(
        world.browser().get(DESK + page).response.url == world.base + "jiuniu/desk"
        for page in PAGES
    )


@contextlib.contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """What is asked of the database by readers; the walk through the days ahead is no reader."""
    asked: list[str] = []

    def hear(*args: Any) -> None:
        asked.append(args[2])

    event.listen(world.service.db.reader, "before_cursor_execute", hear)
    yield asked
    event.remove(world.service.db.reader, "before_cursor_execute", hear)


def asked_by(world: World, browser: Browser) -> dict[str, int]:
    counts = {}
    for page in PAGES:
        with statements(world) as asked:
            assert browser.get(DESK + page).status == 200
        counts[page] = len(asked)
    return counts


def grow(session: ClubSession, club_id: int, now: datetime, *, members: int, ended: int) -> None:
    """Members who owe this week's reflection, and that many matters of weeks gone by."""
    enter_club(session, club_id)
    people = [
        {
            "club_id": club_id,
            "id": new_id(),
            "address": f"p{nr}@qq.com",
            "address_hash": f"h{nr}",
            "name": f"一个成员{nr}",
            "display_name": f"武汉+一个成员{nr}",
            "locale": "zh-CN",
            "status": "member",
            "joined_at": now - timedelta(days=nr % 700),
            "registered_at": now,
        }
        for nr in range(members)
    ]
    session.execute(insert(Person), people)
    alike = {"club_id": club_id, "workflow": "reflection", "entered_version": 1, "version": 2}
    gone, running = [], []
    for nr in range(ended):
        then = now - timedelta(weeks=1 + nr % 60)
        year, week, _day = then.isocalendar()
        gone.append(
            alike
            | {
                "id": new_id(),
                "key": f"old:{nr}",
                "person_id": people[nr % members]["id"],
                "state": "shared",
                "turn": "",
                "opened_at": then,
                "entered_at": then,
                "data": {"period": f"{year}-W{week:02}"},
                "answers": {"book": f"第 {nr} 本"},
            }
        )
    due = now + timedelta(days=6, hours=11)
    for person in people:
        running.append(
            alike
            | {
                "id": new_id(),
                "key": f"2026-W50:{person['id']}",
                "person_id": person["id"],
                "state": "owed",
                "turn": "person",
                "opened_at": now,
                "entered_at": now,
                "due_at": due,
                "wake_at": due - timedelta(days=1),
                "data": {"period": "2026-W50", "period_due": due.isoformat()},
            }
        )
    session.execute(insert(Case), gone)
    session.execute(insert(Case), running)
    happened = [
        {
            "club_id": club_id,
            "case_id": case["id"],
            "version": 2,
            "at": case["entered_at"],
            "via": "page",
            "action": "submit",
            "from_state": "owed",
            "to_state": "review",
        }
        for case in gone
    ]
    session.execute(insert(Event), happened)
    session.query(Schedule).filter(Schedule.rule == "reflection").update(
        {"next_at": due + timedelta(hours=12)}
    )


def test_the_pages_stay_small_and_ask_little_of_a_large_club(world: World) -> None:
    owner = world.sign_in("owner@qq.com")
    world.set_clock(SUNDAY)
    few = asked_by(world, owner)
    world.service.db.write(grow, world.club_id, world.now, members=1000, ended=9000)
    assert asked_by(world, owner) == few
    sizes = {page: len(owner.get(DESK + page).response.content) for page in PAGES}
    assert {page: size for page, size in sizes.items() if size >= 40_000} == {}
