"""The mail account of an installation: its server's replies, its storage, its change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from engine.operations.mail_account import save_account
from engine.settings import MailServer, load
from engine.storage.models import Club, MailAccount
from mailers.account.providers import PRESETS, MailProvider
from mailers.dev_mailbox import free_port
from tests.mailers.scripted import Reply, Scripted
from tests.stories.setup_steps import YOU, at_home, count, enter, own, to_check, to_mail
from tests.world import World
from web.app import demo
from web.app.background import Ticker
from web.app.services import Services
from web.commands.doctor import examine

# What the server said


@pytest.mark.postgres
def test_qq_is_asked_for_address_and_code_alone(
    fresh: World, serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setitem(
        PRESETS, "qq", MailProvider("qq", "QQ", {"qq.com": "127.0.0.1"}, server.port, "smtp")
    )
    page = enter(fresh).press(**YOU).press()
    asked = [
        tag["name"] for tag in page.form_with("test").select("input:not([type=hidden]), select")
    ]
    assert (asked, page.value("address"), "授权码" in page.text) == (
        ["address", "password"],
        "owner@qq.com",
        True,
    )
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
        (
            {"MAIL": b"501 mail from address must be same as authorization user\r\n"},
            {},
            "必须和登录的账号一样",
        ),
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, {}, "owner@qq.com 的信被拒收了"),
        ({"DOT": b"554 DT:SPM spam\r\n"}, {}, "要歇一歇"),
        ({"DOT": b"554 5.7.1 looks like spam\r\n"}, {}, "垃圾邮件"),
        ({"EHLO": b"250 here\r\n"}, {}, "这里不能登录"),
        ({}, {"security": "smtp+starttls"}, "这里不支持加密"),
        ({}, {"security": "smtps"}, "不配套"),
        ({"GREET": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, {}, "不配套"),
        ({}, {"host": "mail.nowhere.invalid"}, "找不到这个服务器"),
    ],
    ids=[
        "code",
        "tries",
        "sender",
        "recipient",
        "too fast",
        "spam",
        "no login",
        "no starttls",
        "not tls",
        "not smtp",
        "no host",
    ],
)
def test_the_page_says_what_the_server_answered_and_what_to_do(
    fresh: World,
    serve: Callable[..., Scripted],
    replies: dict[str, Reply],
    typed: dict[str, str],
    says: str,
) -> None:
    server = serve(**replies)
    page = to_mail(fresh).press("test", **own(server.port, **typed))
    assert (page.status, says in page.text) == (422, True), page.text
    assert page.value("address") == "club@jiuniu.example"


def test_a_port_where_nobody_listens(fresh: World) -> None:
    page = to_mail(fresh).press("test", **own(free_port()))
    assert (page.status, "这个端口没人应答" in page.text) == (422, True)


def test_a_server_that_never_answers_is_left_after_a_while(
    fresh: World, serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailers.account.smtp_test.MOST_SECONDS", 0.3)
    server = serve(GREET=lambda: b"".join([]))
    page = to_mail(fresh).press("test", **own(server.port))
    assert (page.status, "没有回音" in page.text) == (422, True)


def test_test_mails_are_counted(fresh: World, serve: Callable[..., Scripted]) -> None:
    server = serve()
    page = to_mail(fresh)
    assert [page.press("test", **own(server.port)).status for _ in range(11)] == [200] * 10 + [429]
    assert len(server.mails) == 10


# The account that holds


@pytest.mark.postgres
def test_a_process_that_runs_picks_the_new_account_up(
    fresh: World, serve: Callable[..., Scripted]
) -> None:
    broken, works = serve(AUTH=b"535 no\r\n"), serve()
    other = Services.build(
        load(
            fresh.same_data
            | {"JIUNIU_HOST": "0.0.0.0", "JIUNIU_CLOCK_FILE": str(fresh.folder / "clock-file")}
        )
    )  # a worker on another host: no mailbox there
    ticker = Ticker(other)
    ready = to_check(fresh, broken.port).press("found")
    at_home(fresh)
    fresh.apply()
    assert ticker.once()["letters"] == 0  # refused: the channel rests for a quarter of an hour
    for page_of_trouble in ("/club/desk", "/club/desk/letters"):
        text = ready.browser.get(page_of_trouble).text
        assert (
            "535 no" in text and "服务器不让登录" in text
        )  # the server's words, and what they mean
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
    assert [(row["letter"], row["state"]) for row in away.ledger()] == [
        ("join.confirm_address", "queued")
    ]
    findings = {finding.check: finding for finding in examine(away.service)}
    assert (findings["mail server"].verdict, "under Mail" in findings["mail server"].do) == (
        "wrong",
        True,
    )


def test_the_environment_goes_before_the_page(
    begin: Callable[..., World], serve: Callable[..., Scripted]
) -> None:
    world = begin()
    world.found_club()
    server = serve()
    world.service.db.write(
        save_account,
        world.service.encryption,
        MailServer("smtp", "127.0.0.1", server.port),
        sender="page@jiuniu.example",
        now=world.now,
    )
    owner = world.sign_in("owner@qq.com")  # the sign-in letter left by the environment's server
    page = owner.get("/jiuniu/desk/mail")
    assert "服务器上的设置优先" in page.text and page.actions == ["test"]
    assert page.press("test").status == 200
    assert [str(mail["X-Jiuniu-Letter"]) for mail in world.sink.mails] == [
        "club.sign_in",
        "club.test",
    ] and server.mails == []


def test_set_up_beside_the_environment_asks_for_no_account(begin: Callable[..., World]) -> None:
    world = begin()
    page = enter(world).press(**YOU).press()
    assert "服务器上的设置优先" in page.text and page.actions == ["test", "next"]
    assert page.press("next").press("found").response.url == f"{world.base}club/desk/ready"
    assert count(world, MailAccount) == 0


def test_an_older_key_still_opens_the_account_and_a_lost_one_is_said(
    fresh: World, serve: Callable[..., Scripted]
) -> None:
    server = serve()
    owner = to_check(fresh, server.port).press("found").browser
    settings = fresh.service.settings
    before, fresh_key = settings.secret_keys, "another-key-of-the-tests-for-this"
    changed = Services.build(
        load(
            fresh.same_data
            | {"JIUNIU_SECRET_KEY": fresh_key, "JIUNIU_SECRET_KEY_FALLBACKS": before[0]}
        )
    )
    assert changed.outgoing() == fresh.service.outgoing()
    lost = Services.build(load(fresh.same_data | {"JIUNIU_SECRET_KEY": fresh_key}))
    assert (lost.outgoing().origin, lost.outgoing().server) == ("unreadable", None)
    assert [
        finding.check
        for finding in examine(lost)
        if "no key of this installation opens" in finding.says
    ] == ["mail server"]
    assert owner.get("/club/desk/mail").status == 200
    for service in (changed, lost):
        service.db.dispose()


# From the desk


def test_the_secret_that_is_kept_goes_to_no_other_server(
    fresh: World, serve: Callable[..., Scripted]
) -> None:
    server, thief = serve(), serve()
    owner = to_check(fresh, server.port).press("found").browser
    page = owner.get("/club/desk/mail")
    assert page.press("test", password="").status == 200  # it is kept
    moved = page.press("test", host="localhost", port=str(thief.port), password="")
    assert (moved.status, "另一个服务器" in moved.text, thief.commands) == (422, True, [])


def test_only_the_first_club_s_owner_changes_the_account(
    fresh: World, serve: Callable[..., Scripted]
) -> None:
    owner = to_check(fresh, serve().port).press("found").browser
    at_home(fresh)
    fresh.add_member("admin@qq.com", "周敏", role="admin")
    assert fresh.browser().get("/club/desk/mail").response.url == f"{fresh.base}club/desk"
    assert owner.get("/club/desk/mail").actions == ["test", "save"]
    page = owner.get("/club/desk/mail")
    signed_out = fresh.browser()
    signed_out.session.cookies.set(
        "jiuniu_form", owner.session.cookies.get("jiuniu_form", path="/") or "", path="/"
    )
    kept = signed_out.post("/club/desk/mail", page.fields("test") | own(2525) | {"action": "save"})
    assert (
        kept.status,
        kept.value("host"),
        "登录已过期" in kept.text or "重新登录" in kept.text,
    ) == (403, "127.0.0.1", True)
    fresh.found_club("second", owner_email="two@qq.com")  # now it belongs to the installation
    assert owner.get("/club/desk/mail").actions == ["code"]


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
    event.listen(
        fresh.service.db.reader, "before_cursor_execute", lambda *args: asked.append(args[2])
    )

    def count_of(path: str) -> int:
        asked.clear()
        assert len(browser.get(path).response.content) < 40_000
        return len(asked)

    few = [count_of(path) for path in ("/club/desk/mail", "/club/desk/ready")]
    for number in range(30):
        fresh.add_member(f"m{number}@qq.com", "李雷")
    assert [count_of(path) for path in ("/club/desk/mail", "/club/desk/ready")] == few
    assert max(few) <= 13


def test_a_port_that_is_none_is_refused_beside_its_field(fresh: World) -> None:
    page = to_mail(fresh)
    for port in ("0", "65536", "smtp", "9" * 5000):
        wrong = page.press("next", **own(0) | {"port": port})
        assert (
            wrong.status,
            wrong.value("port"),
            wrong.soup.find(id="port-error") is not None,
        ) == (422, port, True)
