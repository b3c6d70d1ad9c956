"""The verdict on a mail server's reply: pure functions over frozen data.

Providers disagree with the standards: QQ answers 550 to a sender who is too fast, 163 hides its
reasons in 451 and 421, Outlook names a daily limit in words of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Phase = Literal["connect", "login", "sender", "recipient", "data", "dot"]
Kind = Literal["sent", "later", "slower", "failed", "unknown_user", "channel"]


@dataclass(frozen=True)
class SmtpReply:
    """A reply of a mail server, and its phase.

    Code 0: nothing, or nothing readable (a time-out, a broken line, garbage). ``ours``: no server
    said it: this program or this machine failed, and ``text`` is Python's name for the fault.
    """

    phase: Phase
    code: int
    text: str
    ours: bool = False

    def __str__(self) -> str:
        who = "ours, " if self.ours else ""
        return f"{who}{self.phase}: {self.code or ''} {self.text}".replace(":  ", ": ")[:500]

    def speaks_of(self, words: Iterable[str]) -> bool:
        """True if it holds one of these words, given in lower case."""
        text = self.text.lower()
        return any(word in text for word in words)

    def matches(self, pattern: str) -> bool:
        """True if a regular expression matches it in lower case."""
        return re.search(pattern, self.text.lower()) is not None


@dataclass(frozen=True)
class Verdict:
    """What follows from a reply.

    ``channel``: the trouble is not this letter's; it costs no attempt and everything waits.
    """

    kind: Kind
    wait: timedelta | None = None


# Each attempt waits longer; after the last one the letter is failed. In all about four days.
RETRY_AFTER = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 1440, 1440)
)
# Two days of quarters of an hour.
TOO_FAST, TOO_FAST_TRIES = timedelta(minutes=15), 192
# How long a channel in trouble waits after so many tries in a row.
CHANNEL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 60))
LOGIN_AFTER = timedelta(minutes=15)
# The account has sent all that it may today: every letter would get the same reply.
USED_UP_AFTER = timedelta(hours=1)
# After so many lost replies the letter waits for a person: each attempt may be one more copy.
UNANSWERED_MOST = 2


# *used_up*: the account may send no more for now, of any letter. *pace*: it sends too fast.
# *busy*: this recipient gets too much. *greylisted*: the recipient's server wants a second visit.
Limit = Literal["used_up", "pace", "busy", "greylisted"]


@dataclass(frozen=True)
class Wording:
    """One way to name a limit: ``says`` is a regular expression over the reply in lower case."""

    who: str
    limit: Limit
    says: str


# The first match counts. Said by the servers themselves, or named in their help pages.
WORDINGS = (
    Wording("Postgrey, milter-greylist, rspamd", "greylisted", r"gr[ea]y-?list|postgrey|灰名单"),
    Wording("QQ", "busy", r"mailbox unavailable or access denied"),
    Wording("Gmail", "busy", r"trying to contact is receiving mail|account is receiving mail"),
    Wording("Exchange", "busy", r"recipient.{0,60}(receiv|inbound).{0,40}(limit|per hour|too)"),
    Wording("163, 126", "used_up", r"\b(mi:stc|rp:trc)\b"),
    Wording("163, 126", "pace", r"\b(hl:(itc|icc|ifc|iff|mep)|mi:(sfq|dmc)|rp:(drc|qrc|rcl))\b"),
    Wording("163, 126", "pace", r"\bdt:spm\b"),
    Wording("Outlook, Microsoft 365", "used_up", r"\b5\.1\.90\b|\b5\.2\.12[0-9]\b|\b5\.7\.705\b"),
    Wording("Outlook, Microsoft 365", "used_up", r"submissionquotaexceeded|tenant has exceeded"),
    Wording("Gmail", "used_up", r"\b5\.4\.5\b|reached a limit for sending mail"),
    Wording("Google Workspace", "pace", r"peak smtp relay limit"),
    Wording("Google Workspace", "used_up", r"smtp relay limit exceeded"),
    Wording("Gmail", "pace", r"unusual rate of"),
    Wording("Zoho", "used_up", r"unusual sending activity"),
    Wording("Amazon SES", "used_up", r"daily message quota"),
    Wording("Amazon SES", "pace", r"maximum sending rate|throttling failure"),
    Wording("SendGrid", "used_up", r"maximum credits exceeded"),
    Wording("Yahoo", "pace", r"resources temporarily (un|not )available"),
    Wording(
        "Tencent Exmail", "used_up", r"发[信送件]量?.{0,6}[到达超][过出]?.{0,6}(上限|限[制额])"
    ),
    Wording("Aliyun", "pace", r"too frequently sending|unexpected sending|behaviou?r spam"),
    Wording("cPanel", "pace", r"max (emails|defers and failures) per hour"),
)

_PER_DAY = (
    r"daily|\b(per[- ]?|an? |each |every )day\b|\btoday\b|\b24[- ]?h(ours?)?\b|[当每今一][日天]"
)
_PER_HOUR = r"hour|minute|seconds?\b|小时|分钟"
_BOUND = (
    r"limit|quota|maximum|\bmax\b|allowance|threshold|exceed|too (many|much)|\bonly \d"
    r"|上限|限[制额量]|超[过出]"
)
# What is sent, not what a mailbox holds: "quota exceeded" alone speaks of the recipient's.
_SENDING = (
    r"\bsen[dt]|sender|outgoing|outbound|submission|submit|messages|e-?mails\b|recipients"
    r"|your \w+ quota|发[信送件]"
)
_BEYOND = r"exceed|reach|over|hit|\bonly \d|too (many|much)|上限|超[过出]"
_FAST = (
    r"\brate\b|ratelimit|throttl|too (fast|quick|frequent|often|many|much)|frequen|slow down"
    r"|频[率繁]|太快"
)
# Bounds that belong to this one letter or its recipient's mailbox.
_OF_THE_LETTER = (
    r"mailbox.{0,20}(quota|full|size|limit)|(quota|storage|space).{0,30}mailbox|over ?quota"
    r"|inbox|disk|storage"
    r"|size|too (large|long|big)|attachment|\bhops?\b|received headers|line length|number of links"
)
_COME_AGAIN = r"try (it )?(again|later)|retry|come back|later"

# Said of a recipient, but the account is meant: once its login is right these letters go.
_NO_RELAY_WORDS = ("relay", "rp:frl", "authentication is required")
_TOO_BIG_WORDS = ("size", "too large", "too long", "too big")
_UNKNOWN_WORDS = (
    "user unknown",
    "unknown user",
    "no such user",
    "user not found",
    "mailbox not found",
    "does not exist",
    "recipient not found",
    "5.1.1",
)
_LOGIN_WORDS = ("too much fail authentication", "authentication required", "authentication failed")
# Exim and SpamExperts ("far in the past/future"), SpamAssassin's rule, gateways of mail providers.
_DATE_WORDS = (
    r"date_in_(past|future)|\bdate\b.{0,40}(past|future|old|invalid|wrong|range|expired|not valid)"
    r"|(old|invalid|bad|wrong|stale|past|future) date|message (is )?too old|日期"
)


def judge(answer: SmtpReply, attempts: int) -> Verdict:
    """Return the verdict for a letter with ``attempts`` attempts before this one."""
    if answer.phase == "dot" and 200 <= answer.code < 300:
        return Verdict("sent")
    if answer.ours and answer.phase not in ("connect", "login"):
        return Verdict("failed")
    if (trouble := _of_the_channel(answer)) is not None:
        return trouble
    if answer.code < 400:  # No reply, or one to another question.
        return _retry(attempts)
    limit = limit_of(answer)
    if limit == "greylisted" or is_date_refused(answer) or (limit is None and answer.code < 500):
        return _retry(attempts)
    if limit is not None:
        return Verdict("slower", TOO_FAST) if attempts < TOO_FAST_TRIES else Verdict("failed")
    return _of_a_refusal(answer, attempts)


def _of_a_refusal(answer: SmtpReply, attempts: int) -> Verdict:
    if answer.phase == "sender":
        return Verdict("channel", LOGIN_AFTER)
    if is_unknown_user(answer):
        return Verdict("unknown_user")
    return _retry(attempts) if is_no_relay(answer) else Verdict("failed")


def _of_the_channel(answer: SmtpReply) -> Verdict | None:
    limit = limit_of(answer)
    if limit == "used_up":
        return Verdict("channel", USED_UP_AFTER)
    if answer.ours:
        return Verdict("channel")
    if answer.phase == "login" or (answer.speaks_of(_LOGIN_WORDS) and limit is None):
        return Verdict("channel", LOGIN_AFTER)
    if answer.phase == "sender" and limit == "pace":
        return Verdict("channel", TOO_FAST)
    return Verdict("channel") if answer.phase == "connect" or answer.code == 421 else None


def limit_of(answer: SmtpReply) -> Limit | None:
    """Return the limit that the reply names, by a known wording, else by its meaning."""
    if answer.ours or answer.code < 400:
        return None
    known = next((wording.limit for wording in WORDINGS if answer.matches(wording.says)), None)
    if known or answer.speaks_of(_LOGIN_WORDS) or answer.matches(_OF_THE_LETTER):
        return known
    return _limit_by_meaning(answer)


def _limit_by_meaning(answer: SmtpReply) -> Limit | None:
    bound = answer.matches(_BOUND)
    if bound and answer.matches(_PER_DAY):
        return "used_up"
    if (bound and answer.matches(_PER_HOUR)) or answer.matches(_FAST):
        return "pace"
    if bound and answer.matches(_SENDING) and answer.matches(_BEYOND):
        return "used_up"
    return "pace" if answer.code >= 500 and answer.matches(_COME_AGAIN) else None


def is_used_up(answer: SmtpReply) -> bool:
    """True if the account has sent all that its provider allows it for now."""
    return limit_of(answer) == "used_up"


def is_unknown_user(answer: SmtpReply) -> bool:
    """True if the recipient's server says that there is no such mailbox."""
    return answer.phase == "recipient" and answer.code >= 500 and answer.speaks_of(_UNKNOWN_WORDS)


def is_no_relay(answer: SmtpReply) -> bool:
    """True if the server relays no mail to other providers, as without a login."""
    return answer.phase == "recipient" and answer.code >= 500 and answer.speaks_of(_NO_RELAY_WORDS)


def is_date_refused(answer: SmtpReply) -> bool:
    """True if the mail was refused for the date in its header."""
    return answer.phase == "dot" and answer.code >= 400 and answer.matches(_DATE_WORDS)


def is_unanswered(answer: SmtpReply) -> bool:
    """True if the whole mail was handed over and no answer to it came: it may have arrived."""
    return answer.phase == "dot" and answer.code < 400 and not 200 <= answer.code < 300


def likeness(answer: SmtpReply) -> str | None:
    """Return what refusals of one kind share: phase, code, words without ids and addresses.

    None for what is each letter's own: no such user, greylisting, a mail that is too big.
    """
    own = is_unknown_user(answer) or is_too_big(answer)
    if own or limit_of(answer) in ("greylisted", "busy"):
        return None
    if judge(answer, 0).kind in ("sent", "channel"):
        return None
    words = [word for word in answer.text.lower().split() if not re.search(r"[\d@:/<>]", word)]
    return " ".join([answer.phase, str(answer.code), *words[:12]])


def for_the_letter(answer: SmtpReply, attempts: int) -> Verdict:
    """Return the letter's own verdict where it differs from the channel's.

    A server that hangs up in the middle of a mail (421) may mean this one alone: it moves behind
    the others, and the attempt counts.
    """
    hung_up = answer.code == 421 and answer.phase in ("recipient", "data", "dot")
    if hung_up and limit_of(answer) != "used_up":
        return _retry(attempts)
    return judge(answer, attempts)


Meaning = Literal[
    "unknown_user",
    "too_fast",
    "busy",
    "used_up",
    "greylisted",
    "date",
    "refused_address",
    "refused_words",
    "too_big",
    "no_relay",
    "channel",
    "later",
    "silent",
    "ours",
    "",
]
_SAID = re.compile(
    r"(ours, )?(connect|login|sender|recipient|data|dot): (?:(\d{3}) )?(.*)", re.DOTALL
)


def meaning(said: str) -> Meaning:
    """Return what a letter's ``answer`` means for a person, "" if there is nothing to say.

    *ours*: the letter could not be composed or handed over.
    """
    if said.startswith("compose:"):
        return "ours"
    answer = heard(said)
    if answer is None:
        return ""
    kind = judge(answer, 0).kind
    if kind == "sent":
        return ""
    return _meaning_by_words(answer) or _meaning_by_verdict(answer, kind)


def _meaning_by_words(answer: SmtpReply) -> Meaning:
    if answer.ours:
        return "ours"
    if is_date_refused(answer):
        return "date"
    if is_no_relay(answer):
        return "no_relay"
    limit = limit_of(answer)
    return _MEANS_OF_LIMIT[limit] if limit and answer.phase != "login" else ""


def _meaning_by_verdict(answer: SmtpReply, kind: Kind) -> Meaning:
    if kind == "failed" and answer.phase == "recipient":
        return "refused_address"
    if kind == "failed":
        return "too_big" if is_too_big(answer) else "refused_words"
    if kind == "later" and answer.code == 0:
        return "silent"
    return _MEANS.get(kind, "")


def heard(said: str) -> SmtpReply | None:
    """Parse a stored answer; return None if it is no server's."""
    found = _SAID.fullmatch(said)
    if found is None:
        return None
    return SmtpReply(found[2], int(found[3] or 0), found[4], ours=found[1] is not None)  # type: ignore[arg-type]


def is_too_big(answer: SmtpReply) -> bool:
    """True if the server takes no mail of this size."""
    return answer.code == 552 and answer.speaks_of(_TOO_BIG_WORDS)


_MEANS_OF_LIMIT: dict[Limit, Meaning] = {
    "used_up": "used_up",
    "pace": "too_fast",
    "busy": "busy",
    "greylisted": "greylisted",
}
_MEANS: dict[Kind, Meaning] = {
    "unknown_user": "unknown_user",
    "slower": "too_fast",
    "channel": "channel",
    "later": "later",
}


def _retry(attempts: int) -> Verdict:
    return (
        Verdict("later", RETRY_AFTER[attempts])
        if attempts < len(RETRY_AFTER)
        else Verdict("failed")
    )
