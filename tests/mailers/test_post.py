"""Handing a mail over, against servers that behave as real ones do."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.settings import MailServer
from mailers.account.smtp_test import diagnose
from mailers.smtp.connection import (
    NO_ADDRESS,
    SLOW,
    SmtpConnection,
    Timeouts,
)
from mailers.smtp.reply import SmtpReply, judge
from tests.mailers.scripted import CLOSE, Scripted

MAIL = b"Subject: x\r\n\r\nA line.\r\n"
CERTIFICATE = Path(__file__).with_name(
    "certificate.pem"
)  # of localhost, with its key; nobody else vouches for it
TO, FROM = "lilei@qq.com", "Jiuniu <post@jiuniu.example>"


def channel(server: Scripted, **given: str) -> SmtpConnection:
    return SmtpConnection(server.server(**given), FROM)


def test_sent_is_the_250_after_the_dot(serve: Callable[..., Scripted]) -> None:
    server = serve(DOT=b"250 2.0.0 Ok: queued as 42\r\n")
    assert channel(server).hand_over(TO, MAIL) == SmtpReply("dot", 250, "2.0.0 Ok: queued as 42")
    assert server.mails == [MAIL]
    assert server.commands[1:3] == ["mail FROM:<post@jiuniu.example>", "rcpt TO:<lilei@qq.com>"]


def test_a_connection_is_kept_for_the_next_mail(serve: Callable[..., Scripted]) -> None:
    server = serve()
    post = channel(server)
    assert [post.hand_over(TO, MAIL).code for _ in range(3)] == [250] * 3
    assert (server.connections, len(server.mails)) == (1, 3)


def test_qqs_garbage_after_quit_makes_no_second_mail(serve: Callable[..., Scripted]) -> None:
    server = serve(QUIT=b"\x00\x00\x00\x10\x00")
    post = channel(server)
    assert post.hand_over(TO, MAIL) == SmtpReply("dot", 250, "taken")
    post.close()
    assert post.hand_over(TO, MAIL) == SmtpReply("dot", 250, "taken")
    assert len(server.mails) == 2


@pytest.mark.parametrize(
    ("command", "phase"),
    [("MAIL", "sender"), ("RCPT", "recipient"), ("DATA", "data"), ("DOT", "dot")],
)
def test_a_refusal_is_an_answer_with_its_phase_and_the_connection_serves_on(
    serve: Callable[..., Scripted], command: str, phase: str
) -> None:
    server = serve(**{command: b"550 5.7.1 no, thank you\r\n"})
    post = channel(server)
    assert post.hand_over(TO, MAIL) == SmtpReply(phase, 550, "5.7.1 no, thank you")  # type: ignore[arg-type]
    del server.replies[command]
    assert post.hand_over(TO, MAIL).code == 250
    assert server.connections == 1


@pytest.mark.parametrize(
    ("command", "phase"),
    [
        ("GREET", "connect"),
        ("MAIL", "sender"),
        ("RCPT", "recipient"),
        ("DATA", "data"),
        ("DOT", "dot"),
    ],
)
def test_a_server_that_hangs_up_is_an_answer_without_a_code_and_the_next_mail_connects_anew(
    serve: Callable[..., Scripted], command: str, phase: str
) -> None:
    server = serve(**{command: CLOSE})
    post = channel(server)
    answer = post.hand_over(TO, MAIL)
    assert (answer.phase, answer.code) == (phase, 0 if command != "GREET" else answer.code)
    del server.replies[command]
    assert post.hand_over(TO, MAIL).code == 250
    assert server.connections == 2


@pytest.mark.parametrize(
    "said", [b"\x00\x00\x00\x00\r\n", b"250" + b"x" * 9000 + b"\r\n", b"354 go on\r\n"]
)
def test_an_answer_that_nobody_can_read_is_none(
    serve: Callable[..., Scripted], said: bytes
) -> None:
    """Whether the mail was taken is not known, and the line is out of step."""
    server = serve(DOT=said)
    post = channel(server)
    answer = post.hand_over(TO, MAIL)
    assert (answer.phase, answer.code < 400, judge(answer, 0).kind) == ("dot", True, "later")
    del server.replies["DOT"]
    assert (post.hand_over(TO, MAIL).code, server.connections) == (250, 2)


@pytest.mark.parametrize(("command", "phase"), [("RCPT", "recipient"), ("DOT", "dot")])
def test_after_a_421_the_connection_is_over(
    serve: Callable[..., Scripted], command: str, phase: str
) -> None:
    server = serve(**{command: b"421 HL:ITC closing\r\n"})
    post = channel(server)
    assert post.hand_over(TO, MAIL) == SmtpReply(phase, 421, "HL:ITC closing")  # type: ignore[arg-type]
    del server.replies[command]
    assert post.hand_over(TO, MAIL).code == 250
    assert server.connections == 2


def test_a_greeting_that_refuses_is_the_channels_trouble(serve: Callable[..., Scripted]) -> None:
    answer = channel(serve(GREET=b"554 no service\r\n")).hand_over(TO, MAIL)
    assert (answer, judge(answer, 0).kind) == (SmtpReply("connect", 554, "no service"), "channel")


def test_nobody_there_is_the_channels_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    answer = SmtpConnection(MailServer("smtp", "127.0.0.1", port), FROM).hand_over(TO, MAIL)
    assert (answer.phase, answer.code, judge(answer, 0).kind) == ("connect", 0, "channel")


def test_a_login_that_fails_is_the_channels_trouble_and_no_mail_leaves(
    serve: Callable[..., Scripted],
) -> None:
    server = serve(
        EHLO=b"250-here\r\n250 AUTH PLAIN\r\n",
        AUTH=b"535 Login fail. Authorization code is expired\r\n",
    )
    answer = channel(server, user="club@qq.com", password="secret").hand_over(TO, MAIL)
    assert (answer, judge(answer, 0).kind) == (
        SmtpReply("login", 535, "Login fail. Authorization code is expired"),
        "channel",
    )
    assert server.mails == []


def test_where_starttls_is_required_and_missing_nothing_goes_in_clear(
    serve: Callable[..., Scripted],
) -> None:
    server = serve(EHLO=b"250-here\r\n250 AUTH PLAIN\r\n")
    answer = channel(
        server, security="smtp+starttls", user="club@qq.com", password="secret"
    ).hand_over(TO, MAIL)
    assert (answer.phase, judge(answer, 0).kind, server.mails) == ("connect", "channel", [])
    assert [line.split()[0].lower() for line in server.commands] == ["ehlo"] or [
        line.split()[0].lower() for line in server.commands
    ] == ["ehlo", "quit"]


def test_where_starttls_is_offered_and_then_refused_nothing_goes_in_clear(
    serve: Callable[..., Scripted],
) -> None:
    server = serve(
        EHLO=b"250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", STARTTLS=b"454 not available\r\n"
    )
    answer = channel(
        server, security="smtp+starttls", user="club@qq.com", password="secret"
    ).hand_over(TO, MAIL)
    assert (answer.code, judge(answer, 0).kind, server.mails) == (454, "channel", [])
    assert not any(line.upper().startswith(("AUTH", "MAIL")) for line in server.commands)


def encrypted(server: Scripted) -> Scripted:
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(CERTIFICATE)
    return server


def test_encrypted_from_the_start(
    serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the server names its certificate in SSL_CERT_FILE, as for every program that
    uses OpenSSL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    server = encrypted(serve())
    assert channel(server, security="smtps").hand_over(TO, MAIL) == SmtpReply("dot", 250, "taken")
    assert server.mails == [MAIL]


def test_behind_a_certificate_that_nobody_vouches_for_nothing_is_said(
    serve: Callable[..., Scripted],
) -> None:
    server = encrypted(serve())
    mine = server.server(security="smtps", user="club@qq.com", password="secret")
    answer = SmtpConnection(mine, FROM).hand_over(TO, MAIL)
    assert (diagnose(mine, answer), judge(answer, 0).kind, server.commands) == (
        "certificate",
        "channel",
        [],
    )


def test_a_line_that_stands_is_waited_for_as_long_as_an_answer(
    serve: Callable[..., Scripted],
) -> None:
    """Servers make strangers wait for the greeting; only the line itself has to stand within its
    own time."""
    never = threading.Event()
    server = serve(GREET=lambda: b"" if never.wait(0.3) else b"220 here\r\n")
    post = SmtpConnection(server.server(), FROM, Timeouts(connect=0.2, command=20, dot=20))
    assert post.hand_over(TO, MAIL) == SmtpReply("dot", 250, "taken")


def test_a_line_can_be_cut_while_it_is_being_opened(serve: Callable[..., Scripted]) -> None:
    """So that a process which is told to end need not wait for a greeting."""
    asked, done = threading.Event(), threading.Event()
    server = serve(EHLO=lambda: b"250 here\r\n" if asked.set() is None and done.wait(20) else b"")
    post = SmtpConnection(server.server(), FROM)
    cut = threading.Thread(target=lambda: asked.wait(20) and post.abort())
    cut.start()
    answer = post.hand_over(TO, MAIL)
    done.set()
    cut.join()
    assert (answer.phase, answer.code, server.mails) == ("connect", 0, [])


def test_a_server_that_speaks_too_slowly_is_told_from_a_blocked_port(
    serve: Callable[..., Scripted],
) -> None:
    done = threading.Event()
    server = serve(EHLO=lambda: b"250 here\r\n" if done.wait(20) else b"")
    answer = SmtpConnection(
        server.server(), FROM, Timeouts(connect=20, command=0.2, dot=20)
    ).hand_over(TO, MAIL)
    done.set()
    assert (answer, diagnose(server.server(), answer)) == (
        SmtpReply("connect", 0, f"TimeoutError: {SLOW}"),
        "slow",
    )


@pytest.mark.parametrize(
    "body",
    [
        b".\r\n",
        b"..\r\n",
        b".dot-leading\r\n",
        b"a\r\n.\r\nb\r\n",
        b"x" * 5000 + b"\r\n",
        "读书𠮷🙂\r\n".encode(),
        b"no line end",
        b"",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_mail_arrives_equal_whatever_its_lines_look_like(
    serve: Callable[..., Scripted], body: bytes
) -> None:
    server = serve()
    content = b"Subject: x\r\n\r\n" + body
    assert channel(server).hand_over(TO, content).code == 250
    assert server.mails == [content if content.endswith(b"\r\n") else content + b"\r\n"]
    leading = serve()
    assert channel(leading).hand_over(TO, b".first line\r\n" + content).code == 250
    assert leading.mails[0].startswith(b".first line\r\n")


@pytest.mark.parametrize(
    "recipient", ["李雷@qq.com", "lilei@例子.中国", "", "a\r\nDATA@qq.com", "a@qq.com\0", "lilei"]
)
def test_to_an_impossible_recipient_nothing_is_tried(
    serve: Callable[..., Scripted], recipient: str
) -> None:
    server = serve()
    post = channel(server)
    answer = post.hand_over(recipient, MAIL)
    assert (answer, judge(answer, 0).kind, server.connections) == (NO_ADDRESS, "failed", 0)
    assert post.hand_over(TO, MAIL).code == 250


def test_what_the_server_said_is_kept_readable(serve: Callable[..., Scripted]) -> None:
    server = serve(RCPT=b"550-first line\r\n550 second \x07\xff line\r\n")
    assert channel(server).hand_over(TO, MAIL).text.startswith("first line second")
    server = serve(RCPT="550 用户不存在\r\n".encode("gbk"))
    assert channel(server).hand_over(TO, MAIL).text == "用户不存在"


def test_a_server_that_closes_after_each_mail_costs_the_next_one_nothing(
    serve: Callable[..., Scripted],
) -> None:
    server = serve()
    post = channel(server)
    assert post.hand_over("lilei@qq.com", b"Subject: one\r\n\r\none\r\n").code == 250
    for connection in server.open:
        connection.shutdown(socket.SHUT_RDWR)
    assert post.hand_over("lilei@qq.com", b"Subject: two\r\n\r\ntwo\r\n").code == 250
    assert (len(server.mails), server.connections) == (2, 2)


def test_a_line_cut_while_the_server_thinks_is_an_answer_without_a_code(
    serve: Callable[..., Scripted],
) -> None:
    thinking, go_on = threading.Event(), threading.Event()

    def think() -> bytes:
        thinking.set()
        go_on.wait(10)
        return b"250 late\r\n"

    post = channel(serve(DOT=think))
    answers: list[SmtpReply] = []
    waiting = threading.Thread(
        target=lambda: answers.append(post.hand_over("lilei@qq.com", b"Subject: x\r\n\r\nx\r\n"))
    )
    waiting.start()
    assert thinking.wait(10)
    post.abort()
    waiting.join(10)
    go_on.set()
    assert [(answer.phase, answer.code) for answer in answers] == [("dot", 0)]


def test_a_server_that_repeats_the_password_makes_nobody_show_it(
    serve: Callable[..., Scripted],
) -> None:
    plain, secret = base64.b64encode(b"\0club\0open sesame"), b"open sesame"
    server = serve(
        EHLO=b"250-here\r\n250 AUTH PLAIN\r\n",
        AUTH=b"535 cannot read " + plain + b" of " + secret + b"\r\n",
    )
    post = channel(server, user="club", password="open sesame")
    refused = SmtpReply("login", 535, "cannot read … of …")
    assert (post.hand_over(TO, MAIL), post.try_out()) == (refused, refused)
