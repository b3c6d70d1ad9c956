"""A member's own pages in a real browser: drafts that save themselves, every page by axe."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from engine.security.links import Link
from engine.storage.models import Draft
from tests.browser.test_story import PHONE, chromium, look, press  # noqa: F401  (the fixture)
from tests.world import APPLICATION, World

pytestmark = pytest.mark.browser

LILEI = "lilei@qq.com"
SAVED = re.compile(r"^10:00 已保存$")


def drafts(world: World) -> list[str]:
    return [str(draft.answers["goals"]) for draft in world.rows(select(Draft))]


def test_typing_saves_a_draft_and_says_so(world: World, chromium: Browser) -> None:  # noqa: F811
    world.join()
    page = chromium.new_context(viewport=PHONE, locale="zh-CN").new_page()  # type: ignore[arg-type]
    problems: list[str] = []
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    page.goto(world.mail("study_plan.please_write").link())
    page.fill('[name="goals"]', "读完二十本史书")
    line = page.locator("[data-draft-line]")
    expect(line).to_have_text(SAVED)
    assert drafts(world) == ["读完二十本史书"]
    look(page, "the form with a saved draft")
    page.reload()
    assert page.input_value('[name="goals"]') == "读完二十本史书"
    assert problems == [], "the policy on scripts lets ours run and asks for nothing else"
    page.context.set_offline(True)
    page.fill('[name="goals"]', "读完三十本史书")
    expect(line).to_have_text("还没存上，我们会继续尝试。")
    page.context.set_offline(False)
    expect(line).to_have_text(SAVED, timeout=25_000)
    assert drafts(world) == ["读完三十本史书"]
    page.evaluate("document.querySelector('form[data-draft]').noValidate = true")
    page.fill('[name="goals"]', "读完四十本史书")
    press(page, 'button[value="submit"]')  # without a plan: refused, shown again, and kept
    expect(line).to_have_text(SAVED)
    assert drafts(world) == ["读完四十本史书"]
    page.fill('[name="plan"]', "每天一小时")
    press(page, 'button[value="submit"]')
    page.wait_for_timeout(2500)  # a save that was under way would have come by now
    assert drafts(world) == []
    page.context.close()


def test_without_a_script_the_button_saves(world: World, chromium: Browser) -> None:  # noqa: F811
    world.join()
    page = chromium.new_context(
        viewport=PHONE, locale="zh-CN", java_script_enabled=False
    ).new_page()  # type: ignore[arg-type]
    page.goto(world.mail("study_plan.please_write").link())
    page.fill('[name="goals"]', "读完二十本史书")
    press(page, 'button[value="save"]')
    assert "草稿已保存" in page.inner_text("main")
    assert drafts(world) == ["读完二十本史书"]
    page.click(".draft-fold summary")
    press(page, 'button[value="discard"]')
    assert drafts(world) == [] and page.input_value('[name="goals"]') == ""
    page.context.close()


def test_an_application_survives_a_reload_in_its_own_tab_until_it_is_sent(
    world: World,
    chromium: Browser,  # noqa: F811
) -> None:
    context = chromium.new_context(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{world.base}jiuniu/join")
    page.fill('[name="about"]', "想认真读书。")
    page.reload()
    assert page.input_value('[name="about"]') == "想认真读书。"
    other = context.new_page()
    other.goto(f"{world.base}jiuniu/join")
    assert other.input_value('[name="about"]') == "", (
        "a shared computer tells the next person nothing"
    )
    page.wait_for_timeout(2100)
    for name, typed in APPLICATION.items():
        if name == "accept_charter":
            page.check(f'[name="{name}"]')
        else:
            page.fill(f'[name="{name}"]', typed)
    press(page, 'form[method="post"] button')
    page.goto(f"{world.base}jiuniu/join")
    assert page.input_value('[name="about"]') == ""
    context.close()


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("zh-CN", "light", 320), ("en", "dark", 390)]
)
def test_every_room_is_open_to_every_eye_on_the_narrowest_phone(
    world: World,
    chromium: Browser,  # noqa: F811
    locale: str,
    scheme: str,
    width: int,
) -> None:
    world.add_member(LILEI, "李雷", locale=locale)
    world.live_until(datetime(2026, 12, 15, tzinfo=UTC), step=timedelta(hours=12))
    you = world.person(LILEI)
    token = world.service.links.token(
        Link("me", world.club_id, you.id, you.link_epoch, 0, world.now)
    )
    context = chromium.new_context(
        viewport={"width": width, "height": 700}, locale=locale, color_scheme=scheme
    )  # type: ignore[arg-type]
    page = context.new_page()
    for room in ("", "/record", "/letters", "/settings", "/data"):
        page.goto(f"{world.base}me/{token}{room}")
        for fold in page.query_selector_all("main summary"):
            fold.click()
        look(page, room or "my page")
    page.goto(f"{world.base}jiuniu/privacy")
    look(page, "privacy")
    page.goto(f"{world.base}jiuniu/join")
    page.click(".privacy summary")
    look(page, "the notice at the application")
    page.goto(f"{world.base}me/{token}")
    press(page, "article.due a.button")
    look(page, "the form, one tap away")
    assert page.url.endswith("#acts")
    context.close()
