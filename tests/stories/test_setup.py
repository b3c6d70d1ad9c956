"""A new installation: from the code that the server prints to a club that works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app import create_app
from engine.settings import MailServer, load
from engine.setup.first_club import setup_code
from engine.storage.models import Club, Heartbeat, MailAccount
from tests.mailers.scripted import Scripted
from tests.page import Browser
from tests.stories.setup_steps import SECRET, YOU, at_home, code_of, count, enter, own, to_mail
from tests.world import World
from web.app import demo
from web.app.services import Services

# The way


@pytest.mark.postgres
def test_from_the_code_to_a_club_that_writes(fresh: World, serve: Callable[..., Scripted]) -> None:
    server = serve()
    page = enter(fresh)
    assert "第 1 步，共 4 步" in page.text
    page = page.press(**YOU)
    assert "第 2 步" in page.text and "3 天" in page.text
    page = page.press(plan_days="5").browser.get("/setup/mail?provider=own")
    tried = page.press("test", **own(server.port))
    assert (tried.status, "试发成功" in tried.text, tried.actions) == (
        200,
        True,
        ["next", "test", "later"],
    )
    assert [line for line in server.commands if line.startswith("rcpt")] == [
        "rcpt TO:<owner@qq.com>"
    ]
    check = tried.press("next")
    assert "第 4 步" in check.text and "club@jiuniu.example" in check.text and "5 天" in check.text
    assert count(fresh, Club) == count(fresh, MailAccount) == 0  # nothing half-made
    ready = check.press("found")
    assert ready.response.url == f"{fresh.base}club/desk/ready"
    assert ready.soup.select("#invite")[0].text == f"{fresh.base}club/join"
    assert ready.browser.get("/club/desk/members").status == 200  # signed in as the owner
    at_home(fresh)
    with fresh.service.db.read() as session:
        club = session.execute(select(Club)).scalar_one()
        assert (club.name, club.zone, club.locale, club.charter["numbers"]["plan_days"]) == (
            "九牛读书会",
            "Asia/Shanghai",
            "zh-CN",
            5,
        )
        assert session.get(Heartbeat, "setup") is None
    server.mails.clear()
    fresh.apply()
    fresh.tick()
    [mail] = server.mails
    assert b"<club@jiuniu.example>" in mail and "mail FROM:<club@jiuniu.example>" in " ".join(
        server.commands
    )


def test_the_secret_stands_nowhere_in_clear(
    fresh: World, serve: Callable[..., Scripted], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(AUTH=b"535 5.7.8 no: " + SECRET.encode() + b"\r\n")
    page = to_mail(fresh)
    seen = [page, refused := page.press("test", **own(server.port))]
    seen += [
        check := refused.press("next"),
        ready := check.press("found"),
        ready.browser.get("/club/desk/mail"),
    ]
    assert refused.status == 422 and "535 5.7.8 no: …" in refused.text
    assert [page.response.url for page in seen if SECRET in page.response.text] == []
    assert SECRET not in caplog.text and SECRET not in repr(fresh.service.outgoing())
    with fresh.service.db.read() as session:
        held = [
            str(list(row))
            for table in ("mail_account", "heartbeat", "club")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        ]
        assert (len(held) >= 2, [row for row in held if SECRET in row]) == (True, [])
    assert fresh.service.outgoing().server == MailServer(
        "smtp", "127.0.0.1", server.port, "club@jiuniu.example", SECRET
    )


def test_a_second_press_and_a_reload_do_no_harm(fresh: World) -> None:
    check = to_mail(fresh).browser.get("/setup/mail").press("later")
    fields = check.fields("found") | {"action": "found"}
    first, second = (check.browser.post("/setup/check", fields) for _ in range(2))
    assert [page.response.url for page in (first, second)] == [
        f"{fresh.base}club/desk/ready",
        f"{fresh.base}setup",
    ]
    other = Browser(fresh.base)
    assert (
        other.get("/club/desk/ready").response.url == f"{fresh.base}club/desk"
    )  # others are asked to sign in
    assert count(fresh, Club) == 1


def test_whoever_missed_the_answer_is_signed_in_by_the_second_press(fresh: World) -> None:
    check = to_mail(fresh).browser.get("/setup/mail").press("later")
    fields = check.fields("found") | {"action": "found"}
    session = check.browser.session
    lost = session.post(f"{fresh.base}setup/check", data=fields, allow_redirects=False, timeout=20)
    session.cookies.pop("jiuniu_session")
    assert lost.status_code == 303
    assert check.browser.post("/setup/check", fields).response.url == f"{fresh.base}club/desk/ready"
    assert count(fresh, Club) == 1


def test_what_was_said_waits_for_another_day(fresh: World) -> None:
    to_mail(fresh, owner_name="李老师", other_zone="Europe/Lisbon", slug="Readers").press(
        "next", **own(2525)
    )
    page = enter(fresh)
    assert (page.value("owner_name"), page.value("other_zone"), page.value("slug")) == (
        "李老师",
        "Europe/Lisbon",
        "readers",
    )
    mail = page.browser.get("/setup/mail")
    assert (mail.value("host"), mail.value("port"), mail.value("password")) == (
        "127.0.0.1",
        "2525",
        "",
    )
    assert mail.press("next").status == 200  # the secret that was kept does


def test_a_latin_name_gives_the_short_name(fresh: World) -> None:
    page = enter(fresh).press(**(YOU | {"name": "Nine Oxen’s Readers", "locale": "en"}))
    page = page.press().browser.get("/setup/mail").press("later")
    assert f"{fresh.base}nine-oxens-readers/" in page.text


# The door


def test_the_server_prints_the_code_while_there_is_no_club(
    fresh: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    create_app(fresh.service.settings)
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert (
        line
        == f"No club of your own yet: open {fresh.base}setup and enter the code {code_of(fresh)}"
    )
    again = Services.build(load(fresh.same_data))
    assert setup_code(again.settings.secret_keys) == code_of(
        fresh
    )  # in every process, after every restart
    fresh.found_club()
    caplog.clear()
    create_app(fresh.service.settings)
    assert caplog.records == []


@pytest.mark.parametrize(
    "change", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\u3000"]
)
def test_the_code_may_be_typed_as_phones_do(fresh: World, change: Callable[[str], str]) -> None:
    assert (
        fresh.browser().get("/setup").press("code", code=change(code_of(fresh))).response.url
        == f"{fresh.base}setup/club"
    )


def test_guessing_the_code_ends_soon(fresh: World) -> None:
    page = fresh.browser().get("/setup")
    answers = [page.press("code", code=f"AAAA-22{number:02}") for number in range(11)]
    assert [answer.status for answer in answers] == [422] * 10 + [429]
    assert answers[0].value("code") == "AAAA-2200"
    assert page.press("code", code=code_of(fresh)).status == 429


def test_without_the_code_no_step_opens(fresh: World) -> None:
    stranger = fresh.browser()
    for step in ("club", "rules", "mail", "check"):
        assert stranger.get(f"/setup/{step}").response.url == f"{fresh.base}setup"
        assert stranger.post(f"/setup/{step}", YOU | {"action": "found"}).status == 400
    assert count(fresh, Club) == 0


def test_once_there_is_a_club_the_set_up_leads_to_its_desk(world: World) -> None:
    page = world.browser().get("/setup")
    assert (
        "九牛已经设好" in page.text
        and page.soup.select_one('main a[href="/jiuniu/desk"]') is not None
    )
    assert page.soup.select("main form") == []
    assert world.browser().get("/setup/club").response.url == f"{world.base}setup"


@pytest.mark.postgres
def test_the_demo_goes_first_and_only_with_a_tick(fresh: World) -> None:
    demo.begin(fresh.service)
    browser = fresh.browser()
    enter(fresh, browser).press(**YOU).press()
    check = browser.get("/setup/mail").press("later")
    refused = check.press("found")
    assert (refused.status, "要先把演示移走" in refused.text) == (422, True)
    ready = refused.press("found", replace_demo="y")
    assert ready.response.url == f"{fresh.base}club/desk/ready"
    with fresh.service.db.read() as session:
        assert [club.slug for club in session.execute(select(Club)).scalars()] == ["club"]
    assert browser.get("/mailbox").status == 200  # without an account mails stay here


def test_moving_the_demo_s_clock_signs_nobody_out(begin: Callable[..., World]) -> None:
    world = begin()
    world.found_club(slug=demo.SLUG, is_demo=True)
    owner = world.sign_in("owner@qq.com")
    world.set_clock(world.now + timedelta(days=13, hours=23))  # of fourteen days
    demo.pass_time(world.service, world.folder / "clock-file", timedelta(hours=2))
    assert owner.get("/demo/desk").soup.select('form button[value="away"]') != []


def test_the_built_in_mailbox_tells_each_club_s_time(fresh: World) -> None:
    fresh.found_club()
    fresh.found_club(slug="thames", zone="Europe/London")
    fresh.service.mailbox.mkdir(exist_ok=True)
    for name, slug in (("1-a", "jiuniu"), ("2-b", "thames")):
        head = f"To: lilei@qq.com\nSubject: {slug}\nDate: Mon, 30 Nov 2026 02:00:00 +0000\nList-Id: {slug} <{slug}.example>\n\n"
        (fresh.service.mailbox / f"{name}.eml").write_text(head)
    browser = fresh.browser()
    rows = [row.text.split()[-1] for row in browser.get("/mailbox").soup.select("li.row time")]
    assert rows == ["11月30日（周一）02:00", "11月30日（周一）10:00"]
    assert "11月30日（周一）10:00（北京时间）" in browser.get("/mailbox/1-a").text


# What is wrong stands beside its field, and nothing typed is lost


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("club", YOU | {"owner_email": "nobody"}),
        ("club", YOU | {"slug": "setup"}),
        ("club", YOU | {"other_zone": "Moon/Base"}),
        ("club", YOU | {"name": "书" * 81}),
        ("rules", {"plan_days": "0"}),
        ("rules", {"digest_hour": "noon"}),
        ("mail?provider=own", own(70000)),
        ("mail?provider=own", own(25, host="not a host")),
        ("mail?provider=own", own(25, password="密码")),
        ("mail?provider=own", own(465, host="smtp.qq.com", user="another@qq.com")),
        ("mail?provider=qq", {"address": "somebody@163.com", "password": SECRET}),
        ("mail?provider=qq", {"address": "club@qq.com", "password": ""}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_value_is_shown_beside_its_field(
    fresh: World, step: str, typed: dict[str, str]
) -> None:
    browser = to_mail(fresh).browser
    page = browser.get(f"/setup/{step}")
    again = page.press("test" if "mail" in step else None, **typed)
    wrong = again.soup.select('.field-wrong [aria-invalid="true"]')
    assert (again.status, len(wrong), len(again.soup.select('[role="alert"]'))) == (422, 1, 1)
    assert {name: again.fields("test" if "mail" in step else None)[name] for name in typed} == {
        name: "" if name == "password" else value for name, value in typed.items()
    }


def test_a_press_without_its_token_keeps_the_text(fresh: World) -> None:
    page = enter(fresh)
    refused = page.press(**(YOU | {"csrf_token": "stale"}))
    assert (refused.status, refused.value("name"), "再按一次" in refused.text) == (
        400,
        "九牛读书会",
        True,
    )
    assert refused.press().response.url == f"{fresh.base}setup/rules"
