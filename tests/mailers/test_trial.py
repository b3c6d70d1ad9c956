"""What a server's answer means to the person who set the account: a table."""

from __future__ import annotations

import pytest

from engine.settings import MailServer
from mailers.account.providers import PRESETS, preset_at, preset_of
from mailers.account.smtp_test import Outcome, diagnose
from mailers.smtp.connection import SLOW
from mailers.smtp.reply import SmtpReply

QQ = MailServer("smtps", "smtp.qq.com", 465, "club@qq.com", "code")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (SmtpReply("dot", 250, "OK: queued as."), "sent"),
        (
            SmtpReply(
                "login",
                535,
                "Login fail. password is incorrect, login frequency limited, or system is busy.",
            ),
            "code",
        ),
        (SmtpReply("login", 550, "User has no permission"), "code"),
        (SmtpReply("login", 534, "5.7.9 Application-specific password required"), "code"),
        (SmtpReply("sender", 530, "5.7.0 Authentication Required"), "code"),
        (SmtpReply("login", 535, "Error: too much fail authentication"), "tries"),
        (
            SmtpReply("login", 454, "4.7.0 Too many login attempts, please try again later."),
            "tries",
        ),
        (SmtpReply("login", 421, "4.7.0 Try again later, closing connection."), "tries"),
        (SmtpReply("sender", 553, "Mail from must equal authorized user"), "sender"),
        (SmtpReply("dot", 501, "mail from address must be same as authorization user"), "sender"),
        (SmtpReply("recipient", 550, "5.1.1 user unknown"), "recipient"),
        (SmtpReply("recipient", 550, "Mailbox unavailable or access denied"), "too_fast"),
        (SmtpReply("sender", 421, "HL:ITC 1.2.3.4"), "too_fast"),
        (SmtpReply("dot", 554, "5.7.1 spam"), "content"),
        (SmtpReply("data", 451, "4.3.0 later"), "later"),
        (SmtpReply("recipient", 450, "4.2.0 Greylisted"), "greylisted"),
        (SmtpReply("recipient", 451, "4.7.1 Greylisted, try again later"), "greylisted"),
        (SmtpReply("login", 454, "4.7.0 Daily message quota exceeded"), "used_up"),
        (
            SmtpReply("dot", 550, "5.1.90 you've reached your daily limit for message recipients"),
            "used_up",
        ),
        (SmtpReply("dot", 550, "Date header far in the past/future."), "date"),
        (
            SmtpReply("connect", 0, "UnicodeEncodeError: 'ascii' codec can't encode", ours=True),
            "ours",
        ),
        (SmtpReply("dot", 554, "MI:STC 163 smtp1"), "used_up"),
        (
            SmtpReply("login", 0, "SMTPException: No suitable authentication method found."),
            "no_password",
        ),
        (
            SmtpReply(
                "login",
                535,
                "5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            ),
            "no_password",
        ),
        (SmtpReply("login", 0, "SMTPServerDisconnected: Connection unexpectedly closed"), "tries"),
        (SmtpReply("dot", 0, f"TimeoutError: {SLOW}"), "slow"),
        (
            SmtpReply(
                "connect",
                0,
                "SMTPServerDisconnected: Connection unexpectedly closed: The read operation timed out",
            ),
            "slow",
        ),
        (SmtpReply("connect", 0, "gaierror: [Errno -2] Name or service not known"), "host"),
        (
            SmtpReply("connect", 0, "ConnectionRefusedError: [Errno 111] Connection refused"),
            "refused",
        ),
        (SmtpReply("connect", 0, "TimeoutError: timed out"), "silent"),
        (SmtpReply("connect", 0, "OSError: [Errno 101] Network is unreachable"), "silent"),
        (
            SmtpReply("connect", 0, "SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number"),
            "mismatch",
        ),
        (SmtpReply("connect", 0, "SMTPConnectError: (-1, b'not a mail server')"), "mismatch"),
        (
            SmtpReply(
                "connect",
                0,
                "SSLCertVerificationError: certificate verify failed: self-signed certificate",
            ),
            "certificate",
        ),
        (
            SmtpReply(
                "login", 0, "SMTPNotSupportedError: SMTP AUTH extension not supported by server."
            ),
            "no_login",
        ),
        (
            SmtpReply("recipient", 0, "SMTPServerDisconnected: Connection unexpectedly closed"),
            "other",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_an_answer_means(answer: SmtpReply, outcome: Outcome) -> None:
    assert diagnose(QQ, answer) == outcome


@pytest.mark.parametrize(
    "answer",
    [
        SmtpReply("sender", 530, "5.7.0 Authentication required"),
        SmtpReply("recipient", 554, "5.7.1 Relay access denied"),
    ],
)
def test_a_server_that_wants_a_login_where_none_was_typed(answer: SmtpReply) -> None:
    assert diagnose(MailServer("smtps", "mail.example.org", 465), answer) == "login_wanted"


@pytest.mark.parametrize(
    ("security", "port", "said", "outcome"),
    [
        ("smtp+starttls", 465, "TimeoutError: timed out", "mismatch"),
        ("smtps", 587, "TimeoutError: timed out", "mismatch"),
        ("smtp+starttls", 587, "TimeoutError: timed out", "silent"),
        ("smtp", 25, "TimeoutError: timed out", "silent"),
        (
            "smtp+starttls",
            587,
            "SMTPNotSupportedError: STARTTLS extension not supported by server.",
            "no_tls",
        ),
    ],
)
def test_the_wrong_door(security: str, port: int, said: str, outcome: Outcome) -> None:
    """465 and 587 that are mixed up look like a blocked port: each side waits for the other."""
    assert (
        diagnose(MailServer(security, "mail.example.org", port), SmtpReply("connect", 0, said))
        == outcome
    )


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
    assert (preset_of("you@club.example"), preset_of(""), preset_at("smtp.club.example")) == (
        "",
        "",
        "own",
    )
    assert PRESETS["outlook"].server("you@club.example", "p").host == "smtp.office365.com"
