"""A member's own data: the copy, the leaked link, the way out, privacy."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.reports.export import plain
from engine.storage.models import Case, Letter, WebSession
from tests.page import Page
from tests.stories.test_my_page import LILEI, MEIMEI, OWNER, case_page, until, with_members
from tests.world import World


@pytest.fixture
def club(world: World) -> World:
    return with_members(world)


@pytest.mark.postgres
def test_a_copy_of_everything_is_what_the_database_holds(world: World) -> None:
    world.join()
    world.open(world.mail("study_plan.please_write")).press("submit", goals="=1+1", plan="每天")
    page = by_the_mailed_link(world)
    answer = page.press("export").response
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jiuniu-2026-11-30.json"'
    found, lilei = json.loads(answer.content), world.person(LILEI)
    assert found["person"] == plain(lilei) and found["votes"].startswith("投票不记名")
    cases = world.rows(select(Case).where(Case.person_id == lilei.id).order_by(Case.id))
    assert found["cases"] == [plain(case, without={"private"}) for case in cases]
    assert [letter["name"] for letter in found["letters_to_me"]] == [
        letter.name
        for letter in world.rows(
            select(Letter).where(Letter.person_id == lilei.id).order_by(Letter.id)
        )
    ]
    table = page.press("export_table").response
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["事项", "目前进展", "开始时间", "题目", "回答"]
    assert [row[4] for row in rows if row[0] == "学习计划"] == ["'=1+1", "每天"]


def by_the_mailed_link(world: World) -> Page:
    """The room with the data, by the link that was mailed for a copy."""
    world.open_own_page(LILEI, "data").press("fresh")
    return world.browser().get(world.mail("club.fresh_link", LILEI).link("/me/") + "/data")


def test_c6_an_export_wants_the_link_mailed_for_it(club: World) -> None:
    for age in (0, 31):  # a welcome that was forwarded at once is as old as any
        page = club.open_own_page(LILEI, "data", minutes=age)
        assert "fresh" in page.actions and "export" not in page.actions
        assert page.forge("export").status == 403
    assert "链接已寄往你的邮箱，半小时内有效。" in page.press("fresh").text
    mailed = club.mail("club.fresh_link", LILEI).link("/me/") + "/data"
    opened = club.browser().get(mailed)
    assert opened.press("export").response.json()["person"]["address"] == LILEI
    assert opened.press("export").status == 403, "each copy once"
    assert opened.press("export_table").status == 200
    assert "export" not in club.browser().get(mailed).actions


def test_c6_the_link_to_a_copy_works_for_half_an_hour(club: World) -> None:
    page = by_the_mailed_link(club)
    club.set_clock(club.now + timedelta(minutes=31))
    assert (page.press("export").status, page.browser.get(page.response.url).actions) == (
        403,
        ["fresh", "lost"],
    )


def test_nobody_s_mailbox_is_filled_by_the_button_for_a_fresh_link(club: World) -> None:
    page = club.open_own_page(LILEI, "data", minutes=31)
    assert [page.press("fresh").status for _time in range(2)] == [200, 200]
    assert club.new_letters() == [("club.fresh_link", LILEI)], "pressed twice, one page asks once"
    answers = [page.browser.get(page.response.url).press("fresh").status for _time in range(10)]
    assert answers == [200] * 8 + [429] * 2


def test_a_link_that_got_out_is_ended_with_all_sessions_and_a_fresh_one_comes_by_mail(
    club: World,
) -> None:
    until(club, 12, 8)
    thief, signed_in = club.open_own_page(LILEI), club.sign_in(LILEI)
    case = case_page(club, LILEI).response.url
    feed = club.open_own_page(LILEI, "settings").soup.select_one("p.address a")
    assert feed is not None
    done = club.open_own_page(LILEI, "data", days=40).press("lost")
    assert done.status == 200 and "旧链接已全部失效" in done.text
    for url in (thief.response.url, thief.response.url + "/data", case, str(feed["href"])):
        dead = club.browser().get(url)
        assert dead.status == 410 and "李雷" not in dead.response.text, url
    assert club.rows(select(WebSession)) == []
    assert "李雷" not in signed_in.get("/jiuniu/me").text
    fresh = club.mail("club.new_links", LILEI)
    assert club.browser().get(fresh.link("/me/")).status == 200
    assert club.browser().get(fresh.link("calendar.ics")).status == 200
    assert club.person(MEIMEI).link_epoch == 1
    assert thief.browser.post(
        thief.response.url + "/data", club.open_own_page(LILEI, "data").fields("lost")
    ).status in (400, 410)
    assert club.person(LILEI).link_epoch == 2


def test_the_way_out_stands_at_the_end_and_the_owner_has_none(club: World) -> None:
    page = club.open_own_page(LILEI, "data")
    assert page.soup.select("main h2")[-1].text == "退出读书会"
    assert "退出读书会" not in club.open_own_page(OWNER, "data").text


def test_the_page_on_privacy_has_the_club_s_own_numbers(club: World) -> None:
    for path in ("/jiuniu/privacy", "/jiuniu/join"):
        text = club.browser().get(path).text
        assert "3 天" in text and "180 天" in text and "30 天" in text
    assert "60 天" in club.browser().get("/jiuniu/privacy").text
