"""Judging what a server said, as a table. The texts are those of real providers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailers.smtp.reply import (
    LOGIN_AFTER,
    RETRY_AFTER,
    TOO_FAST,
    USED_UP_AFTER,
    SmtpReply,
    Verdict,
    judge,
    meaning,
)

FIRST = RETRY_AFTER[0]

TABLE = [
    ("dot", 250, "2.0.0 Ok: queued", Verdict("sent")),
    ("dot", 251, "forwarded", Verdict("sent")),
    ("connect", 0, "ConnectionRefusedError", Verdict("channel")),
    ("connect", 421, "HL:REP too many", Verdict("channel")),
    ("connect", 554, "no SMTP service here", Verdict("channel")),
    ("login", 535, "Login fail. Authorization code is expired", Verdict("channel", LOGIN_AFTER)),
    ("login", 0, "SMTPServerDisconnected", Verdict("channel", LOGIN_AFTER)),
    ("sender", 451, "too much fail authentication", Verdict("channel", LOGIN_AFTER)),
    ("sender", 530, "Authentication required", Verdict("channel", LOGIN_AFTER)),
    (
        "sender",
        501,
        "mail from address must be same as authorization user",
        Verdict("channel", LOGIN_AFTER),
    ),
    ("sender", 553, "Mail from must equal authorized user", Verdict("channel", LOGIN_AFTER)),
    ("recipient", 421, "HL:ITC 163 too many connections", Verdict("channel")),
    ("dot", 421, "closing", Verdict("channel")),
    ("recipient", 450, "greylisted", Verdict("later", FIRST)),
    ("data", 451, "local error", Verdict("later", FIRST)),
    ("dot", 452, "insufficient storage", Verdict("later", FIRST)),
    ("dot", 0, "TimeoutError: timed out", Verdict("later", FIRST)),
    ("recipient", 0, "SMTPServerDisconnected", Verdict("later", FIRST)),
    ("dot", 354, "go on", Verdict("later", FIRST)),  # the answer to another question
    ("data", 250, "fine", Verdict("later", FIRST)),
    ("dot", 451, "DT:SPM 163 smtp", Verdict("slower", TOO_FAST)),
    ("dot", 550, "Sender frequency limited", Verdict("slower", TOO_FAST)),
    ("recipient", 550, "Domain frequency limited", Verdict("slower", TOO_FAST)),
    ("recipient", 550, "Ip frequency limited", Verdict("slower", TOO_FAST)),
    ("recipient", 550, "Mailbox unavailable or access denied", Verdict("slower", TOO_FAST)),
    ("recipient", 550, "5.1.1 user unknown", Verdict("unknown_user")),
    ("recipient", 550, "No such user here", Verdict("unknown_user")),
    ("recipient", 550, "User not found: lilei@163.com", Verdict("unknown_user")),
    (
        "recipient",
        554,
        "5.7.1 <lilei@qq.com>: Relay access denied",
        Verdict("later", FIRST),
    ),  # the account lacks its login
    ("recipient", 553, "authentication is required,163 smtp1", Verdict("later", FIRST)),
    ("dot", 554, "MI:STC 163 smtp1", Verdict("channel", USED_UP_AFTER)),
    ("recipient", 550, "RP:TRC 163 smtp1", Verdict("channel", USED_UP_AFTER)),
    (
        "recipient",
        550,
        "5.4.5 Daily user sending limit exceeded.",
        Verdict("channel", USED_UP_AFTER),
    ),
    ("dot", 552, "Daily sending quota exceeded", Verdict("channel", USED_UP_AFTER)),
    (
        "dot",
        554,
        "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        Verdict("channel", USED_UP_AFTER),
    ),
    ("recipient", 552, "5.2.2 mailbox quota exceeded", Verdict("failed")),  # the recipient's
    ("dot", 451, "MI:SFQ 163 smtp1", Verdict("slower", TOO_FAST)),
    ("recipient", 553, "sorry", Verdict("failed")),
    ("dot", 554, "5.7.1 content rejected", Verdict("failed")),
    ("dot", 550, "Mail content denied", Verdict("failed")),
    ("dot", 550, "the user unknown in the text", Verdict("failed")),  # content, not the member
    ("dot", 552, "message too large", Verdict("failed")),
    ("data", 503, "bad sequence", Verdict("failed")),
]


@pytest.mark.parametrize(
    ("phase", "code", "text", "verdict"), TABLE, ids=lambda value: str(value)[:40]
)
def test_code_phase_and_text_decide(phase: str, code: int, text: str, verdict: Verdict) -> None:
    assert judge(SmtpReply(phase, code, text), 0) == verdict  # type: ignore[arg-type]


def test_each_try_waits_longer_and_the_last_one_is_a_failure() -> None:
    waits = [
        judge(SmtpReply("dot", 451, "try later"), attempts).wait
        for attempts in range(len(RETRY_AFTER))
    ]
    assert waits == sorted(waits)  # type: ignore[type-var]
    assert judge(SmtpReply("dot", 451, "try later"), len(RETRY_AFTER)) == Verdict("failed")
    assert timedelta(days=3) < sum(RETRY_AFTER, timedelta()) < timedelta(days=6)


def test_also_who_is_told_to_slow_down_for_ever_ends_somewhere() -> None:
    assert judge(
        SmtpReply("recipient", 550, "Mailbox unavailable or access denied"), 1000
    ) == Verdict("failed")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (SmtpReply("dot", 250, "Ok"), "dot: 250 Ok"),
        (SmtpReply("connect", 0, "refused"), "connect: refused"),
        (SmtpReply("dot", 550, "x" * 999), ("dot: 550 " + "x" * 999)[:500]),
    ],
)
def test_an_answer_is_kept_with_its_phase_in_the_servers_own_words(
    answer: SmtpReply, said: str
) -> None:
    assert str(answer) == said


MEANS = [
    (SmtpReply("recipient", 550, "5.1.1 user unknown"), "unknown_user"),
    (SmtpReply("recipient", 550, "relay denied"), "no_relay"),
    (SmtpReply("recipient", 550, "not here"), "refused_address"),
    (SmtpReply("dot", 554, "MI:STC 163 smtp1"), "used_up"),
    (SmtpReply("dot", 552, "5.3.4 Message size exceeds fixed limit"), "too_big"),
    (SmtpReply("recipient", 550, "Mailbox unavailable or access denied"), "busy"),
    (SmtpReply("dot", 550, "Sender frequency limited"), "too_fast"),
    (SmtpReply("dot", 554, "5.7.1 content rejected"), "refused_words"),
    (SmtpReply("recipient", 450, "4.3.2 not now"), "later"),
    (SmtpReply("dot", 0, "TimeoutError: timed out"), "silent"),
    (SmtpReply("login", 535, "Login fail. Authorization code is expired"), "channel"),
    (SmtpReply("dot", 250, "2.0.0 Ok: queued"), ""),
    (SmtpReply("dot", 554, "first line\nsecond line"), "refused_words"),
]


@pytest.mark.parametrize(("answer", "meant"), MEANS)
def test_what_is_kept_of_an_answer_says_what_it_means(answer: SmtpReply, meant: str) -> None:
    assert meaning(str(answer)) == meant


@pytest.mark.parametrize(
    ("kept", "meant"),
    [
        ("compose: KeyError: 'x'", "ours"),
        ("", ""),
        ("released", ""),
        ("no longer needed: it moved", ""),
    ],
)
def test_what_no_server_said_means_nothing_but_our_own_faults(kept: str, meant: str) -> None:
    assert meaning(kept) == meant
