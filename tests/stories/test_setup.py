"""A new installation: from the code that the server prints to a club that works, with a mail account of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from app import create_app
from engine.founding import setup_code
from engine.mail_account import keep_account
from engine.models import Club, Heartbeat, MailAccount
from engine.settings import MailServer, load
from mailers.catcher import _free_port
from mailers.presets import PRESETS, Preset
from tests.mailers.scripted import Reply, Scripted
from tests.world import Browser, Page, World
from web import demo
from web.commands.doctor import examine
from web.service import Service
from web.ticker import Ticker

SECRET = "abcdefghijklmnop"
YOU = {"name": "九牛读书会", "owner_name": "陈老师", "owner_email": "owner@qq.com"}
GREETS: dict[str, Reply] = {"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 welcome\r\n"}


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    servers: list[Scripted] = []

    def start(**replies: Reply) -> Scripted:
        servers.append(Scripted(GREETS | replies))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def fresh(begin: Callable[..., World]) -> World:
    """An installation without a mail server and without a club."""
    return begin(JIUNIU_SMTP_URL="")


def code_of(world: World) -> str:
    return setup_code(world.service.settings.secret_keys)


def enter(world: World, browser: Browser | None = None) -> Page:
    """The first step, behind the code."""
    return (browser or world.browser()).get("/setup").press("code", code=code_of(world))


def own(port: int, **typed: str) -> dict[str, str]:
    return {
        "address": "club@jiuniu.example",
        "host": "127.0.0.1",
        "security": "smtp",
        "port": str(port),
        "password": SECRET,
    } | typed


def to_mail(world: World, browser: Browser | None = None, **typed: str) -> Page:
    """At the mail step, an own server chosen."""
    page = enter(world, browser).press(**(YOU | typed)).press()
    return page.browser.get("/setup/mail?provider=own")


def to_check(world: World, port: int) -> Page:
    return to_mail(world).press("next", **own(port))


def count(world: World, what: Any) -> int:
    with world.service.db.read() as session:
        return session.execute(select(func.count()).select_from(what)).scalar_one()


def at_home(world: World) -> None:
    """The tests' helpers know the club from here on."""
    with world.service.db.read() as session:
        club = session.execute(select(Club)).scalar_one()
        world.slug, world.club_id = club.slug, club.id


# The way


def test_from_the_code_to_a_club_that_writes(fresh: World, serve: Callable[..., Scripted]) -> None:
    server = serve()
    page = enter(fresh)
    assert "第 1 步，共 4 步" in page.text
    page = page.press(**YOU)
    assert "第 2 步" in page.text and "3 天" in page.text
    page = page.press(plan_days="5").browser.get("/setup/mail?provider=own")
    tried = page.press("test", **own(server.port))
    assert (tried.status, "试发成功" in tried.text, tried.actions) == (200, True, ["next", "test", "later"])
    assert [line for line in server.commands if line.startswith("rcpt")] == ["rcpt TO:<owner@qq.com>"]
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
    assert b"<club@jiuniu.example>" in mail and "mail FROM:<club@jiuniu.example>" in " ".join(server.commands)


def test_the_secret_stands_nowhere_in_clear(fresh: World, serve: Callable[..., Scripted], caplog: pytest.LogCaptureFixture) -> None:
    server = serve(AUTH=b"535 5.7.8 no: " + SECRET.encode() + b"\r\n")
    page = to_mail(fresh)
    seen = [page, refused := page.press("test", **own(server.port))]
    seen += [check := refused.press("next"), ready := check.press("found"), ready.browser.get("/club/desk/mail")]
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
    assert fresh.service.outgoing().server == MailServer("smtp", "127.0.0.1", server.port, "club@jiuniu.example", SECRET)


def test_a_second_press_and_a_reload_do_no_harm(fresh: World) -> None:
    check = to_mail(fresh).browser.get("/setup/mail").press("later")
    fields = check.fields("found") | {"action": "found"}
    first, second = (check.browser.post("/setup/check", fields) for _ in range(2))
    assert [page.response.url for page in (first, second)] == [f"{fresh.base}club/desk/ready", f"{fresh.base}setup"]
    other = Browser(fresh.base)
    assert other.get("/club/desk/ready").response.url == f"{fresh.base}club/desk"  # others are asked to sign in
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
    to_mail(fresh, owner_name="李老师", other_zone="Europe/Lisbon", slug="Readers").press("next", **own(2525))
    page = enter(fresh)
    assert (page.value("owner_name"), page.value("other_zone"), page.value("slug")) == ("李老师", "Europe/Lisbon", "readers")
    mail = page.browser.get("/setup/mail")
    assert (mail.value("host"), mail.value("port"), mail.value("password")) == ("127.0.0.1", "2525", "")
    assert mail.press("next").status == 200  # the secret that was kept does


def test_a_latin_name_gives_the_short_name(fresh: World) -> None:
    page = enter(fresh).press(**(YOU | {"name": "Nine Oxen’s Readers", "locale": "en"}))
    page = page.press().browser.get("/setup/mail").press("later")
    assert f"{fresh.base}nine-oxens-readers/" in page.text


# The door


def test_the_server_prints_the_code_while_there_is_no_club(fresh: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    create_app(fresh.service.settings)
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert line == f"No club of your own yet: open {fresh.base}setup and enter the code {code_of(fresh)}"
    again = Service.build(load(fresh.same_data))
    assert setup_code(again.settings.secret_keys) == code_of(fresh)  # in every process, after every restart
    fresh.found_club()
    caplog.clear()
    create_app(fresh.service.settings)
    assert caplog.records == []


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\u3000"])
def test_the_code_may_be_typed_as_phones_do(fresh: World, change: Callable[[str], str]) -> None:
    assert fresh.browser().get("/setup").press("code", code=change(code_of(fresh))).response.url == f"{fresh.base}setup/club"


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
    assert "九牛已经设好" in page.text and page.soup.select_one('main a[href="/jiuniu/desk"]') is not None
    assert page.soup.select("main form") == []
    assert world.browser().get("/setup/club").response.url == f"{world.base}setup"


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
def test_a_wrong_value_is_shown_beside_its_field(fresh: World, step: str, typed: dict[str, str]) -> None:
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
    assert (refused.status, refused.value("name"), "再按一次" in refused.text) == (400, "九牛读书会", True)
    assert refused.press().response.url == f"{fresh.base}setup/rules"


# What the server said


def test_qq_is_asked_for_address_and_code_alone(
    fresh: World, serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setitem(PRESETS, "qq", Preset("qq", "QQ", {"qq.com": "127.0.0.1"}, server.port, "smtp"))
    page = enter(fresh).press(**YOU).press()
    asked = [tag["name"] for tag in page.form_with("test").select("input:not([type=hidden]), select")]
    assert (asked, page.value("address"), "授权码" in page.text) == (["address", "password"], "owner@qq.com", True)
    assert page.press("test", password=" abcd efgh ijkl mnop ").status == 200
    [login] = [line for line in server.commands if line.startswith("AUTH")]
    assert login != ""
    [mail] = server.mails
    assert b"X-Jiuniu-Letter: club.test" in mail


@pytest.mark.parametrize(
    ("replies", "typed", "says"),
    [
        ({"AUTH": b"535 Login fail. Authorization code needed\r\n"}, {}, "授权码"),
        ({"AUTH": b"451 4.7.0 too much fail authentication\r\n"}, {}, "等一刻钟"),
        ({"MAIL": b"501 mail from address must be same as authorization user\r\n"}, {}, "必须和登录的账号一样"),
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, {}, "owner@qq.com 的信被拒收了"),
        ({"DOT": b"554 DT:SPM spam\r\n"}, {}, "要歇一歇"),
        ({"DOT": b"554 5.7.1 looks like spam\r\n"}, {}, "垃圾邮件"),
        ({"EHLO": b"250 here\r\n"}, {}, "这里不能登录"),
        ({}, {"security": "smtp+starttls"}, "这里不支持加密"),
        ({}, {"security": "smtps"}, "不配套"),
        ({"GREET": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, {}, "不配套"),
        ({}, {"host": "mail.nowhere.invalid"}, "找不到这个服务器"),
    ],
    ids=["code", "tries", "sender", "recipient", "too fast", "spam", "no login", "no starttls", "not tls", "not smtp", "no host"],
)  # fmt: skip
def test_the_page_says_what_the_server_answered_and_what_to_do(
    fresh: World, serve: Callable[..., Scripted], replies: dict[str, Reply], typed: dict[str, str], says: str
) -> None:
    server = serve(**replies)
    page = to_mail(fresh).press("test", **own(server.port, **typed))
    assert (page.status, says in page.text) == (422, True), page.text
    assert page.value("address") == "club@jiuniu.example"


def test_a_port_where_nobody_listens(fresh: World) -> None:
    page = to_mail(fresh).press("test", **own(_free_port()))
    assert (page.status, "这个端口没人应答" in page.text) == (422, True)


def test_a_server_that_never_answers_is_left_after_a_while(
    fresh: World, serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailers.trial.MOST_SECONDS", 0.3)
    server = serve(GREET=lambda: b"".join([]))
    page = to_mail(fresh).press("test", **own(server.port))
    assert (page.status, "没有回音" in page.text) == (422, True)


def test_test_mails_are_counted(fresh: World, serve: Callable[..., Scripted]) -> None:
    server = serve()
    page = to_mail(fresh)
    assert [page.press("test", **own(server.port)).status for _ in range(11)] == [200] * 10 + [429]
    assert len(server.mails) == 10


# The account that holds


def test_a_process_that_runs_picks_the_new_account_up(fresh: World, serve: Callable[..., Scripted]) -> None:
    broken, works = serve(AUTH=b"535 no\r\n"), serve()
    other = Service.build(
        load(fresh.same_data | {"JIUNIU_HOST": "0.0.0.0", "JIUNIU_CLOCK_FILE": str(fresh.folder / "clock-file")})
    )  # a worker on another host: no mailbox there
    ticker = Ticker(other)
    ready = to_check(fresh, broken.port).press("found")
    at_home(fresh)
    fresh.apply()
    assert ticker.once()["letters"] == 0  # refused: the channel rests for a quarter of an hour
    for page_of_trouble in ("/club/desk", "/club/desk/letters"):
        text = ready.browser.get(page_of_trouble).text
        assert "535 no" in text and "服务器不让登录" in text  # the server's words, and what they mean
    page = ready.browser.get("/club/desk/mail")
    saved = page.press("save", **own(works.port))
    assert saved.status == 200 and "已保存" in saved.text
    assert "535 no" not in ready.browser.get("/club/desk").text
    assert ticker.once()["letters"] == 1
    assert len(works.mails) == 1
    ticker.post.channel.close()  # type: ignore[union-attr]
    other.db.dispose()


def test_without_any_account_letters_wait_and_it_is_said(begin: Callable[..., World]) -> None:
    away = begin(JIUNIU_SMTP_URL="", JIUNIU_BASE_URL="http://192.168.1.5:8000")
    page = enter(away).press(**YOU).press()
    ready = page.press("later").press("found")
    assert "设好就发" in ready.text
    assert "设置发信邮箱" in ready.browser.get("/club/desk").text
    at_home(away)
    away.apply()
    away.tick()
    assert [(row["letter"], row["state"]) for row in away.ledger()] == [("join.confirm_address", "queued")]
    findings = {finding.check: finding for finding in examine(away.service)}
    assert (findings["mail server"].verdict, "under Mail" in findings["mail server"].do) == ("wrong", True)


def test_the_environment_goes_before_the_page(begin: Callable[..., World], serve: Callable[..., Scripted]) -> None:
    world = begin()
    world.found_club()
    server = serve()
    world.service.db.write(
        keep_account, world.service.seal, MailServer("smtp", "127.0.0.1", server.port), sender="page@jiuniu.example", now=world.now
    )
    owner = world.sign_in("owner@qq.com")  # the sign-in letter left by the environment's server
    page = owner.get("/jiuniu/desk/mail")
    assert "服务器上的设置优先" in page.text and page.actions == ["test"]
    assert page.press("test").status == 200
    assert [str(mail["X-Jiuniu-Letter"]) for mail in world.sink.mails] == ["club.sign_in", "club.test"] and server.mails == []


def test_set_up_beside_the_environment_asks_for_no_account(begin: Callable[..., World]) -> None:
    world = begin()
    page = enter(world).press(**YOU).press()
    assert "服务器上的设置优先" in page.text and page.actions == ["test", "next"]
    assert page.press("next").press("found").response.url == f"{world.base}club/desk/ready"
    assert count(world, MailAccount) == 0


def test_an_older_key_still_opens_the_account_and_a_lost_one_is_said(fresh: World, serve: Callable[..., Scripted]) -> None:
    server = serve()
    owner = to_check(fresh, server.port).press("found").browser
    settings = fresh.service.settings
    before, fresh_key = settings.secret_keys, "another-key-of-the-tests-for-this"
    changed = Service.build(load(fresh.same_data | {"JIUNIU_SECRET_KEY": fresh_key, "JIUNIU_SECRET_KEY_FALLBACKS": before[0]}))
    assert changed.outgoing() == fresh.service.outgoing()
    lost = Service.build(load(fresh.same_data | {"JIUNIU_SECRET_KEY": fresh_key}))
    assert (lost.outgoing().origin, lost.outgoing().server) == ("unreadable", None)
    assert [finding.check for finding in examine(lost) if "no key of this installation opens" in finding.says] == ["mail server"]
    assert owner.get("/club/desk/mail").status == 200
    for service in (changed, lost):
        service.db.dispose()


# From the desk


def test_the_secret_that_is_kept_goes_to_no_other_server(fresh: World, serve: Callable[..., Scripted]) -> None:
    server, thief = serve(), serve()
    owner = to_check(fresh, server.port).press("found").browser
    page = owner.get("/club/desk/mail")
    assert page.press("test", password="").status == 200  # it is kept
    moved = page.press("test", host="localhost", port=str(thief.port), password="")
    assert (moved.status, "另一个服务器" in moved.text, thief.commands) == (422, True, [])


def test_only_the_first_club_s_owner_changes_the_account(fresh: World, serve: Callable[..., Scripted]) -> None:
    owner = to_check(fresh, serve().port).press("found").browser
    at_home(fresh)
    fresh.add_member("admin@qq.com", "周敏", role="admin")
    assert fresh.browser().get("/club/desk/mail").response.url == f"{fresh.base}club/desk"
    second = fresh.found_club("second", owner_email="two@qq.com")
    assert second
    assert owner.get("/club/desk/mail").actions == ["test", "save"]
    page = owner.get("/club/desk/mail")
    signed_out = fresh.browser()
    signed_out.session.cookies.set("jiuniu_form", owner.session.cookies.get("jiuniu_form", path="/") or "", path="/")
    kept = signed_out.post("/club/desk/mail", page.fields("test") | own(2525) | {"action": "save"})
    assert (kept.status, kept.value("host"), "登录已过期" in kept.text or "重新登录" in kept.text) == (403, "127.0.0.1", True)


def test_in_the_demo_there_is_no_account_to_set(fresh: World) -> None:
    demo.begin(fresh.service)
    with fresh.service.db.read() as session:
        assert session.execute(select(Club.slug)).scalar_one() == "demo"
    assert fresh.browser().get("/demo/desk/mail").response.url == f"{fresh.base}demo/desk"


def test_the_pages_ask_the_database_the_same_for_many_members_and_stay_small(fresh: World) -> None:
    browser = to_mail(fresh).browser
    pages = ["/setup/club", "/setup/rules", "/setup/mail"]
    assert [len(browser.get(path).response.content) < 40_000 for path in pages] == [True] * 3
    browser.get("/setup/mail").press("later").press("found")
    at_home(fresh)
    asked: list[str] = []
    event.listen(fresh.service.db.reader, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def count_of(path: str) -> int:
        asked.clear()
        assert len(browser.get(path).response.content) < 40_000
        return len(asked)

    few = [count_of(path) for path in ("/club/desk/mail", "/club/desk/ready")]
    for number in range(30):
        fresh.add_member(f"m{number}@qq.com", "李雷")
    assert [count_of(path) for path in ("/club/desk/mail", "/club/desk/ready")] == few
    assert max(few) <= 8


def test_a_port_that_is_none_is_refused_beside_its_field(fresh: World) -> None:
    page = to_mail(fresh)
    for port in ("0", "65536", "smtp", "9" * 5000):
        wrong = page.press("next", **own(0) | {"port": port})
        assert (wrong.status, wrong.value("port"), wrong.soup.find(id="port-error") is not None) == (422, port, True)
