"""The test of a mail account: one mail sent now, and the diagnosis of the reply.

The one place where a request sends mail (the pages that set the account), in 20 seconds at most.
"""

from __future__ import annotations

import threading
from typing import Literal

from engine.settings import MailServer
from mailers.smtp.connection import SLOW, SmtpConnection, Timeouts
from mailers.smtp.reply import SmtpReply, is_date_refused, is_used_up, judge, limit_of

MOST_SECONDS = 20.0
IN_A_HURRY = Timeouts(connect=8.0, command=8.0, dot=15.0)

Outcome = Literal[
    "sent",
    "code",
    "tries",
    "sender",
    "recipient",
    "no_login",
    "no_password",
    "login_wanted",
    "host",
    "refused",
    "silent",
    "slow",
    "mismatch",
    "no_tls",
    "certificate",
    "too_fast",
    "used_up",
    "greylisted",
    "date",
    "later",
    "content",
    "ours",
    "other",
]


def try_account(
    server: MailServer, *, sender: str, recipient: str, content: bytes, name: str = ""
) -> SmtpReply:
    """Send one mail. Never raises; a test that takes longer than MOST_SECONDS is abandoned."""
    channel = SmtpConnection(server, sender, IN_A_HURRY, name=name)
    said: list[SmtpReply] = []
    hand_over = threading.Thread(
        target=lambda: said.append(channel.hand_over(recipient, content)), daemon=True
    )
    hand_over.start()
    hand_over.join(MOST_SECONDS)
    if not said:
        channel.abort()
        said_nothing = f"no answer within {MOST_SECONDS:.0f} seconds"
        return SmtpReply("connect", 0, f"TimeoutError: {SLOW if channel.greeted else said_nothing}")
    channel.close()
    return said[0]


# Words that decide whatever the phase. A timeout after the encryption: the port was right.
_TOLD: tuple[tuple[Outcome, tuple[str, ...]], ...] = (
    ("slow", (SLOW, "read operation timed out")),
    (
        "no_password",
        (
            "basic authentication is disabled",
            "smtpclientauthentication is disabled",
            "no suitable authentication",
        ),
    ),
)
_SENDER_WORDS = (
    "same as authorization",
    "mail from address must",
    "sender address rejected",
    "not owned by user",
    "denies the sender",
)
_LOGIN_WANTED_WORDS = ("relay", "authentication is required", "authentication required")
_TRIES_WORDS = ("too many", "too much", "frequency", "try again later")
# QQ gives all its reasons in one sentence; the person who set the account can check this one.
_CODE_WORDS = ("password is incorrect",)
# What Python's network modules call the failure; [Errno 101] and [Errno 113]: there is no way to
# that network or host.
_NO_HOST, _REFUSED = "gaierror", "ConnectionRefusedError"
_SILENT = ("TimeoutError", "OSError: [Errno 101]", "OSError: [Errno 113]")
_CUT = ("SMTPServerDisconnected", "ConnectionResetError", "UnicodeDecodeError", "SMTPConnectError")


def diagnose(server: MailServer, answer: SmtpReply) -> Outcome:
    """Return what a reply means to the person who set the account.

    A pure function, tested as a table.
    """
    if judge(answer, 0).kind == "sent":
        return "sent"
    if answer.ours:
        return "ours"
    if is_used_up(answer):
        return "used_up"
    for outcome, words in _TOLD:
        if answer.speaks_of(words):
            return outcome
    if not server.user and (answer.code == 530 or answer.speaks_of(_LOGIN_WANTED_WORDS)):
        return "login_wanted"
    if answer.phase in ("connect", "login") and answer.code == 0:
        return _unspoken(server, answer)
    return _at_the_login(answer) if answer.phase == "login" else _of_the_mail(answer)


def _at_the_login(answer: SmtpReply) -> Outcome:
    too_often = answer.code in (421, 451, 454) or answer.speaks_of(_TRIES_WORDS)
    return "tries" if too_often and not answer.speaks_of(_CODE_WORDS) else "code"


def _of_the_mail(answer: SmtpReply) -> Outcome:
    if answer.code in (530, 535):
        return "code"
    if (answer.phase == "sender" and answer.code >= 500) or answer.speaks_of(_SENDER_WORDS):
        return "sender"
    if limit_of(answer) == "greylisted":
        return "greylisted"
    if is_date_refused(answer):
        return "date"
    if limit_of(answer) in ("pace", "busy") or answer.code == 421:
        return "too_fast"
    if answer.phase in ("connect", "sender") or answer.code < 400:
        return "other"
    if answer.code < 500:
        return "later"
    return "recipient" if answer.phase == "recipient" else "content"


def _unspoken(server: MailServer, answer: SmtpReply) -> Outcome:
    """Diagnose a failure before any SMTP: network, encryption, or a missing extension."""
    said = answer.text
    if "SSLCertVerificationError" in said or "CERTIFICATE_VERIFY_FAILED" in said:
        return "certificate"
    if said.startswith(_NO_HOST):
        return "host"
    if "STARTTLS" in said or "not sent in clear" in said:
        return "mismatch" if server.port == 465 else "no_tls"
    if answer.phase == "login" and "SMTPNotSupportedError" in said:
        return "no_login"
    if answer.phase == "login":
        return "tries"  # A server that hangs up here has refused enough attempts.
    if said.startswith(_REFUSED):
        return "refused"
    if _doors_differ(server) or "SSL" in said or said.startswith(_CUT):
        return "mismatch"
    return "silent" if said.startswith(_SILENT) else "other"


def _doors_differ(server: MailServer) -> bool:
    """True if port and encryption do not fit: both sides then wait until a timeout.

    465 begins encrypted; 25 and 587 begin in clear.
    """
    return (server.port == 465) != (server.security == "smtps") and server.port in (25, 465, 587)
