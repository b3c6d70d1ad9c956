"""Irreversible actions are confirmed by a link mailed for them (cases C6, C7, C12)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin

import pytest
from sqlalchemy import select

from engine.storage.models import Case
from tests.page import Browser, Page
from tests.world import World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)

LILEI, THIEF, OWNER = "lilei@qq.com", "thief@example.org", "owner@qq.com"


@pytest.fixture
def stranger(world: World) -> Browser:
    """Li Lei joined a moment ago and forwarded his welcome to a chat group."""
    world.link = world.join().link("/me/")  # type: ignore[attr-defined]
    return world.browser()


def form(world: World, stranger: Browser, room: str, title: str) -> Page:
    """What the holder of the welcome finds in a room of the page behind it."""
    page = stranger.get(world.link + room)  # type: ignore[attr-defined]
    links = [str(a["href"]) for a in page.soup.select("main a[href*='/c/']")]
    found = [stranger.get(urljoin(page.response.url, link)) for link in links]
    return next(here for here in found if here.soup.h1 and here.soup.h1.contents[0] == title)


def test_c6_a_forwarded_welcome_lets_nobody_leave_nor_be_erased(
    world: World, stranger: Browser
) -> None:
    page = form(world, stranger, "/data", "退出读书会")
    asked = world.press_as_a_person(page, why="再见", erase="y")
    assert (world.person(LILEI).status, asked.actions) == ("member", ["resend", "withdraw"])
    assert asked.forge("confirm").status == 403
    assert world.person(LILEI).status == "member"
    world.live_until(world.now + timedelta(days=5), step=timedelta(hours=12))
    assert (world.person(LILEI).status, world.case("departure", LILEI).state) == (
        "member",
        "lapsed",
    )


def test_c6_a_forwarded_welcome_moves_no_membership(world: World, stranger: Browser) -> None:
    world.press_as_a_person(form(world, stranger, "/settings", "更换邮箱"), email=THIEF)
    world.tick()
    assert [mail.letter for mail in world.mails if mail.to == THIEF] == []
    told = world.mail("new_address.please_confirm", LILEI)
    assert THIEF in told.text
    world.open(told).press("withdraw")
    assert world.person(LILEI).address == LILEI


def test_c6_both_addresses_confirm_a_change_each_by_its_own_mail(
    world: World, stranger: Browser
) -> None:
    new = "lilei@gmail.com"
    world.press_as_a_person(form(world, stranger, "/settings", "更换邮箱"), email=new)
    present = world.mail("new_address.please_confirm", LILEI)
    world.open(present).press("confirm")
    again = world.open(present)
    assert "confirm" not in again.actions and again.forge("confirm").status == 403, (
        "the present mailbox speaks for the new one"
    )
    assert world.person(LILEI).address == LILEI
    world.open(world.mail("new_address.confirm_new_address", new)).press("confirm")
    assert world.person(new).name == "李雷"


def test_c6_a_confirmation_works_for_half_an_hour_and_can_be_had_again(
    world: World, stranger: Browser
) -> None:
    page = world.press_as_a_person(form(world, stranger, "/data", "退出读书会"))
    first = world.open(world.mail("departure.please_confirm", LILEI))
    world.set_clock(world.now + timedelta(minutes=31))
    assert first.press("confirm").status == 403
    page.press("resend")
    second = world.mail("departure.please_confirm", LILEI)
    page.press("resend")  # by somebody else, so that the one before would not work
    world.open(second).press("confirm")
    assert world.person(LILEI).status == "departed"


def test_c6_the_form_mailed_for_leaving_acts_once(world: World) -> None:
    world.join()
    page = world.form_page("new-address", LILEI)
    world.press_as_a_person(page, email="lilei@gmail.com").press("withdraw")
    again = world.press_as_a_person(
        world.open(world.mail("new_address.your_link", LILEI)), email="other@gmail.com"
    )
    assert again.actions == ["resend", "withdraw"]
    assert world.case("new_address", LILEI).state == "asked", "the second time it is asked back"


def test_c6_a_confirmation_of_one_matter_confirms_no_other(world: World, stranger: Browser) -> None:
    world.press_as_a_person(form(world, stranger, "/data", "退出读书会"), why="一")
    world.press_as_a_person(form(world, stranger, "/settings", "更换邮箱"), email=THIEF)
    leaving = world.open(world.mail("departure.please_confirm", LILEI))
    other = world.open(world.mail("new_address.please_confirm", LILEI))
    fields = other.fields("confirm") | {"action": "confirm"}
    leaving.browser.post(leaving.response.url, fields)
    assert world.person(LILEI).status in ("departed", "member")
    assert [
        case.state for case in world.rows(select(Case).where(Case.workflow == "new_address"))
    ] in (["asked"], ["void"])


def test_c12_nobody_is_owner_by_one_press_on_a_mailed_link(world: World) -> None:
    world.join()
    world.sign_in(OWNER).get("/jiuniu/desk/club").press("offer", email=LILEI)
    offered = world.open(world.mail("handover.please_take_over", LILEI))
    asked = offered.press("accept")
    assert world.person(OWNER).role == "owner"
    assert asked.forge("confirm").status == 403
    confirmed = world.mail("handover.please_confirm", LILEI)
    world.set_clock(world.now + timedelta(minutes=31))
    assert world.open(confirmed).actions == ["resend", "refuse"]
    world.open(confirmed).press("resend")
    world.open(world.mail("handover.please_confirm", LILEI)).press("confirm")
    assert (world.person(LILEI).role, world.person(OWNER).role) == ("owner", "admin")


def test_c7_a_sign_in_link_works_once_also_after_signing_out(world: World) -> None:
    world.join()
    browser = world.sign_in(LILEI)
    mail = world.mail("club.sign_in", LILEI)
    browser.get("/jiuniu/sessions").press("sign_out")
    assert world.open(mail).press("confirm").status == 410
    assert "武汉+李雷" not in browser.get("/jiuniu/me").text
