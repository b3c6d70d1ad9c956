"""Typed input comes back to its person, and to no one else, whatever becomes of a press."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from app import create_app
from engine.cases.erasure import erase_for_good
from engine.security.links import Link
from engine.security.rate_limits import Limit
from engine.storage.database import enter_club
from engine.storage.models import Person, WebSession
from engine.storage.unit_of_work import ClubSession
from tests.page import Page
from tests.web.test_guard import routes
from tests.world import APPLICATION, World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
WORDS = '读了三遍<script>alert("1")</script>，\n想法在这里 & 那里。'
PLAN = {"goals": "读完二十本史书。", "plan": WORDS}


def returned(page: Page) -> list[str]:
    """What stands in boxes that are to be copied."""
    return [
        box.text.removeprefix("\n").replace("\r\n", "\n")
        for box in page.soup.select("textarea[readonly]")
    ]


def change(world: World, address: str, **values: object) -> None:
    def unit(session: ClubSession) -> None:
        enter_club(session, world.club_id)
        session.execute(update(Person).where(Person.address == address).values(**values))

    world.service.db.write(unit)


def link_of(world: World, person: Person, case_id: int) -> str:
    token = world.service.links.token(
        Link("case", world.club_id, person.id, person.link_epoch, case_id, world.now)
    )
    return f"{world.base}c/{token}"


def plan_page(world: World) -> Page:
    world.join()
    return world.open(world.mail("study_plan.please_write"))


def test_no_press_on_any_page_loses_what_was_typed_when_its_token_is_too_old(world: World) -> None:
    """Also a page that is written next year: every address that takes a press is tried."""
    welcome, browser = world.join(), world.sign_in("owner@qq.com")
    mine, case, tried = welcome.link("/me/"), world.mail("study_plan.please_write").link(), 0
    for rule in routes(create_app(world.service.settings), "POST"):
        if rule == "/unsubscribe/<path:token>":
            continue
        path = (
            rule.replace("/me/<path:token>", mine)
            .replace("/me/<token>", mine)
            .replace("/c/<path:token>", case)
        )
        path = (
            path.replace("<slug>", "jiuniu")
            .replace("<int:person_id>", "1")
            .replace("<path>", "join")
            .replace("<part>", "texts")
        )
        page = browser.post(
            path,
            {
                "why": WORDS,
                "note": "第二段",
                "password": "geheim",
                "action": "approve",
                "csrf_token": "old",
            },
        )
        assert (page.status, returned(page), "geheim" in page.response.text) == (
            400,
            [WORDS, "第二段"],
            False,
        ), rule
        assert page.response.text.count("<script>alert") == 0, rule
        assert (page.soup.html or {}).get("lang") == "zh-CN"
        tried += 1
    assert tried > 20


def test_what_a_foreign_page_sends_is_shown_to_nobody(world: World) -> None:
    foreign = {"Origin": "https://evil.example"}
    page = world.browser().post("/jiuniu/join", APPLICATION | {"about": WORDS}, headers=foreign)
    assert (page.status, returned(page), "读了三遍" in page.response.text) == (403, [], False)
    hidden = world.browser().post(
        "/jiuniu/join", APPLICATION | {"about": WORDS}, headers={"Origin": "null"}
    )
    assert (hidden.status, WORDS in returned(hidden)) == (400, True)
    assert hidden.soup.select('form[method="post"]') == [], (
        "one press on words that somebody else may have written is one too many"
    )


def lose_office(world: World) -> None:
    change(world, "admin@qq.com", role="member")


def leave(world: World) -> None:
    change(world, "admin@qq.com", status="departed", link_epoch=7)


def be_erased(world: World) -> None:
    world.service.db.write(
        erase_for_good, world.club_id, world.person("admin@qq.com").id, world.now
    )


def renew_links(world: World) -> None:
    world.open_own_page("admin@qq.com", "data").press("lost")


def decide(world: World) -> None:
    world.open(world.mail("join.please_decide", "owner@qq.com")).press("approve")


@pytest.mark.parametrize(
    ("meanwhile", "status", "says"),
    [
        (lose_office, 403, "这里不能打开"),
        (leave, 410, "可以再次申请"),
        (be_erased, 410, "可以再次申请"),
        (renew_links, 410, "什么都没有丢"),
        (decide, 409, "刚刚已经有人处理了"),
    ],
)
def test_a_reason_that_came_too_late_is_handed_back(
    world: World, meanwhile: Callable[[World], None], status: int, says: str
) -> None:
    world.add_member("admin@qq.com", "韩梅梅", role="admin")
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    owner = world.open(world.mail("join.please_decide", "owner@qq.com"))
    case, admin = world.case("join", "lilei@qq.com"), world.person("admin@qq.com")
    page = world.browser().get(link_of(world, admin, case.id))
    meanwhile(world)
    looked = page.browser.post(
        page.response.url, page.fields("decline") | {"preview": "decline", "note": WORDS}
    )
    assert (looked.status, returned(looked)) == (status, [WORDS]), looked.text
    late = page.press("decline", note=WORDS)
    assert (late.status, returned(late)) == (status, [WORDS]), late.text
    assert says in late.text and owner.status == 200


def test_a_member_who_was_removed_while_writing_keeps_the_plan(world: World) -> None:
    page = plan_page(world)
    change(world, "lilei@qq.com", status="removed", link_epoch=3)
    late = page.press("submit", **PLAN)
    assert (late.status, returned(late)) == (410, [PLAN["goals"], WORDS])
    line = page.browser.post(
        page.response.url,
        page.fields("save") | PLAN | {"action": "save"},
        headers={"Accept": "text/plain"},
    )
    assert (line.status, line.response.text) == (410, "没有存上。按“存草稿”看看原因。"), (
        "the page's script gets a line, not a page"
    )


def test_words_in_a_field_that_a_form_has_no_more_stand_below_the_form(world: World) -> None:
    page = plan_page(world)
    late = page.press("submit", goals="", plan=PLAN["plan"], thoughts="这一栏从前有。")
    assert (late.status, late.value("plan").strip(), returned(late)) == (
        422,
        WORDS,
        ["这一栏从前有。"],
    )


DESK = {
    "club": {"action": "offer", "email": "b@qq.com"},
    "late": {"action": "extend", "note": WORDS},
    "mail": {"address": "c@qq.com"},
    "members": {"cells": "姓名,邮箱\n李雷,a@qq.com"},
    "settings/texts": {"purpose": WORDS},
    "settings/club": {"name": "新名字"},
    "people/2": {"action": "correct", "email": "d@qq.com", "why": WORDS},
    "people/2/departure": {"why": WORDS},
}


@pytest.mark.parametrize("role", ["member", "signed out"])
def test_whoever_may_not_press_at_the_desk_any_more_keeps_the_words(
    world: World, role: str
) -> None:
    world.add_member("lilei@qq.com", "李雷")
    owner = world.sign_in("owner@qq.com")
    token = {"csrf_token": owner.get("/jiuniu/desk/club").value("csrf_token"), "password": "geheim"}

    def end_of_office(session: ClubSession) -> None:
        enter_club(session, world.club_id)
        session.execute(
            update(Person).values(role="member") if role == "member" else delete(WebSession)
        )

    world.service.db.write(end_of_office)
    for path, typed in DESK.items():
        late = owner.post(f"/jiuniu/desk/{path}", token | typed)
        words = [text for name, text in typed.items() if name != "action"]
        assert (late.status, returned(late), "geheim" in late.response.text) == (
            403,
            words,
            False,
        ), path
        assert ("登录已过期" in late.text) == (role == "signed out"), path


def test_after_signing_in_again_one_press_sends_it(world: World) -> None:
    owner = world.sign_in("owner@qq.com")
    page = owner.get("/jiuniu/desk/settings/texts")
    owner.session.cookies.clear(domain="127.0.0.1", path="/jiuniu/", name="jiuniu_session")
    ended = page.press("preview", purpose=WORDS)
    assert (ended.status, ended.actions) == (403, [])
    world.press_as_a_person(owner.get("/jiuniu/desk"), email="owner@qq.com")
    world.open(world.mail("club.sign_in", "owner@qq.com"), owner).press("confirm")
    seen = ended.press()
    assert (seen.status, seen.value("purpose").replace("\r\n", "\n")) == (200, WORDS)


def test_too_many_presses_and_a_case_that_is_gone_show_the_words_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, lilei = plan_page(world), world.person("lilei@qq.com")
    token = {"csrf_token": page.value("csrf_token")}
    gone = page.browser.post(link_of(world, lilei, 999), token | PLAN)
    assert (gone.status, returned(gone)) == (400, [PLAN["goals"], WORDS])  # another link's form
    monkeypatch.setattr("web.http.auth.UNKNOWN_TOKENS", Limit("test", 0, timedelta(hours=1)))
    often = page.browser.post("/c/nonsense", token | {"note": WORDS})
    assert (often.status, returned(often)) == (429, [WORDS])
