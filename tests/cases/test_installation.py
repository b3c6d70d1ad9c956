"""What belongs to the installation, what ends with its key, and what a calendar gives away (C9, C11, C12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app import create_app
from engine.charter.model import shipped_charter
from engine.operations.mail_account import save_account
from engine.settings import MailServer
from engine.setup.club_admin import create_club
from engine.setup.first_club import setup_code
from engine.storage.models import MailAccount
from tests.page import Page
from tests.world import World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)

LILEI, OWNER = "lilei@qq.com", "owner@qq.com"
EVIL = {
    "address": "post@evil.example",
    "host": "smtp.evil.example",
    "port": "465",
    "security": "smtps",
    "user": "post",
    "password": "secret",
}


@pytest.fixture
def two(begin: Callable[..., World]) -> World:
    """Two clubs on one machine, its mail account set on the page of the first one."""
    world = begin(JIUNIU_SMTP_URL="")
    world.found_club()
    account = MailServer("smtp", "127.0.0.1", int(world.sink.url.rpartition(":")[2]))
    world.service.db.write(
        save_account, world.service.encryption, account, sender="a@b.example", now=world.now
    )
    world.mine = world.sign_in(OWNER)  # type: ignore[attr-defined]
    world.service.db.write(
        create_club,
        slug="other",
        name="另一个读书会",
        owner_email="other@qq.com",
        owner_name="王老师",
        zone="Asia/Shanghai",
        locale="zh-CN",
        charter=shipped_charter("zh-CN").plain(),
        now=world.now,
    )
    return world


def account(world: World) -> tuple[str, str]:
    with world.service.db.read() as session:
        kept = session.execute(select(MailAccount)).scalar_one()
        return kept.host, kept.sender


def own_server(page: Page, action: str) -> Page:
    return page.browser.post(
        page.response.url, page.fields() | EVIL | {"provider": "own", "action": action}
    )


def test_c9_an_owner_beside_another_club_changes_no_account(two: World) -> None:
    page = two.mine.get("/jiuniu/desk/mail")  # type: ignore[attr-defined]
    assert page.actions == ["code"] and "a@b.example" not in page.text
    assert [own_server(page, action).status for action in ("save", "test")] == [403, 403]
    assert account(two) == ("127.0.0.1", "a@b.example")
    wrong = page.press("code", code="ABCD-2345")
    assert (wrong.status, own_server(page, "save").status) == (422, 403)


def test_c9_the_set_up_code_opens_it_for_half_an_hour(two: World) -> None:
    page = two.mine.get("/jiuniu/desk/mail")  # type: ignore[attr-defined]
    opened = page.press("code", code=setup_code(two.service.settings.secret_keys))
    assert "a@b.example" in opened.text
    assert own_server(opened, "save").status == 200
    assert account(two) == ("smtp.evil.example", "post@evil.example")


def test_c9_the_owner_of_the_only_club_keeps_the_page(world: World) -> None:
    page = world.sign_in(OWNER).get("/jiuniu/desk/mail")
    assert "code" not in page.actions and "启动码" not in page.text


def test_c9_the_account_is_set_by_command(two: World) -> None:
    run = create_app(two.service.settings).test_cli_runner().invoke
    done = run(
        args=["mail-account", "set", "--from", "us@example.org"],
        input="smtps://us:secret@smtp.example.org:465\n",
    )
    assert (done.exit_code, "secret" in done.output) == (0, False)
    assert account(two) == ("smtp.example.org", "us@example.org")
    assert run(args=["mail-account", "set", "--url", "x", "--from", "us@x.org"]).exit_code == 2
    keys = two.service.settings.secret_keys
    assert run(args=["setup-code"]).output.strip() == setup_code(keys)


def test_c11_a_calendar_acts_by_nothing_can_be_renewed_and_ends(world: World) -> None:
    world.join()
    settings = world.open_own_page(LILEI, "settings")
    [address] = [str(a["href"]) for a in settings.soup.select("p.address a")]
    feed = world.browser().get(address).response.text.replace("\r\n ", "")
    links = [line for line in feed.splitlines() if "http" in line]
    assert set(links) == {f"URL:{world.base}jiuniu/me"}
    settings.press("calendar")
    assert world.browser().get(address).status == 410
    page = world.open_own_page(LILEI, "settings")
    [renewed] = [str(a["href"]) for a in page.soup.select("p.address a")]
    assert world.browser().get(renewed).status == 200
    world.press_as_a_person(world.form_page("departure", LILEI))
    assert world.browser().get(renewed).status == 410


def test_c12_a_new_key_without_a_fallback_signs_every_browser_out(
    world: World, begin: Callable[..., World]
) -> None:
    cookies = world.sign_in(OWNER).session.cookies
    old = world.service.settings.secret_keys[0]
    key = {"JIUNIU_SECRET_KEY": "a-new-key-of-many-letters"}
    seen = []
    for settings in (key | {"JIUNIU_SECRET_KEY_FALLBACKS": old}, key):
        turned = begin(**world.same_data | settings)
        browser = turned.browser()
        browser.session.cookies.update(cookies)
        seen.append("陈老师" in browser.get("/jiuniu/desk/offices").text)
    assert seen == [True, False]
