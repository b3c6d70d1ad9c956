"""Limits, greylisting, dates and faults of our own, told by what an answer means: tables."""

from __future__ import annotations

import pytest

from mailers.smtp.reply import (
    RETRY_AFTER,
    TOO_FAST,
    USED_UP_AFTER,
    SmtpReply,
    Verdict,
    heard,
    judge,
    likeness,
    limit_of,
    meaning,
)

FIRST = RETRY_AFTER[0]

# Who says so, in which phase, and what it is: one row for each wording that was met.
LIMITS: list[tuple[str, str, int, str, str]] = [
    (
        "Outlook",
        "dot",
        550,
        "5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        "used_up",
    ),
    (
        "Outlook",
        "recipient",
        550,
        "5.2.122 The sender has exceeded the recipient rate limit",
        "used_up",
    ),
    (
        "Outlook",
        "dot",
        554,
        "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        "used_up",
    ),
    ("Outlook", "sender", 550, "5.7.705 Access denied, tenant has exceeded threshold", "used_up"),
    ("Outlook", "connect", 421, "4.7.66 too many concurrent SMTP connections", "pace"),
    (
        "Gmail",
        "dot",
        550,
        "5.4.5 Daily user sending quota exceeded. o65sm25351206pga.71 - gsmtp",
        "used_up",
    ),
    (
        "Gmail",
        "dot",
        550,
        "5.4.5 You have reached a limit for sending mail. Your message was not sent.",
        "used_up",
    ),
    (
        "Workspace",
        "recipient",
        550,
        "5.7.1 Daily SMTP relay limit exceeded for customer.",
        "used_up",
    ),
    ("Workspace", "sender", 450, "4.2.1 Peak SMTP relay limit exceeded for customer", "pace"),
    (
        "Gmail",
        "recipient",
        450,
        "4.2.1 The user you are trying to contact is receiving mail too quickly",
        "busy",
    ),
    (
        "Gmail",
        "dot",
        421,
        "4.7.28 Our system has detected an unusual rate of unsolicited mail",
        "pace",
    ),
    ("163", "dot", 554, "MI:STC 163 smtp1,D9GowACHM3 1637000000", "used_up"),
    ("163", "recipient", 550, "RP:TRC 163 smtp1", "used_up"),
    ("163", "dot", 451, "MI:SFQ 163 smtp1", "pace"),
    ("163", "connect", 421, "HL:ICC 163 smtp1", "pace"),
    ("163", "recipient", 452, "RP:RCL 163 smtp1", "pace"),
    ("QQ", "dot", 550, "Connection frequency limited", "pace"),
    ("QQ", "recipient", 550, "Mailbox unavailable or access denied", "busy"),
    ("Exmail", "dot", 550, "域名当日发信量到达上限", "used_up"),
    ("Exmail", "dot", 550, "您的发信量已达上限", "used_up"),
    ("Exmail", "sender", 550, "发信过于频繁，请稍后再试", "pace"),
    (
        "Aliyun",
        "dot",
        554,
        "Reject by behaviour spamANTISPAM_BAT[01201311R196, c01a1]: too frequently sending",
        "pace",
    ),
    ("Aliyun", "dot", 554, "currently unexpected sending", "pace"),
    (
        "Yahoo",
        "dot",
        451,
        "4.3.2 Resources temporarily unavailable. Please try again later [#4.16.5].",
        "pace",
    ),
    ("Yahoo", "dot", 554, "You have exceeded the sending limit of your account", "used_up"),
    ("Yahoo", "dot", 550, "Sending limit reached for this user", "used_up"),
    (
        "Zoho",
        "dot",
        550,
        "5.4.6 Unusual sending activity detected. Please try after sometime",
        "used_up",
    ),
    ("Zoho", "dot", 554, "5.7.1 Email sending limit exceeded", "used_up"),
    ("SES", "dot", 454, "Throttling failure: Daily message quota exceeded.", "used_up"),
    ("SES", "dot", 454, "Throttling failure: Maximum sending rate exceeded.", "pace"),
    ("SendGrid", "login", 451, "Authentication failed: Maximum credits exceeded", "used_up"),
    ("netcup", "dot", 550, "send spam mail rejected: exceeded hour limit", "pace"),
    (
        "vmail",
        "data",
        550,
        "5.7.1 <DATA>: Data command rejected: only 10 messages per day",
        "used_up",
    ),
    (
        "outMail",
        "recipient",
        554,
        "5.7.1 <a@example.com>: Recipient address rejected: You have exceeded your Outmail quota.",
        "used_up",
    ),
    (
        "Postfix",
        "dot",
        450,
        "4.7.1 <END-OF-MESSAGE>: End-of-data rejected: Number messages per hour exceeded",
        "pace",
    ),
    (
        "Exim",
        "recipient",
        550,
        "Domain jiuniu.example has exceeded the max emails per hour (50/50) allowed",
        "pace",
    ),
    ("SmarterMail", "sender", 550, "Sender is throttled", "pace"),
    ("Exchange", "dot", 550, "User me@site.com has exceeded its 24-hour sending limit", "used_up"),
    ("msndr", "login", 550, "Too many messages. Try again in 92 seconds.", "pace"),
    ("unknown", "dot", 550, "sending quota exceeded", "used_up"),
    (
        "unknown",
        "dot",
        452,
        "You have sent the maximum number of messages allowed today",
        "used_up",
    ),
    ("unknown", "sender", 452, "Sender message rate limit exceeded", "pace"),
    ("unknown", "dot", 550, "今日发送数量已超过限制", "used_up"),
    (
        "Postgrey",
        "recipient",
        450,
        "4.2.0 <a@b.cn>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch",
        "greylisted",
    ),
    ("rspamd", "dot", 451, "4.7.1 Try again later, greylisted", "greylisted"),
    (
        "milter",
        "recipient",
        451,
        "4.7.1 Greylisting in action, please come back in 00:05:00",
        "greylisted",
    ),
    (
        "OpenBSD",
        "recipient",
        451,
        "Temporary failure, please try again later. Graylisted",
        "greylisted",
    ),
]
NO_LIMITS = [
    ("recipient", 552, "5.2.2 mailbox quota exceeded"),
    ("recipient", 452, "4.2.2 The email account that you tried to reach is over quota"),
    ("recipient", 552, "Quota exceeded (mailbox for user is full)"),
    ("dot", 552, "5.3.4 Message size exceeds fixed maximum message size"),
    ("dot", 554, "5.4.14 Hop count exceeded: too many hops"),
    ("recipient", 550, "5.1.1 The email account that you tried to reach does not exist"),
    ("recipient", 550, "5.1.10 RecipientNotFound; Recipient not found by SMTP address lookup"),
    ("dot", 554, "5.7.1 content rejected"),
    ("recipient", 451, "4.3.0 Temporary lookup failure"),
    ("dot", 250, "2.0.0 Ok: queued, 12 messages sent today"),
]


@pytest.mark.parametrize(
    ("who", "phase", "code", "text", "limit"), LIMITS, ids=lambda value: str(value)[:40]
)
def test_d2_a_limit_is_known_by_its_meaning_whoever_words_it(
    who: str, phase: str, code: int, text: str, limit: str
) -> None:
    answer = SmtpReply(phase, code, text)  # type: ignore[arg-type]
    assert limit_of(answer) == limit, who
    assert (
        judge(answer, 0).kind
        in {
            "used_up": ["channel"],
            "pace": ["slower", "channel"],
            "busy": ["slower"],
            "greylisted": ["later"],
        }[limit]
    )


@pytest.mark.parametrize(("phase", "code", "text"), NO_LIMITS, ids=lambda value: str(value)[:40])
def test_d2_a_full_mailbox_or_a_big_mail_is_no_limit_of_the_account(
    phase: str, code: int, text: str
) -> None:
    assert limit_of(SmtpReply(phase, code, text)) is None  # type: ignore[arg-type]


def test_d2_a_limit_told_at_the_login_or_before_the_mail_rests_the_account_at_once() -> None:
    assert judge(SmtpReply("login", 454, "4.7.0 Daily message quota exceeded"), 0) == Verdict(
        "channel", USED_UP_AFTER
    )
    assert judge(SmtpReply("sender", 450, "4.7.1 Sender rate limit exceeded"), 0) == Verdict(
        "channel", TOO_FAST
    )
    assert judge(SmtpReply("sender", 550, "5.7.1 Too many messages this hour"), 0) == Verdict(
        "channel", TOO_FAST
    )


@pytest.mark.parametrize(
    "text",
    [
        "451 4.7.1 Greylisted, try again later",
        "450 4.2.0 <a@b.cn>: Greylisted for 300 seconds",
        "451 postgrey: please come back later",
    ],
)
def test_b16_greylisting_is_told_as_what_it_is(text: str) -> None:
    answer = SmtpReply("recipient", int(text[:3]), text[4:])
    assert (judge(answer, 0), meaning(str(answer))) == (Verdict("later", FIRST), "greylisted")


@pytest.mark.parametrize("phase", ["connect", "login", "sender", "recipient", "data", "dot"])
def test_a4_a_fault_of_ours_is_never_judged_as_the_server_s(phase: str) -> None:
    answer = SmtpReply(phase, 0, "UnicodeEncodeError: 'ascii' codec can't encode", ours=True)  # type: ignore[arg-type]
    assert judge(answer, 0).kind == ("channel" if phase in ("connect", "login") else "failed")
    assert (meaning(str(answer)), heard(str(answer))) == ("ours", answer)


@pytest.mark.parametrize(
    "text",
    [
        "Date header far in the past/future.",
        "5.7.1 rejected: DATE_IN_PAST_96_XX",
        "The Date: of this message is too old",
        "邮件日期无效",
    ],
)
def test_a10_a_refusal_for_the_date_is_tried_again(text: str) -> None:
    answer = SmtpReply("dot", 550, text)
    assert (judge(answer, 0), meaning(str(answer))) == (Verdict("later", FIRST), "date")


@pytest.mark.parametrize(
    "text",
    [
        "5.7.1 your account is not up to date",
        "update your software",
        "5.7.1 candidate list rejected",
    ],
)
def test_a10_other_words_that_hold_a_date_are_none(text: str) -> None:
    assert judge(SmtpReply("dot", 550, text), 0) == Verdict("failed")


def test_d2_refusals_are_alike_whatever_ids_and_addresses_they_hold() -> None:
    first, second, other = (
        SmtpReply("dot", 550, f"5.7.1 <{who}>: {words} (id {number})")
        for who, words, number in (
            ("a@qq.com", "not now", "a1b2"),
            ("b@163.com", "not now", "c3d4"),
            ("a@qq.com", "spam", "e5"),
        )
    )
    assert likeness(first) == likeness(second) != likeness(other)
    assert likeness(SmtpReply("recipient", 550, "5.1.1 user unknown")) is None
