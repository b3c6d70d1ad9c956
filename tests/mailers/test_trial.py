"""What a server's answer means to the person who set the account: a table."""

from __future__ import annotations

import pytest

from engine.settings import MailServer
from mailers.account.providers import PRESETS, preset_at, preset_of
from mailers.account.smtp_test import Outcome, diagnose
from mailers.smtp.connection import SLOW
from mailers.smtp.reply import Answer

QQ = MailServer("smtps", "smtp.qq.com", 465, "club@qq.com", "code")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer("dot", 250, "OK: queued as."), "sent"),
        (Answer("login", 535, "Login fail. password is incorrect, login frequency limited, or system is busy."), "code"),
        (Answer("login", 550, "User has no permission"), "code"),
        (Answer("login", 534, "5.7.9 Application-specific password required"), "code"),
        (Answer("sender", 530, "5.7.0 Authentication Required"), "code"),
        (Answer("login", 535, "Error: too much fail authentication"), "tries"),
        (Answer("login", 454, "4.7.0 Too many login attempts, please try again later."), "tries"),
        (Answer("login", 421, "4.7.0 Try again later, closing connection."), "tries"),
        (Answer("sender", 553, "Mail from must equal authorized user"), "sender"),
        (Answer("dot", 501, "mail from address must be same as authorization user"), "sender"),
        (Answer("recipient", 550, "5.1.1 user unknown"), "recipient"),
        (Answer("recipient", 550, "Mailbox unavailable or access denied"), "too_fast"),
        (Answer("sender", 421, "HL:ITC 1.2.3.4"), "too_fast"),
        (Answer("dot", 554, "5.7.1 spam"), "content"),
        (Answer("data", 451, "4.3.0 later"), "later"),
        (Answer("recipient", 450, "4.2.0 Greylisted"), "later"),
        (Answer("dot", 554, "MI:STC 163 smtp1"), "used_up"),
        (Answer("login", 0, "SMTPException: No suitable authentication method found."), "no_password"),
        (Answer("login", 535, "5.7.139 Authentication unsuccessful, basic authentication is disabled."), "no_password"),
        (Answer("login", 0, "SMTPServerDisconnected: Connection unexpectedly closed"), "tries"),
        (Answer("dot", 0, f"TimeoutError: {SLOW}"), "slow"),
        (Answer("connect", 0, "SMTPServerDisconnected: Connection unexpectedly closed: The read operation timed out"), "slow"),
        (Answer("connect", 0, "gaierror: [Errno -2] Name or service not known"), "host"),
        (Answer("connect", 0, "ConnectionRefusedError: [Errno 111] Connection refused"), "refused"),
        (Answer("connect", 0, "TimeoutError: timed out"), "silent"),
        (Answer("connect", 0, "OSError: [Errno 101] Network is unreachable"), "silent"),
        (Answer("connect", 0, "SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number"), "mismatch"),
        (Answer("connect", 0, "SMTPConnectError: (-1, b'not a mail server')"), "mismatch"),
        (Answer("connect", 0, "SSLCertVerificationError: certificate verify failed: self-signed certificate"), "certificate"),
        (Answer("login", 0, "SMTPNotSupportedError: SMTP AUTH extension not supported by server."), "no_login"),
        (Answer("recipient", 0, "SMTPServerDisconnected: Connection unexpectedly closed"), "other"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_an_answer_means(answer: Answer, outcome: Outcome) -> None:
    assert diagnose(QQ, answer) == outcome


@pytest.mark.parametrize(
    "answer", [Answer("sender", 530, "5.7.0 Authentication required"), Answer("recipient", 554, "5.7.1 Relay access denied")]
)
def test_a_server_that_wants_a_login_where_none_was_typed(answer: Answer) -> None:
    assert diagnose(MailServer("smtps", "mail.example.org", 465), answer) == "login_wanted"


@pytest.mark.parametrize(
    ("security", "port", "said", "outcome"),
    [
        ("smtp+starttls", 465, "TimeoutError: timed out", "mismatch"),
        ("smtps", 587, "TimeoutError: timed out", "mismatch"),
        ("smtp+starttls", 587, "TimeoutError: timed out", "silent"),
        ("smtp", 25, "TimeoutError: timed out", "silent"),
        ("smtp+starttls", 587, "SMTPNotSupportedError: STARTTLS extension not supported by server.", "no_tls"),
    ],
)
def test_the_wrong_door(security: str, port: int, said: str, outcome: Outcome) -> None:
    """465 and 587 that are mixed up look like a blocked port: each side waits for the other."""
    assert diagnose(MailServer(security, "mail.example.org", port), Answer("connect", 0, said)) == outcome


@pytest.mark.parametrize(
    ("address", "host", "port", "security"),
    [
        ("you@qq.com", "smtp.qq.com", 465, "smtps"),
        ("you@foxmail.com", "smtp.qq.com", 465, "smtps"),
        ("you@163.com", "smtp.163.com", 465, "smtps"),
        ("you@126.com", "smtp.126.com", 465, "smtps"),
        ("you@gmail.com", "smtp.gmail.com", 465, "smtps"),
        ("you@outlook.com", "smtp-mail.outlook.com", 587, "smtp+starttls"),
    ],
)
def test_an_address_names_its_server(address: str, host: str, port: int, security: str) -> None:
    key = preset_of(address)
    assert PRESETS[key].server(address, "code") == MailServer(security, host, port, address, "code")
    assert preset_at(host) == key


def test_an_address_of_one_s_own_domain() -> None:
    assert (preset_of("you@club.example"), preset_of(""), preset_at("smtp.club.example")) == ("", "", "own")
    assert PRESETS["outlook"].server("you@club.example", "p").host == "smtp.office365.com"
