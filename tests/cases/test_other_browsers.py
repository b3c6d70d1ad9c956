"""A decider's link in a browser that was not used before, and acts that nobody can undo (C7, C8)."""

from __future__ import annotations

import pytest

from tests.cases.test_clean_paths import NoCookies
from tests.world import World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)

LILEI, MEIMEI, OWNER = "lilei@qq.com", "hanmeimei@163.com", "owner@qq.com"


def review(world: World, address: str) -> str:
    """Somebody applies; the link in the owner's letter."""
    world.apply(email=address, name="新人")
    world.open(world.mail("join.confirm_address", address)).press("confirm")
    return world.mail("join.please_decide", OWNER).link()


def decided(world: World, address: str) -> str:
    return world.case("join", address).state


def test_c8_the_first_browser_is_trusted_and_another_asks_once_more(world: World) -> None:
    phone, forwarded = world.browser(), world.browser()
    first = phone.get(review(world, LILEI)).press("approve", once_more=False)
    assert decided(world, LILEI) == "approved" and "请再按一次" not in first.text

    page = forwarded.get(review(world, MEIMEI))
    asked = page.press("approve", once_more=False, note="欢迎")
    assert decided(world, MEIMEI) == "review"
    assert "第一次在这个浏览器里使用" in asked.text and asked.value("note") == "欢迎"
    assert asked.actions == ["approve"]
    asked.press("approve", once_more=False)
    assert decided(world, MEIMEI) == "approved"
    third = forwarded.get(review(world, "c@qq.com")).press("approve", once_more=False)
    assert decided(world, "c@qq.com") == "approved" and "请再按一次" not in third.text


def test_c8_without_cookies_one_extra_press_is_enough(world: World) -> None:
    world.browser().get(review(world, LILEI)).press("approve", once_more=False)
    for address in (MEIMEI, "c@qq.com"):
        asked = NoCookies(world.base).get(review(world, address)).press("approve", once_more=False)
        assert decided(world, address) == "review"
        asked.press("approve", once_more=False)
        assert decided(world, address) == "approved"


def test_c8_the_list_of_what_waits_asks_too(world: World) -> None:
    world.browser().get(review(world, LILEI)).press("approve", once_more=False)
    review(world, MEIMEI)
    world.pass_time(days=1)
    queue = next(link for link in world.mail("club.daily", OWNER).links if "/c/" in link)
    page = world.browser().get(queue)
    ticks = {str(item["name"]): str(item["value"]) for item in page.soup.select("[name=case]")}
    if ticks:
        asked = page.press("approve", once_more=False, **ticks)
        assert decided(world, MEIMEI) == "review" and "请再按一次" in asked.text


def test_c8_a_signed_in_browser_is_known(world: World) -> None:
    world.browser().get(review(world, LILEI)).press("approve", once_more=False)
    browser = world.sign_in(OWNER)
    browser.get(review(world, MEIMEI)).press("approve", once_more=False)
    assert decided(world, MEIMEI) == "approved"


def test_c8_the_receipt_names_device_and_time(world: World) -> None:
    phone = world.browser()
    phone.session.headers["User-Agent"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0"
    )
    phone.get(review(world, LILEI)).press("approve")
    world.pass_time(minutes=11)
    receipt = world.mail("club.receipt", OWNER)
    assert "11月30日（周一）10:00按下，iPhone · 微信" in receipt.text
    assert "undo" in world.open(receipt).actions


def test_c7_a_removal_by_link_asks_once_more(world: World) -> None:
    world.join()
    for _day in range(9):
        world.pass_time(days=1)
    decide = world.open(world.mail("study_plan.please_decide_removal", OWNER))
    asked = decide.press("remove", once_more=False, note="两次都没有收到。")
    assert world.person(LILEI).status == "member" and "这件事撤不回来" in asked.text
    asked.press("remove", once_more=False)
    assert world.person(LILEI).status == "removed"
