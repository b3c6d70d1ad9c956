"""The set-up on a phone, from the code to a working club.

Axe looks at every step; its decisions are counted.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from engine.setup.first_club import setup_code
from mailers.account.providers import PRESETS, MailProvider
from tests.browser.test_story import PHONE, chromium, look, press
from tests.mailers.scripted import Scripted
from tests.world import World
from web.app import demo

__all__ = ["chromium"]

pytestmark = pytest.mark.browser

# What stands empty and must be answered; a page without any of that asks for one press.
OPEN = "[...document.querySelectorAll('main [required]')].filter(box => box.type === 'checkbox' ? !box.checked : !box.value).length"


def decisions(page: Page, what: str) -> int:
    look(page, what)
    return max(1, page.evaluate(OPEN))


@pytest.mark.parametrize(
    ("locale", "scheme", "after_demo"), [("zh-CN", "light", True), ("en", "dark", False)]
)
def test_a_club_in_under_ten_decisions(
    begin: Callable[..., World],
    chromium: Browser,
    monkeypatch: pytest.MonkeyPatch,
    locale: str,
    scheme: str,
    after_demo: bool,
) -> None:
    world = begin(JIUNIU_SMTP_URL="")
    server = Scripted({"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 welcome\r\n"})
    monkeypatch.setitem(
        PRESETS, "qq", MailProvider("qq", "QQ", {"qq.com": "127.0.0.1"}, server.port, "smtp")
    )
    if after_demo:
        demo.begin(world.service)
    context = chromium.new_context(viewport=PHONE, locale=locale, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{world.base}setup")
    decided = decisions(page, "the door")
    page.fill('[name="code"]', setup_code(world.service.settings.secret_keys))
    press(page, 'button[value="code"]')
    decided += decisions(page, "the club")
    page.fill('[name="name"]', "九牛读书会")
    page.fill('[name="owner_name"]', "陈老师")
    page.fill('[name="owner_email"]', "owner@qq.com")
    press(page, "main form .button-main")
    decided += decisions(page, "the numbers")
    press(page, "main form .button-main")
    decided += decisions(page, "the mail account")
    page.fill('[name="password"]', "abcdefghijklmnop")
    press(page, 'button[value="test"]')
    decided += 1
    look(page, "the test mail has left")
    press(page, 'button[value="next"]')
    decided += decisions(page, "the last look")
    if after_demo:
        page.check('[name="replace_demo"]')
    press(page, 'button[value="found"]')
    look(page, "ready")
    assert page.url == f"{world.base}club/desk/ready"
    assert (decided, decided < 10) == (8, True)
    assert len(server.mails) == 1
    page.goto(f"{world.base}club/desk/mail")
    look(page, "the mail account on the desk")
    page.goto(f"{world.base}setup")
    look(page, "the door when all is done")
    context.close()
    server.stop()


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "dark"), ("en", "light")])
def test_what_goes_wrong_is_readable_on_the_narrowest_phone(
    begin: Callable[..., World], chromium: Browser, locale: str, scheme: str
) -> None:
    world = begin(JIUNIU_SMTP_URL="")
    context = chromium.new_context(
        viewport={"width": 320, "height": 600}, locale=locale, color_scheme=scheme
    )  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{world.base}setup")
    page.fill('[name="code"]', "WRONG")
    press(page, 'button[value="code"]')
    look(page, "a wrong code")
    page.fill('[name="code"]', setup_code(world.service.settings.secret_keys))
    press(page, 'button[value="code"]')
    page.evaluate("document.querySelector('details').open = true")
    page.fill('[name="slug"]', "SETUP")
    press(page, "main form .button-main")
    look(page, "the club with errors")
    page.fill('[name="slug"]', "")
    for name, typed in (
        ("name", "Readers"),
        ("owner_name", "Chen"),
        ("owner_email", "chen@example.org"),
    ):
        page.fill(f'[name="{name}"]', typed)
    press(page, "main form .button-main")
    page.fill('[name="plan_days"]', "0")
    press(page, "main form .button-main")
    look(page, "the numbers with errors")
    page.goto(f"{world.base}setup/mail")
    look(page, "which provider")
    for provider in ("qq", "163", "gmail", "outlook", "own"):
        page.goto(f"{world.base}setup/mail?provider={provider}")
        look(page, provider)
    for name, typed in (
        ("address", "club@example.org"),
        ("host", "127.0.0.1"),
        ("port", "1"),
        ("password", "secret"),
    ):
        page.fill(f'[name="{name}"]', typed)
    press(page, 'button[value="test"]')
    look(page, "nobody answers")
    context.close()
