"""Judging what a mail server said: a pure function over frozen data, tested as a table.

Providers disagree with the standards: QQ answers 550 to a sender who is too fast, 163 hides its
reasons in 451 and 421.
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
    """What the server said, and when. Code 0: nothing, or nothing that can be read (a time-out, a
    broken line, garbage)."""

    phase: Phase
    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.phase}: {self.code or ''} {self.text}".replace(":  ", ": ")[:500]

    def speaks_of(self, words: Iterable[str]) -> bool:
        """Is one of these in what was said? ``words`` in lower case."""
        text = self.text.lower()
        return any(word in text for word in words)


@dataclass(frozen=True)
class Verdict:
    """``channel``: the trouble is not this letter's; it costs no attempt and everything waits."""

    kind: Kind
    wait: timedelta | None = None


# Each try of a letter waits longer; after the last one it is failed. In all about four days.
RETRY_AFTER = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 1440, 1440)
)
# Two days of quarters of an hour.
TOO_FAST, TOO_FAST_TRIES = timedelta(minutes=15), 192
# How long a channel in trouble rests after so many tries in a row.
CHANNEL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 60))
LOGIN_AFTER = timedelta(minutes=15)
# The account has sent all that it may today: every letter would hear the same.
USED_UP_AFTER = timedelta(hours=1)

_USED_UP_WORDS = ("mi:stc", "rp:trc", "sending quota", "sending limit", "submissionquotaexceeded")
_TOO_FAST_WORDS = (
    "frequency limited",
    "mailbox unavailable or access denied",
    "too many",
    "rate limit",
    "ratelimit",
    "try again later",
    "hl:itc",
    "hl:icc",
    "hl:ifc",
    "hl:iff",
    "hl:mep",
    "mi:sfq",
    "mi:dmc",
    "rp:drc",
    "rp:qrc",
    "dt:spm",
)
# Said of a recipient, and the account is meant: whoever puts its login right finds these letters
# still waiting.
_NO_RELAY_WORDS = ("relay", "rp:frl", "authentication is required")
_TOO_BIG_WORDS = ("size", "too large", "too long", "too big")
_UNKNOWN_WORDS = (
    "user unknown",
    "unknown user",
    "no such user",
    "user not found",
    "mailbox not found",
    "does not exist",
    "5.1.1",
)
_LOGIN_WORDS = ("too much fail authentication", "authentication required", "authentication failed")


def judge(answer: SmtpReply, attempts: int) -> Verdict:
    """What follows for a letter that has been tried ``attempts`` times before this one."""
    if answer.phase == "dot" and 200 <= answer.code < 300:
        return Verdict("sent")
    if (trouble := _of_the_channel(answer)) is not None:
        return trouble
    if answer.code < 400:  # no answer, or one to another question
        return _retry(attempts)
    if answer.speaks_of(_TOO_FAST_WORDS):
        return Verdict("slower", TOO_FAST) if attempts < TOO_FAST_TRIES else Verdict("failed")
    if 400 <= answer.code < 500:
        return _retry(attempts)
    if answer.phase == "sender":
        return Verdict("channel", LOGIN_AFTER)
    if answer.phase == "recipient" and answer.speaks_of(_UNKNOWN_WORDS):
        return Verdict("unknown_user")
    return _retry(attempts) if is_no_relay(answer) else Verdict("failed")


def _of_the_channel(answer: SmtpReply) -> Verdict | None:
    if answer.phase == "login" or answer.speaks_of(_LOGIN_WORDS):
        return Verdict("channel", LOGIN_AFTER)
    if is_used_up(answer):
        return Verdict("channel", USED_UP_AFTER)
    return Verdict("channel") if answer.phase == "connect" or answer.code == 421 else None


def is_used_up(answer: SmtpReply) -> bool:
    """Has the account sent all that its provider allows it in a day?"""
    return answer.code >= 400 and answer.speaks_of(_USED_UP_WORDS)


def is_no_relay(answer: SmtpReply) -> bool:
    """Does the server pass no mail on to other providers, as it does for whoever has not logged in?"""
    return answer.phase == "recipient" and answer.code >= 500 and answer.speaks_of(_NO_RELAY_WORDS)


def for_the_letter(answer: SmtpReply, attempts: int) -> Verdict:
    """What follows for the letter where that is not what follows for the channel.

    A server that hangs up in the middle of a mail (421) may mean this one alone: it steps behind
    the others, and the try counts.
    """
    if answer.code == 421 and answer.phase in ("recipient", "data", "dot"):
        return _retry(attempts)
    return judge(answer, attempts)


Meaning = Literal[
    "unknown_user",
    "too_fast",
    "used_up",
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
_SAID = re.compile(r"(connect|login|sender|recipient|data|dot): (?:(\d{3}) )?(.*)", re.DOTALL)


def meaning(said: str) -> Meaning:
    """What a letter's ``answer`` means for a person: a server's words as ``str(Answer)`` keeps
    them. Empty: nothing to say.

    *ours*: the letter could not be composed; no server has seen it.
    """
    if said.startswith("compose:"):
        return "ours"
    answer = heard(said)
    if answer is None:
        return ""
    if is_used_up(answer):
        return "used_up"
    if is_no_relay(answer):
        return "no_relay"
    kind = judge(answer, 0).kind
    if kind == "failed" and answer.phase == "recipient":
        return "refused_address"
    if kind == "failed":
        return "too_big" if is_too_big(answer) else "refused_words"
    if kind == "later" and answer.code == 0:
        return "silent"
    return _MEANS.get(kind, "")


def heard(said: str) -> SmtpReply | None:
    """The answer that ``said`` keeps; None where it is no server's."""
    found = _SAID.fullmatch(said)
    return SmtpReply(found[1], int(found[2] or 0), found[3]) if found else None  # type: ignore[arg-type]


def is_too_big(answer: SmtpReply) -> bool:
    """Does the server take no mail of this size?"""
    return answer.code == 552 and answer.speaks_of(_TOO_BIG_WORDS)


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
