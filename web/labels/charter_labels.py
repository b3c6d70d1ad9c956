"""The charter's numbers in the words of a club's people: effect, value, inputs.

Set-up and settings share them. A workflow words its own numbers; one that no workflow words is not
shown.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from fractions import Fraction
from typing import Any

from engine.charter.model import CLOCK_TIME, COUNT, DAYS, KINDS, SHARE, SPAN, WEEK_TIME, WEEKDAYS
from engine.declare.registry import all_workflows
from engine.declare.wording import NumberWording
from engine.declare.workflow import Workflow
from engine.text.i18n import marked as _
from engine.text.i18n import translate


@dataclass(frozen=True)
class NumberLabel:
    """A number of the charter as its workflow words it. ``does`` has ``%(value)s`` in it."""

    key: str
    name: str
    does: str
    group: str


@dataclass(frozen=True)
class Group:
    """A page of the settings."""

    key: str
    name: str

    @property
    def numbers(self) -> tuple[NumberLabel, ...]:
        return tuple(number for number in known_numbers().values() if number.group == self.key)


GROUPS = (
    Group("joining", _("Joining and leaving")),
    Group("duties", _("Study plan and second chances")),
    Group("reading", _("The reading week")),
    Group("decisions", _("Reviews and decisions")),
    Group("votes", _("Electing admins")),
    Group("mail", _("Reminders and quiet hours")),
    Group("deciders", _("Who decides, and when they are asked")),
)

# Numbers of no single workflow.
_GENERAL = {
    "undo_hours": NumberWording(
        "decisions", _("To take a decision back"), _("A decision can be taken back for %(value)s.")
    ),
    "receipt_after": NumberWording(
        "decisions",
        _("The receipt"),
        _(
            "Whoever decides gets one mail with the ways to take it back, %(value)s "
            "after their last press."
        ),
    ),
    "remind_before": NumberWording(
        "mail",
        _("The first reminder"),
        _("Members are reminded %(value)s before something is due."),
    ),
    "remind_last": NumberWording(
        "mail",
        _("The last reminder"),
        _("For a plan or a reflection there is one more reminder, %(value)s before it is due."),
    ),
    "quiet_from": NumberWording(
        "mail", _("Quiet hours begin"), _("From %(value)s on no reminder leaves.")
    ),
    "quiet_until": NumberWording(
        "mail", _("Quiet hours end"), _("What waited through the night leaves at %(value)s.")
    ),
    "digest_hour": NumberWording(
        "deciders",
        _("The daily letter"),
        _("At %(value)s whoever has something to decide gets one letter that lists all of it."),
    ),
}

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


def known_numbers() -> dict[str, NumberLabel]:
    """List the numbers that have words: those of workflows in the charter's order, then others."""
    return _known_numbers(all_workflows())


@functools.cache
def _known_numbers(workflows: tuple[type[Workflow], ...]) -> dict[str, NumberLabel]:
    found: dict[str, NumberWording] = {}
    for flow in reversed(workflows):  # of two that word the same number the first one is heard
        found.update(flow.wording.numbers)
    worded = {key: found[key] for key in KINDS if key in found} | _GENERAL
    return {
        key: NumberLabel(key, wording.name, wording.does, wording.group)
        for key, wording in worded.items()
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
    return translate(known_numbers()[key].does, language) % {"value": said(key, plain, language)}


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
