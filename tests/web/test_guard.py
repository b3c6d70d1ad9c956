"""Headers, forgery, limits, forged hosts, the generic page for what broke."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from app import create_app
from engine.storage.models import Case, Event, Letter, Person
from tests.world import APPLICATION, World
from web.http.csrf import _no_token_needed
from web.http.security import HEADERS, client_address
from web.member.unsubscribe import unsubscribe


def rows(world: World) -> list[int]:
    return [
        world.rows(select(func.count()).select_from(table))[0]
        for table in (Case, Event, Letter, Person)
    ]


def routes(app: Flask, method: str) -> list[str]:
    return sorted(
        rule.rule for rule in app.url_map.iter_rules() if method in (rule.methods or set())
    )


def test_no_post_without_a_token_changes_anything(world: World) -> None:
    welcome = world.join()
    world.tick()
    mine = welcome.link("/me/")
    tokens = {
        "/c/<path:token>": world.mail("study_plan.please_write").link(),
        "/me/<path:token>": mine,
    }
    before = rows(world)
    app = create_app(world.service.settings)
    tokens |= {
        rule: rule.replace("/me/<token>", mine)
        for rule in routes(app, "POST")
        if rule.startswith("/me/<token>/")
    }
    assert len(tokens) == 4, "my page has two sub-pages with acts"
    for rule in routes(app, "POST"):
        if rule == "/unsubscribe/<path:token>":
            continue
        url = tokens.get(rule) or rule.replace("<slug>", "jiuniu").replace(
            "<path>", "join"
        ).replace("<path:token>", "x")
        action = {"data": "lost", "settings": "fewer"}.get(rule.rpartition("/")[2], "submit")
        for headers in ({}, {"Origin": "https://evil.example"}):
            page = world.browser().post(url, APPLICATION | {"action": action}, headers=headers)
            assert page.status in (400, 403, 404, 422), f"{rule}: every POST is guarded by a token"
    assert rows(world) == before


def test_only_the_unsubscribe_link_goes_without_a_token() -> None:
    assert _no_token_needed == {unsubscribe}


def test_every_page_carries_the_headers(world: World) -> None:
    for path in ("/jiuniu/", "/jiuniu/join", "/nowhere/", "/jiuniu/desk", "/healthz"):
        answer = world.browser().get(path).response
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers or "HttpOnly" in answer.headers["Set-Cookie"]


def test_nothing_foreign_is_loaded_and_one_script_of_our_own(world: World) -> None:
    world.join()
    for link in (
        world.mail("study_plan.please_write").link(),
        world.mail("join.welcome").link("/me/"),
        "/jiuniu/",
        "/jiuniu/join",
    ):
        soup = world.browser().get(link).soup
        assert [
            (str(tag.get("src")).partition("?")[0], tag.text) for tag in soup.select("script")
        ] == [("/static/jiuniu.js", "")]
        assert soup.select("[onclick], [style], [formaction], [form], iframe[src^=http]") == []
        for tag in soup.select("[src], link[href]"):
            assert str(tag.get("src") or tag.get("href")).startswith(("/static/", "data:"))


def test_a_forged_host_changes_no_link(world: World) -> None:
    page = world.browser().get("/jiuniu/join")
    data = page.fields() | APPLICATION | {"form": world.aged_stamp(page.value("form"))}
    answer = page.browser.post(
        "/jiuniu/join",
        data,
        headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    )
    assert answer.status == 200
    forged = world.browser().session.get(
        f"{world.base}jiuniu/join", headers={"Host": "evil.example"}, timeout=60
    )
    assert "evil.example" not in forged.text
    assert "evil.example" not in world.mail("join.confirm_address").text


def test_a_redirect_names_no_host_that_somebody_asked_for(world: World) -> None:
    session = world.browser().session
    for path, leads_to in (("jiuniu", "/jiuniu/"), ("/evil.example", "/evil.example/")):
        answer = session.get(
            f"{world.base}{path}",
            headers={"Host": "evil.example"},
            timeout=60,
            allow_redirects=False,
        )
        assert (answer.status_code, answer.headers["Location"]) == (308, leads_to)


@pytest.mark.postgres
def test_three_mails_a_day_to_one_address(world: World) -> None:
    for number in range(5):
        world.apply(about=f"第 {number} 次")
        world.tick()
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")] * 3


def test_sixty_forms_an_hour_from_one_network(world: World) -> None:
    pages = [world.apply(email=f"a{number}@qq.com") for number in range(62)]
    assert [page.status for page in pages].count(429) == 2
    assert pages[-1].value("about") == APPLICATION["about"]


def test_limits_can_be_off_for_benchmarks(begin: Callable[..., World]) -> None:
    world = begin(JIUNIU_RATE_LIMITS="off")
    world.found_club()
    assert {world.apply(email=f"a{number}@qq.com").status for number in range(62)} == {200}


def test_what_breaks_is_said_with_a_number_and_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail about lilei@qq.com")

    monkeypatch.setattr("web.public.home.by_slug", broken)
    page = world.browser().get("/jiuniu/")
    assert page.status == 500
    assert "secret detail" not in page.response.text and "Traceback" not in page.response.text


def test_under_a_path_prefix_every_link_works(begin: Callable[..., World]) -> None:
    port_free = begin()
    world = begin(JIUNIU_BASE_URL=f"{port_free.base}club")
    world.found_club()
    world.base = world.base + "club/"
    page = world.browser().get("jiuniu/join")
    assert page.status == 200
    assert all(
        str(link["href"]).startswith(("/club/", "?", "#"))
        for link in page.soup.select("a[href]")
        if not str(link["href"]).startswith("http")
    )


@pytest.mark.postgres
def test_pages_ask_the_database_a_fixed_number_of_times(world: World) -> None:
    asked: list[str] = []
    event.listen(
        world.service.db.reader, "before_cursor_execute", lambda *args: asked.append(args[2])
    )

    def count(link: str) -> int:
        asked.clear()
        assert world.browser().get(link).status == 200
        return len(asked)

    world.join()
    first = {kind: count(world.mail("join.welcome").link(kind)) for kind in ("/me/",)}
    world.press_as_a_person(world.browser().get("/jiuniu/desk"), email="owner@qq.com")
    browser = world.browser()
    world.open(world.mail("club.sign_in"), browser).press("confirm")
    asked.clear()
    browser.get("/jiuniu/desk")
    few = len(asked)
    for number in range(5):
        world.join(email=f"m{number}@qq.com", name=f"成员{number}")
        world.apply(email=f"n{number}@qq.com", name=f"新人{number}")
        world.open(world.mail("join.confirm_address")).press("confirm")
    asked.clear()
    browser.get("/jiuniu/desk")
    assert len(asked) == few, "the desk's queries grow with its rows"
    assert count(world.mail("join.welcome").link("/me/")) == first["/me/"]


def test_the_number_of_proxies_decides_whose_address_counts(begin: Callable[..., World]) -> None:
    world = begin(JIUNIU_TRUSTED_PROXIES="1")
    world.found_club()
    statuses = []
    for number in range(62):
        page = world.browser().get("/jiuniu/join")
        data = (
            page.fields()
            | APPLICATION
            | {"email": f"a{number}@qq.com", "form": world.aged_stamp(page.value("form"))}
        )
        statuses.append(
            page.browser.post(
                "/jiuniu/join", data, headers={"X-Forwarded-For": f"203.0.113.{number}"}
            ).status
        )
    assert set(statuses) == {200}


def test_a_form_with_thousands_of_fields_is_turned_away(world: World) -> None:
    page = world.browser().get("/jiuniu/join")
    assert (
        page.browser.post(
            "/jiuniu/join", page.fields() | {f"x{number}": "1" for number in range(1000)}
        ).status
        == 413
    )


def test_a_whole_club_that_keeps_its_lines_open_keeps_nobody_out(world: World) -> None:
    readers = [world.browser() for _ in range(130)]
    assert {reader.get("/healthz").status for reader in readers} == {200}


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_name_of_which_nothing_shows_is_none(world: World) -> None:
    for name in ("\u200b\u2060", "\u3164 \u115f", "\u202e", "\u0301"):
        assert world.apply(name=name).status == 422, name.encode("unicode_escape")
    assert world.apply(name="e\u0301\u200d").status == 200


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_an_ipv6_network_is_one_visitor(world: World) -> None:
    app, seen = create_app(world.service.settings), []
    for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1", "203.0.113.9"):
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            seen.append(client_address())
    assert seen == ["2001:db8:1:2::/64", "2001:db8:1:2::/64", "2001:db8:1:3::/64", "203.0.113.9"]


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_the_built_in_mailbox_shows_under_no_foreign_name(begin: Callable[..., World]) -> None:
    """A page elsewhere whose name is made to lead to this machine (DNS rebinding) reads nobody's
    mail."""
    world = begin(JIUNIU_SMTP_URL="")
    world.found_club()
    session = world.browser().session
    hosts = ("127.0.0.1:9", "localhost", "[::1]:8000", "evil.example", "127.0.0.1.evil.example:80")
    answers = [
        session.get(f"{world.base}mailbox", headers={"Host": host}, timeout=10).status_code
        for host in hosts
    ]
    assert answers == [200, 200, 200, 404, 404]
