"""One story on a phone: a real Chromium at 390 px, without JavaScript, every page looked at by axe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.world import APPLICATION, World

PHONE = {"width": 390, "height": 844}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        assert not os.environ.get("JIUNIU_NEED_BROWSER"), (
            "no Chromium here, and this run needs one: install the package chromium"
        )
        pytest.skip("NOT TESTED: no Chromium found, so no page was looked at in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def look(page: Page, what: str) -> None:
    """Nobody is shut out and nothing runs off the screen."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{what} is wider than the phone: {width} px"  # type: ignore[index]
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"


def press(page: Page, button: str) -> None:
    """Press and wait for the page that comes: a look in between would see neither of the two."""
    with page.expect_navigation():
        page.click(button)


def sign_in(world: World, page: Page) -> None:
    """The owner, by the mailed link."""
    page.goto(f"{world.base}jiuniu/desk")
    page.fill('[name="email"]', "owner@qq.com")
    press(page, 'form[method="post"] button')
    page.goto(world.mail("club.sign_in").link())
    press(page, 'button[value="confirm"]')


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en", "dark")])
def test_somebody_applies_on_a_phone_and_the_owner_approves_on_one(
    world: World, chromium: Browser, locale: str, scheme: str
) -> None:
    # axe itself needs scripts; that no page does is told by the story below.
    context = chromium.new_context(viewport=PHONE, locale=locale, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for path, what in (
        ("", "the club"),
        ("join", "the form"),
        ("study-plan", "the address form"),
        ("desk", "the sign-in"),
    ):
        page.goto(f"{world.base}jiuniu/{path}")
        look(page, what)
    page.goto(f"{world.base}jiuniu/join")
    page.wait_for_timeout(2100)  # the form asks for two seconds of a person
    page.fill('[name="email"]', "no address")
    page.evaluate("document.querySelector('form[method=post]').noValidate = true")
    press(page, 'form[method="post"] button')
    look(page, "the form with errors")
    for name, typed in APPLICATION.items():
        if name == "accept_charter":
            page.check(f'[name="{name}"]')
        else:
            page.fill(f'[name="{name}"]', typed)
    press(page, 'form[method="post"] button')
    look(page, "look into your mail")
    page.goto(world.mail("join.confirm_address").link())
    look(page, "the confirmation")
    press(page, 'button[value="confirm"]')
    look(page, "confirmed")
    page.goto(world.mail("join.please_decide").link())
    look(page, "the decision")
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    press(page, 'button[value="decline"]')
    look(page, "the decision without a reason")
    press(page, 'button[value="approve"]')
    look(page, "approved")
    page.goto(world.mail("join.welcome").link("/me/"))
    look(page, "my page")
    page.goto(world.mail("study_plan.please_write").link())
    look(page, "the plan")
    page.goto(f"{world.base}nowhere/")
    look(page, "not found")
    context.close()


def test_no_page_needs_a_script_and_the_narrowest_screen_fits(
    world: World, chromium: Browser
) -> None:
    context = chromium.new_context(
        viewport={"width": 320, "height": 600}, locale="zh-CN", java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{world.base}jiuniu/join")
    page.wait_for_timeout(2100)
    for name, typed in APPLICATION.items():
        if name == "accept_charter":
            page.check(f'[name="{name}"]')
        else:
            page.fill(f'[name="{name}"]', typed)
    page.keyboard.press("Tab")
    press(page, 'form[method="post"] button')
    page.goto(world.mail("join.confirm_address").link())
    press(page, 'button[value="confirm"]')
    page.goto(world.mail("join.please_decide").link())
    page.fill('[name="note"]', "欢迎")
    press(page, 'button[value="approve"]')
    assert "欢迎" in world.mail("join.welcome").text
    context.close()


def test_a_scanner_that_opens_every_link_and_waits_changes_nothing(
    world: World, chromium: Browser
) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    world.tick()
    before = world.ledger()
    page = chromium.new_page()
    for mail in world.mails:
        for link in mail.links:
            page.goto(link)
            page.wait_for_timeout(300)
    assert world.ledger() == before
    page.close()


def test_the_owner_brings_members_in_on_the_narrowest_phone(
    world: World, chromium: Browser
) -> None:
    page = chromium.new_context(viewport={"width": 320, "height": 600}, locale="zh-CN").new_page()
    sign_in(world, page)
    page.click(".menu-more summary")
    look(page, "the folded part of the menu")
    press(page, 'a[href$="/desk/members"]')
    look(page, "the table")
    cells = "姓名,邮箱,城市\n李雷,lilei@qq.com,武汉\n一个很长的名字,a-very-long-address-without-any-break@students.example.org,\n王五,,\n"
    page.set_input_files(
        '[name="file"]',
        files=[{"name": "成员.csv", "mimeType": "text/csv", "buffer": cells.encode("gb18030")}],
    )
    press(page, 'button[value="check"]')
    look(page, "what would happen")
    press(page, 'button[value="import"]')
    look(page, "what happened")
    assert "已导入 2 人。" in page.inner_text("main")
    page.goto(world.mail("club.imported", "lilei@qq.com").link("/me/"))
    look(page, "the charter to acknowledge")
    page.context.close()


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "dark"), ("en", "light")])
def test_a_week_of_reading_and_a_vote_on_the_narrowest_phone(
    world: World, chromium: Browser, locale: str, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": 320, "height": 600}, locale=locale, color_scheme=scheme
    )  # type: ignore[arg-type]
    page = context.new_page()
    for number, name in enumerate(("李雷", "韩梅梅", "林涛")):
        world.add_member(f"m{number}@qq.com", name, locale=locale)
    world.live_until(datetime(2026, 12, 6, 1, tzinfo=UTC), step=timedelta(days=1))
    for address in ("m0@qq.com", "m1@qq.com"):
        page.goto(world.mail("reflection.please_read", address).link())
        look(page, "this week's book")
        page.fill('[id="submit-book"]', "活着")
        page.fill('[id="submit-reflection"]', "人是为活着本身而活着的。" * 30)
        page.check('[id="submit-share"]')
        press(page, 'button[value="submit"]')
    world.live_until(datetime(2026, 12, 7, 1, tzinfo=UTC))
    page.goto(world.mail("club.daily", "owner@qq.com").links[2])
    look(page, "what waits, on one page")
    for box in page.query_selector_all('input[type="checkbox"]'):
        box.check()
    press(page, 'button[value="approve"]')
    look(page, "approved together")
    sign_in(world, page)
    look(page, "the desk")
    page.goto(f"{world.base}jiuniu/reflections")
    look(page, "what we have read")
    world.form_page("nomination", "m2@qq.com")
    page.goto(world.mail("nomination.your_link", "m2@qq.com").link())
    look(page, "the nomination")
    page.fill('[name="why"]', "我愿意。")
    page.fill('[name="plan"]', "每周四主持。")
    press(page, 'main form button:not([name="action"])')
    page.goto(world.mail("nomination.please_decide", "owner@qq.com").link())
    press(page, 'button[value="approve"]')
    page.goto(world.mail("nomination.please_vote", "m0@qq.com").link())
    look(page, "the ballot")
    page.check('[id="choice-yes"]')
    press(page, 'button[value="vote"]')
    look(page, "voted")
    world.form_page("departure", "m1@qq.com")
    page.goto(world.mail("departure.your_link", "m1@qq.com").link())
    look(page, "leaving")
    press(page, 'main form button:not([name="action"])')
    look(page, "gone")
    context.close()


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en", "dark")])
def test_settings_outlook_figures_and_texts_on_the_narrowest_phone(
    world: World, chromium: Browser, locale: str, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": 320, "height": 600}, locale=locale, color_scheme=scheme
    )  # type: ignore[arg-type]
    page = context.new_page()
    world.join()
    world.live_until(datetime(2026, 12, 4, 2, tzinfo=UTC), step=timedelta(hours=12))
    sign_in(world, page)
    desk = f"{world.base}jiuniu/desk/"
    for path in ("ahead", "figures", "settings"):
        page.goto(f"{desk}{path}?lang={locale}")
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        look(page, path)
    for part in (
        "texts",
        "clauses",
        "joining",
        "duties",
        "reading",
        "decisions",
        "votes",
        "mail",
        "deciders",
    ):
        page.goto(f"{desk}settings/{part}")
        look(page, part)
    page.goto(f"{desk}settings/mail")
    page.fill('[name="remind_before"]', "many")
    press(page, 'button[value="preview"]')
    look(page, "a number that is none")
    page.fill('[name="remind_before"]', "2")
    press(page, 'button[value="preview"]')
    look(page, "what would change")
    press(page, 'button[value="save"]')
    look(page, "saved")
    page.goto(f"{desk}settings/history")
    look(page, "the charter's versions")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{desk}group")
    page.click("#invitation + pre + div button")
    page.wait_for_function(
        "document.querySelector('#invitation + pre + div [role=status]').textContent"
    )
    assert page.evaluate("navigator.clipboard.readText()") == page.text_content("#invitation-text")
    look(page, "texts for the group")
    context.close()


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en", "dark")])
def test_the_owner_looks_after_the_club_on_the_narrowest_phone(
    world: World, chromium: Browser, locale: str, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": 320, "height": 600}, locale=locale, color_scheme=scheme
    )  # type: ignore[arg-type]
    page = context.new_page()
    world.add_member("admin@qq.com", "周敏", role="admin", locale=locale)
    world.join(name="一个很长很长的名字")
    world.apply(email="new@qq.com", name="王五")
    world.open(world.mail("join.confirm_address", "new@qq.com")).press("confirm")
    world.sink.replies["RCPT"] = (
        "550 5.1.1 a-very-long-line-of-the-server-without-any-break-in-it-user-unknown"
    )
    world.live_until(world.now + timedelta(days=3), step=timedelta(hours=12))
    world.sink.replies.clear()
    world.live_until(world.now + timedelta(days=2), step=timedelta(hours=12))
    sign_in(world, page)
    look(page, "the desk")
    page.check('[name="case"]')
    press(page, 'button[value="approve"]')
    look(page, "the desk, approved")
    assert world.person("new@qq.com").status == "member"
    desk = f"{world.base}jiuniu/desk"
    for path, what in (
        ("/waiting", "what waits"),
        ("/people", "the people"),
        ("/offices", "who decides"),
        ("/late", "who is late"),
    ):
        page.goto(desk + path)
        look(page, what)
    page.locator("#main summary:not(.menu summary)").first.press("Enter")  # by the keyboard alone
    look(page, "more time")
    page.fill('[name="days"]', "")
    press(page, 'button[value="extend"]')
    look(page, "more time without a number")
    page.fill('[name="days"]', "3")
    press(page, 'button[value="extend"]')
    page.goto(f"{desk}/people?q=lilei")
    press(page, "a.row-link")
    look(page, "a record")
    fold = page.locator("details.card:not([open]) summary")
    if fold.count():
        fold.click()
    press(page, 'button[value="correct"]')
    look(page, "a correction with errors")
    for kind in ("failed", "waiting", "held", "recent"):
        page.goto(f"{desk}/letters?kind={kind}")
        look(page, f"letters: {kind}")
    page.goto(f"{world.base}jiuniu/sessions")
    look(page, "where I am signed in")
    page.goto(f"{desk}/late")
    page.locator("#main summary:not(.menu summary)").first.click()
    page.fill('[name="note"]', "慢慢来。")
    context.clear_cookies()
    press(page, 'button[value="extend"]')
    look(page, "signed out meanwhile")
    assert page.input_value("textarea") == "慢慢来。"
    context.close()
