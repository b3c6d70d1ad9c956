"""Limits count people, not strings: refused input, mailboxes, networks, spent forms (C2, C17, C19)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from engine.security.client_networks import networks_of
from engine.storage.models import Case
from engine.text.addresses import mailbox_of
from tests.world import APPLICATION, World


def test_c2_what_is_refused_counts_too(world: World) -> None:
    page = world.browser().get("/jiuniu/join")
    token = {"csrf_token": page.value("csrf_token")}
    statuses = [
        page.browser.session.post(page.response.url, data=token | {"email": "no"}).status_code
        for _number in range(62)
    ]
    assert (statuses[:60], statuses[60:]) == ([422] * 60, [429] * 2)
    assert world.apply().status == 429


def test_c19_refused_acts_of_one_link_are_counted_and_close_no_other(world: World) -> None:
    world.join()
    link = world.mail("study_plan.please_write").link()
    page = world.browser().get(link)
    token = {"csrf_token": page.value("csrf_token"), "action": "submit", "goals": ""}
    statuses = {page.browser.session.post(link, data=token).status_code for _number in range(120)}
    late = page.browser.post(link, token | {"plan": "每天一页，读完为止。"})
    assert (statuses, late.status) == ({422}, 429)
    assert "每天一页，读完为止。" in late.soup.get_text()
    assert world.browser().get(link).status == 200
    world.add_member("b@qq.com", "韩梅梅")
    other = world.open_own_page("b@qq.com", "settings")
    assert other.press("language", locale="en").status == 200


def test_c17_behind_mapped_addresses_there_are_many_visitors(begin: Callable[..., World]) -> None:
    world = begin(JIUNIU_TRUSTED_PROXIES="1")
    world.found_club()
    assert {_from(world, f"::ffff:203.0.113.{number}", number) for number in range(65)} == {200}


def test_c17_many_networks_of_one_site_have_a_limit_of_their_own(
    begin: Callable[..., World],
) -> None:
    world = begin(JIUNIU_TRUSTED_PROXIES="1")
    world.found_club()
    statuses = [_from(world, f"2001:db8:1:{number:x}::1", number) for number in range(92)]
    assert (statuses[:90], statuses[90:]) == ([200] * 90, [429] * 2)
    assert _from(world, "2001:db8:2:1::1", 99) == 200


def _from(world: World, address: str, number: int) -> int:
    page = world.browser().get("/jiuniu/join")
    stamp = world.aged_stamp(page.value("form"))
    sent = page.fields() | APPLICATION | {"email": f"a{number}@qq.com", "form": stamp}
    return page.browser.post("/jiuniu/join", sent, headers={"X-Forwarded-For": address}).status


NETWORKS = {
    "203.0.113.9": ("203.0.113.9",),
    "203.0.113.9:4711": ("203.0.113.9",),
    "::ffff:203.0.113.9": ("203.0.113.9",),
    "::FFFF:CB00:7109": ("203.0.113.9",),
    "64:ff9b::203.0.113.9": ("203.0.113.9",),
    "2002:cb00:7109::1": ("203.0.113.9",),
    "2001:db8:1:2::1": ("2001:db8:1:2::/64", "2001:db8:1::/48"),
    "[2001:db8:1:2::1]:4711": ("2001:db8:1:2::/64", "2001:db8:1::/48"),
    "fe80::1%eth0": ("fe80::/64", "fe80::/48"),
    "": ("?",),
    "unknown": ("unknown",),
    "x" * 5000: ("x" * 100,),
}


@pytest.mark.parametrize("address", NETWORKS)
def test_c17_whose_limits_count(address: str) -> None:
    assert networks_of(address) == NETWORKS[address]


MAILBOXES = {
    "li.lei+club@gmail.com": "lilei@gmail.com",
    "l.i.l.e.i@googlemail.com": "lilei@gmail.com",
    "lilei+a+b@outlook.com": "lilei@outlook.com",
    "lilei+a@qq.com": "lilei@qq.com",
    "li.lei@qq.com": "li.lei@qq.com",
    "li.lei@outlook.com": "li.lei@outlook.com",
    "li_lei@protonmail.com": "lilei@proton.me",
    "li-lei@ya.ru": "lilei@yandex.ru",
    "lilei-club@yahoo.com": "lilei@yahoo.com",
    "club@lilei.fastmail.com": "lilei@fastmail.com",
    "lilei@me.com": "lilei@icloud.com",
    "+@gmail.com": "+@gmail.com",
    ".@gmail.com": ".@gmail.com",
}


@pytest.mark.parametrize("address", MAILBOXES)
def test_c19_the_mailbox_behind_an_address(address: str) -> None:
    assert mailbox_of(address) == MAILBOXES[address]


def test_c19_one_mailbox_gets_three_mails_whatever_is_written_before_it(world: World) -> None:
    written = ["lilei@gmail.com", "li.lei@gmail.com", "lilei+a@gmail.com", "l.ilei@googlemail.com"]
    assert [world.apply(email=address).status for address in written] == [200, 200, 200, 429]
    assert len(world.new_letters()) == 3


def test_c19_a_form_is_spent_by_what_it_sent(world: World) -> None:
    page = world.browser().get("/jiuniu/join")
    stamp = world.aged_stamp(page.value("form"))

    def sent(address: str) -> int:
        data = page.fields() | APPLICATION | {"email": address, "form": stamp}
        return page.browser.post("/jiuniu/join", data).status

    assert [sent("a@qq.com"), sent("a@qq.com"), sent("b@qq.com"), sent("a@qq.com")] == [
        200,
        200,
        422,
        200,
    ]
    assert world.new_letters() == [("join.confirm_address", "a@qq.com")]
    again = page.browser.post(
        "/jiuniu/join", page.fields() | APPLICATION | {"email": "b@qq.com", "form": stamp}
    )
    assert again.value("about") == APPLICATION["about"]
    assert world.press_as_a_person(again, **APPLICATION | {"email": "b@qq.com"}).status == 200


def test_c19_a_sign_in_form_is_spent_by_what_it_sent(world: World) -> None:
    world.add_member("b@qq.com", "韩梅梅")
    page = world.browser().get("/jiuniu/desk")
    statuses = [page.press(email=address).status for address in ("owner@qq.com", "b@qq.com")]
    assert statuses == [200, 422]
    assert world.new_letters() == [("club.sign_in", "owner@qq.com")]


def test_c19_the_reviewer_sees_whose_mailbox_it_is_too(world: World) -> None:
    world.add_member("li.lei@gmail.com", "李雷")
    world.add_member("leili@gmail.com", "雷丽")
    world.apply(email="lilei+x@gmail.com", name="李磊")
    world.open(world.mail("join.confirm_address")).press("confirm")
    please = world.mail("join.please_decide")
    assert "lilei+x@gmail.com 和武汉+李雷的邮箱其实是同一个" in please.text
    assert "和这些人的邮箱其实是同一个：武汉+李雷。" in world.open(please).text
    assert [case.state for case in world.rows(select(Case))] == ["review"]
