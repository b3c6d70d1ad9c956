"""The charter's numbers in the words of a club's people: effect, value, inputs.

Set-up and settings share them. Numbers of workflows that are not built yet are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from fractions import Fraction
from typing import Any

from engine.charter.model import CLOCK_TIME, COUNT, DAYS, KINDS, SHARE, SPAN, WEEK_TIME, WEEKDAYS
from engine.text.i18n import marked as _
from engine.text.i18n import translate


@dataclass(frozen=True)
class NumberLabel:
    """The words of a number.

    ``does``: one sentence with ``%(value)s`` that says what it does to members.
    """

    key: str
    name: str
    does: str


@dataclass(frozen=True)
class Group:
    key: str
    name: str
    numbers: tuple[NumberLabel, ...]


GROUPS = (
    Group(
        "joining",
        _("Joining and leaving"),
        (
            NumberLabel(
                "confirm_days",
                _("To confirm the address"),
                _(
                    "Whoever applies has %(value)s to confirm their e-mail address; "
                    "otherwise the application is erased."
                ),
            ),
            NumberLabel(
                "application_days",
                _("Keeping old applications"),
                _(
                    "An application that led nowhere is kept for %(value)s, then what it "
                    "says is deleted."
                ),
            ),
            NumberLabel(
                "erase_days",
                _("Before somebody is erased"),
                _(
                    "Whoever leaves and wants everything erased can still come back for "
                    "%(value)s; then it is gone."
                ),
            ),
        ),
    ),
    Group(
        "duties",
        _("Study plan and second chances"),
        (
            NumberLabel(
                "plan_days",
                _("To write the study plan"),
                _("After joining, a newcomer has %(value)s to write a study plan."),
            ),
            NumberLabel(
                "second_chances",
                _("Second chances"),
                _(
                    "Whoever misses a due time gets %(value)s per study plan, or per month "
                    "of reflections; after that, "
                    "removal is proposed to the owner."
                ),
            ),
            NumberLabel(
                "second_chance_days",
                _("Length of a second chance"),
                _("A second chance lasts %(value)s."),
            ),
            NumberLabel(
                "return_days",
                _("To change what was returned"),
                _("What a reviewer returns for changes is to come back within %(value)s."),
            ),
        ),
    ),
    Group(
        "reading",
        _("The reading week"),
        (
            NumberLabel(
                "week_opens",
                _("The week begins"),
                _("Every week on %(value)s, each member is asked for a reflection."),
            ),
            NumberLabel(
                "week_due",
                _("The reflection is due"),
                _("It is due on the %(value)s that comes next."),
            ),
            NumberLabel(
                "big_book_days",
                _("More time for a big book"),
                _("Whoever reads a big book gets %(value)s more."),
            ),
        ),
    ),
    Group(
        "decisions",
        _("Reviews and decisions"),
        (
            NumberLabel(
                "decide_days",
                _("To review"),
                _(
                    "Reviewers have %(value)s. After that an application or a nomination "
                    "lapses; a plan or a reflection counts "
                    "as handed in."
                ),
            ),
            NumberLabel(
                "removal_days",
                _("To decide on a removal"),
                _("The owner has %(value)s to decide on a proposed removal; then it is dropped."),
            ),
            NumberLabel(
                "extend_most_days",
                _("The longest extension"),
                _("Instead of removing somebody, the owner may give them up to %(value)s more."),
            ),
            NumberLabel(
                "answer_days",
                _("To answer an offer"),
                _("Whoever is offered the club by its owner has %(value)s to answer."),
            ),
            NumberLabel(
                "undo_hours",
                _("To take a decision back"),
                _("A decision can be taken back for %(value)s."),
            ),
            NumberLabel(
                "receipt_after",
                _("The receipt"),
                _(
                    "Whoever decides gets one mail with the ways to take it back, "
                    "%(value)s after their last press."
                ),
            ),
        ),
    ),
    Group(
        "votes",
        _("Electing admins"),
        (
            NumberLabel(
                "vote_days",
                _("Length of a vote"),
                _("Members have %(value)s to vote on a nomination."),
            ),
            NumberLabel(
                "quorum",
                _("Who has to vote"),
                _("The vote counts when at least %(value)s of the electors voted."),
            ),
        ),
    ),
    Group(
        "mail",
        _("Reminders and quiet hours"),
        (
            NumberLabel(
                "remind_before",
                _("The first reminder"),
                _("Members are reminded %(value)s before something is due."),
            ),
            NumberLabel(
                "remind_last",
                _("The last reminder"),
                _(
                    "For a plan or a reflection there is one more reminder, %(value)s "
                    "before it is due."
                ),
            ),
            NumberLabel(
                "quiet_from", _("Quiet hours begin"), _("From %(value)s on no reminder leaves.")
            ),
            NumberLabel(
                "quiet_until",
                _("Quiet hours end"),
                _("What waited through the night leaves at %(value)s."),
            ),
        ),
    ),
    Group(
        "deciders",
        _("Who decides, and when they are asked"),
        (
            NumberLabel(
                "digest_hour",
                _("The daily letter"),
                _(
                    "At %(value)s whoever has something to decide gets one letter that "
                    "lists all of it."
                ),
            ),
        ),
    ),
)

WORDS = {number.key: number for group in GROUPS for number in group.numbers}

# Numbers that no workflow of this version reads.
NOT_BUILT_YET = frozenset(
    {
        "leave_days",
        "leave_per_week",
        "topic_votes",
        "topic_closes",
        "propose_by",
        "shelf_size",
        "honour_days",
        "honour_wins",
        "marking_days",
        "improve_days",
        "gift_choose_days",
        "gift_buy_days",
        "gift_arrive_days",
    }
)

WEEKDAY_WORDS = dict(
    zip(
        WEEKDAYS,
        (
            _("Monday"),
            _("Tuesday"),
            _("Wednesday"),
            _("Thursday"),
            _("Friday"),
            _("Saturday"),
            _("Sunday"),
        ),
        strict=True,
    )
)

WEEK_TIME_WORDS = _("%(day)s at %(time)s")
# One, then several.
UNIT_WORDS = {
    "minute": (_("one minute"), _("%(n)s minutes")),
    "hour": (_("one hour"), _("%(n)s hours")),
    "day": (_("one day"), _("%(n)s days")),
    "chance": (_("one second chance"), _("%(n)s second chances")),
}
UNIT_NAMES = {
    "minute": _("minutes"),
    "hour": _("hours"),
    "day": _("days"),
    "chance": _("second chances"),
}
SPAN_UNITS = ("minute", "hour", "day")
NO_CHANCE = _("no second chance")

# What a number takes, shown beside its field.
TAKES = {
    "whole": _("Please write a whole number from %(low)s to %(high)s"),
    "span": _("Please write a whole number, and choose minutes, hours or days"),
    "share": _("Please write a share such as 1/3"),
    "clock": _("Please write a time such as 08:00"),
    "week": _("Please choose a day, and write a time such as 08:00"),
}


def kind_of(key: str) -> str:
    """Return the kind of inputs of a number: whole span share clock week."""
    kind = KINDS[key]
    return {SPAN: "span", SHARE: "share", CLOCK_TIME: "clock", WEEK_TIME: "week"}.get(kind, "whole")


def unit_of(key: str) -> str:
    """Return the unit of a whole number."""
    if KINDS[key] is DAYS:
        return "day"
    return "chance" if KINDS[key] is COUNT else "hour"


def said(key: str, plain: Any, language: str) -> str:
    """Say a plain value as people do: "3 days", "one hour", "Sunday at 08:00"."""
    match kind_of(key):
        case "week":
            day, _between, at = str(plain).partition(" ")
            return translate(WEEK_TIME_WORDS, language) % {
                "day": translate(WEEKDAY_WORDS[day], language),
                "time": at,
            }
        case "span":
            count, _between, unit = str(plain).partition(" ")
            return _counted(int(count), unit.removesuffix("s"), language)
        case "whole":
            return _counted(int(plain), unit_of(key), language)
    return str(plain)


def explained(key: str, plain: Any, language: str) -> str:
    """Say what a number does to members, with its value."""
    return translate(WORDS[key].does, language) % {"value": said(key, plain, language)}


def _counted(count: int, unit: str, language: str) -> str:
    if unit == "chance" and count == 0:
        return translate(NO_CHANCE, language)
    one, several = UNIT_WORDS[unit]
    return translate(one, language) if count == 1 else translate(several, language) % {"n": count}


# A number's inputs. A span has a second one, ``key-unit``; a weekly time has ``key-day``.


def typed_of(key: str, plain: Any) -> dict[str, str]:
    """Return the inputs that show a value."""
    first, _between, second = str(plain).partition(" ")
    match kind_of(key):
        case "span":
            return {key: first, key + "-unit": second.removesuffix("s")}
        case "week":
            return {key: second, key + "-day": first}
    return {key: str(plain)}


def read_number(key: str, typed: Mapping[str, str]) -> Any:
    """Return the plain value of the inputs.

    Raises: ValueError; ``takes`` says what the field wants.
    """
    text = _narrow(typed.get(key, "").strip())
    try:
        match kind_of(key):
            case "span":
                return _settled(key, f"{int(text)} {typed.get(key + '-unit', '')}")
            case "week":
                return _settled(key, f"{typed.get(key + '-day', '')} {_clock(text)}")
            case "clock":
                return _settled(key, _clock(text))
            case "share":
                return _settled(key, _share(text.replace(" ", "")))
        return _settled(key, int(text))
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise ValueError(key) from None


def _settled(key: str, value: Any) -> Any:
    """Read and write a value once, so that it has one form."""
    return KINDS[key].write(KINDS[key].read(value))


def _narrow(text: str) -> str:
    """Fold the full-width digits and colons of a Chinese keyboard."""
    return text.translate(str.maketrans("０１２３４５６７８９：／", "0123456789:/"))[:20]


def _share(text: str) -> str:
    if not re.fullmatch(
        r"\d{1,4}([/.]\d{1,4})?", text
    ):  # A fraction takes exponents, too, and would compute for ever.
        raise ValueError(text)
    return str(Fraction(text))


def _clock(text: str) -> str:
    found = re.fullmatch(r"(\d{1,2})[:.](\d\d)(?::00)?", text)
    if not found:
        raise ValueError(text)
    return time(int(found[1]), int(found[2])).strftime("%H:%M")


def limits_of(key: str) -> tuple[int, int]:
    """Return the least and the most of a whole number."""
    low, high = re.findall(r"\d+", KINDS[key].takes)
    return int(low), int(high)


def takes(key: str, language: str) -> str:
    """Say what the field wants, after a wrong value."""
    kind = kind_of(key)
    low, high = limits_of(key) if kind == "whole" else (0, 0)
    return translate(TAKES[kind], language) % {"low": low, "high": high}
