"""Drafts: nothing typed is lost, no one else sees it, and submitting deletes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import create_app
from engine.security.rate_limits import DRAFTS
from engine.storage.models import Draft, Event
from tests.page import Browser, Page
from tests.world import World
from web.app.background import Ticker

BY_SCRIPT = {"Accept": "text/plain"}
LILEI = "lilei@qq.com"


@pytest.fixture
def plan(world: World) -> Page:
    """A newcomer has opened the form of their study plan."""
    world.join()
    return world.open(world.mail("study_plan.please_write"))


def drafts(world: World) -> list[dict[str, object]]:
    return [draft.answers for draft in world.rows(select(Draft).order_by(Draft.form))]


def save(page: Page, **typed: str) -> Page:
    """As the page's script does it."""
    return page.browser.post(
        page.response.url, page.fields("save") | typed | {"action": "save"}, headers=BY_SCRIPT
    )


@pytest.mark.postgres
def test_a_draft_saved_by_the_button_waits_behind_the_same_link(world: World, plan: Page) -> None:
    saved = plan.press("save", goals="读完二十本史书")
    assert "草稿已保存" in saved.text
    again = world.open(world.mail("study_plan.please_write"))
    assert (again.value("goals"), again.value("plan")) == ("读完二十本史书", "")
    assert "已填入你在11月30日（周一）10:00保存的草稿" in again.text
    mine = world.open(world.mail("join.welcome").link("/me/"))
    assert "11月30日（周一）10:00存过草稿。" in mine.text and "接着写" in mine.text
    again.press("save", goals="读完三十本史书", plan="每天一小时")
    assert drafts(world) == [{"goals": "读完三十本史书", "plan": "每天一小时"}]


def test_the_script_gets_one_line_instead_of_a_page(world: World, plan: Page) -> None:
    answer = save(plan, goals="读史").response
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (
        200,
        "10:00 已保存",
        "text/plain; charset=utf-8",
    )
    assert drafts(world) == [{"goals": "读史", "plan": ""}]


def test_a_draft_survives_a_refused_hand_in_and_a_restart(world: World, plan: Page) -> None:
    plan.press("save", goals="读史", plan="每天")
    refused = world.open(world.mail("study_plan.please_write")).press(
        "submit", goals="读史读史", plan=""
    )
    assert (refused.status, refused.value("goals")) == (422, "读史读史")
    assert drafts(world) == [{"goals": "读史", "plan": "每天"}]
    client = create_app(world.service.settings).test_client()  # another process on the same data
    page = client.get(
        world.mail("study_plan.please_write").link().removeprefix(world.base.rstrip("/")),
        follow_redirects=True,
    ).text
    assert "读史</textarea>" in page and "每天</textarea>" in page


@pytest.mark.postgres
def test_handing_in_ends_the_draft_and_a_save_that_comes_late_keeps_nothing(
    world: World, plan: Page
) -> None:
    plan.press("save", goals="读史")
    plan.press("submit", goals="读史", plan="每天")
    assert drafts(world) == []
    late = save(plan, goals="读史还没写完")
    assert (late.status, late.response.text) == (403, "没有存上。按“存草稿”看看原因。")
    shown = plan.press("save", goals="读史还没写完")
    assert shown.status == 403 and "读史还没写完" in shown.response.text, "nothing typed is lost"
    assert drafts(world) == []


def test_thrown_away_a_draft_leaves_what_was_handed_in_before(world: World, plan: Page) -> None:
    plan.press("submit", goals="读史", plan="每天")
    world.open(world.mail("study_plan.please_decide")).press("return", note="再细一点")
    returned = world.open(world.mail("study_plan.please_revise"))
    assert "discard" not in returned.actions
    draft = returned.press("save", goals="不要了", plan="")
    assert (draft.value("goals"), draft.value("plan")) == ("不要了", "")
    clean = draft.press("discard")
    assert "草稿已删除" in clean.text and (clean.value("goals"), clean.value("plan")) == (
        "读史",
        "每天",
    )
    assert drafts(world) == []


def test_nobody_but_its_person_sees_a_draft(world: World, plan: Page) -> None:
    plan.press("save", goals="只有我知道的打算")
    world.pass_time(days=4)
    owner = world.sign_in("owner@qq.com")
    desk = owner.get("/jiuniu/desk")
    matter = next(
        str(a["href"]) for a in desk.soup.select("a[href*='/c/']") if "学习计划" in a.text
    )
    for page in (desk, owner.get(matter), owner.get(matter + "?for=person")):
        assert page.status == 200 and "只有我知道的打算" not in page.response.text
    acting = owner.get(matter + "?for=person")
    assert "submit" in acting.actions and "save" not in acting.actions
    forged = acting.forge("save", goals="替他写")
    assert forged.status == 403
    assert drafts(world) == [{"goals": "只有我知道的打算", "plan": ""}]
    assert all("只有我知道的打算" not in mail.text for mail in world.mails)


def test_what_is_too_long_is_not_kept_and_not_lost(world: World, plan: Page) -> None:
    huge = "字" * (1024 * 1024 // 3 + 1)
    page = plan.press("save", goals=huge)
    assert (page.status, page.value("goals") == huge, "超过了 1 MB" in page.text) == (
        422,
        True,
        True,
    )
    assert save(plan, goals=huge).status == 422
    assert drafts(world) == []


def test_a_form_that_opens_a_case_keeps_its_draft_too(world: World) -> None:
    world.add_member(LILEI, "李雷")
    page = world.form_page("nomination", LILEI)
    assert save(page, why="我愿意").response.text.endswith("已保存")
    mine = world.open_own_page(LILEI)
    assert "写了一半，还没提交" in mine.text
    form = next(str(a["href"]) for a in mine.soup.select("a.row-link") if "自荐" in a.text)
    again = mine.browser.get(form)
    assert again.value("why") == "我愿意"
    assert again.press("discard").value("why") == ""
    again.press("save", why="我很愿意")
    assert drafts(world) == [{"why": "我很愿意", "plan": ""}]
    handed_in = mine.browser.get(form)
    handed_in.browser.post(form, handed_in.fields("save") | {"plan": "每周四主持"})
    assert world.case("nomination", LILEI).answers == {"why": "我很愿意", "plan": "每周四主持"}
    assert drafts(world) == []
    assert save(handed_in, why="来晚了").status == 403
    assert drafts(world) == []


def test_a_book_that_is_named_goes_before_what_the_draft_says_of_it(world: World) -> None:
    world.add_member(LILEI, "李雷")
    world.live_until(datetime(2026, 12, 6, 1, tzinfo=UTC), step=timedelta(days=1))
    page = world.open(world.mail("reflection.please_read", LILEI))
    page.press("save", book="", reflection="写了一半")
    named = world.open(world.mail("reflection.please_read", LILEI)).press(
        "choose", book="活着", author="余华"
    )
    fields = named.fields("submit")
    assert (fields["book"], fields["author"], fields["reflection"]) == ("活着", "余华", "写了一半")


def test_an_applicant_whose_application_came_back_keeps_a_draft_too(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    world.open(world.mail("join.please_decide")).press("return", note="请再多写几句。")
    page = world.open(world.mail("join.please_revise", LILEI))
    page.press("save", about="想认真读书，尤其是")
    again = world.open(world.mail("join.please_revise", LILEI))
    assert again.fields("resubmit")["about"] == "想认真读书，尤其是"
    again.press("resubmit", about="想认真读书，尤其是历史。")
    assert (world.case("join", LILEI).answers["about"], drafts(world)) == (
        "想认真读书，尤其是历史。",
        [],
    )


def test_a_save_that_comes_after_its_own_form_keeps_nothing_though_the_form_may_be_opened_again(
    world: World,
) -> None:
    world.add_member(LILEI, "李雷")
    page = world.form_page("new-name", LILEI)
    page.browser.post(page.response.url, page.fields("save") | {"name": "李雷", "city": "北京"})
    assert world.person(LILEI).display_name == "北京+李雷"
    assert save(page, city="北").status == 403
    assert save(page.browser.get(page.response.url), city="上海").status == 200
    assert drafts(world) == [{"name": "李雷", "city": "上海"}]


def test_what_wants_a_fresh_link_is_done_at_once_and_keeps_no_draft(world: World) -> None:
    world.add_member(LILEI, "李雷")
    page = world.form_page("departure", LILEI)
    assert "save" not in page.actions
    assert page.forge("save", why="想走").status == 403
    assert drafts(world) == []


def test_a_draft_typed_past_the_due_time_is_kept_for_the_second_chance(
    world: World, plan: Page
) -> None:
    world.pass_time(days=4)
    assert world.case("study_plan", LILEI).state == "overdue"
    assert save(plan, goals="差一点就写完").status == 200
    assert world.open(world.mail("study_plan.second_chance")).value("goals") == "差一点就写完"


def test_a_finger_that_rests_on_save_is_slowed_down(
    world: World, plan: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.cases.drafts.DRAFTS", replace(DRAFTS, most=2))
    assert [save(plan, goals=f"{number}").status for number in range(3)] == [200, 200, 429]
    refused = plan.press("save", goals="还在")
    assert (refused.status, refused.value("goals")) == (429, "还在")


def test_housekeeping_of_a_running_service_takes_ended_drafts(world: World, plan: Page) -> None:
    plan.press("save", goals="读史")
    world.open(world.mail("study_plan.please_write"))
    Ticker(world.service).tick_housekeeping()
    assert len(drafts(world)) == 1
    world.pass_time(days=61)
    Ticker(world.service).tick_housekeeping()
    assert drafts(world) == []


def test_saving_writes_no_event_and_no_letter(world: World, plan: Page) -> None:
    world.tick()
    before = world.ledger(), len(world.rows(select(Event)))
    browser: Browser = plan.browser
    for text in ("读", "读史", "读史书"):
        save(browser.get(plan.response.url), goals=text)
    assert (world.ledger(), len(world.rows(select(Event)))) == before
