"""A club's charter as validated data: numbers, texts and clauses.

A workflow names a number (``charter.plan_days``); the club's own charter gives the value at run
time.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from engine.text.i18n import LANGUAGES

SHIPPED = Path(__file__).parent / "defaults"


class CharterError(ValueError):
    """An invalid charter; the text names the key and the values that it takes."""


@dataclass(frozen=True)
class Kind:
    """A type of number: its reader, its writer, and the words about what it takes."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    takes: str


def _whole(low: int, high: int) -> Kind:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return Kind(read, int, f"a whole number from {low} to {high}")


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def _read_span(value: Any) -> timedelta:
    found = re.fullmatch(r"(\d{1,4}) (minute|hour|day)s?", str(value))
    if not found or int(found[1]) == 0:
        raise ValueError
    return timedelta(**{found[2] + "s": int(found[1])})


def _write_span(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size} {unit}" + ("s" if seconds != size else "")


def _read_fraction(value: Any) -> Fraction:
    share = Fraction(str(value))
    if not 0 < share <= 1:
        raise ValueError
    return share


def _read_clock_time(value: Any) -> time:
    if not re.fullmatch(r"\d\d:\d\d", str(value)):
        raise ValueError
    return time.fromisoformat(str(value))


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class WeekTime:
    """A weekly time; ``weekday`` counts from Monday = 1 (ISO 8601)."""

    weekday: int
    at: time


def _read_week_time(value: Any) -> WeekTime:
    day, _, at = str(value).partition(" ")
    return WeekTime(WEEKDAYS.index(day) + 1, _read_clock_time(at))


def _write_week_time(value: WeekTime) -> str:
    return f"{WEEKDAYS[value.weekday - 1]} {value.at:%H:%M}"


DAYS = _whole(1, 366)
COUNT = _whole(0, 1000)
SPAN = Kind(_read_span, _write_span, 'a span such as "3 hours" or "1 day"')
SHARE = Kind(_read_fraction, str, 'a share such as "1/3"')
CLOCK_TIME = Kind(_read_clock_time, lambda value: value.strftime("%H:%M"), 'a time such as "08:00"')
WEEK_TIME = Kind(_read_week_time, _write_week_time, 'a moment of the week such as "sunday 08:00"')


def _number(kind: Kind, default: Any, clause: str) -> Any:
    return field(default=kind.read(default), metadata={"kind": kind, "clause": clause})


@dataclass(frozen=True)
class Numbers:
    """Every number of the charter, with the default of the founding club."""

    confirm_days: int = _number(DAYS, 3, "2.1")
    application_days: int = _number(DAYS, 180, "2.1")
    plan_days: int = _number(DAYS, 3, "3.1")
    second_chances: int = _number(COUNT, 1, "3.2")
    second_chance_days: int = _number(DAYS, 2, "3.2")
    return_days: int = _number(DAYS, 3, "2.1")
    decide_days: int = _number(DAYS, 7, "2.1")
    removal_days: int = _number(DAYS, 14, "3.2")
    extend_most_days: int = _number(DAYS, 60, "3.2")
    remind_before: timedelta = _number(SPAN, "1 day", "3.1")
    remind_last: timedelta = _number(SPAN, "3 hours", "3.1")
    erase_days: int = _number(DAYS, 3, "2.2")
    undo_hours: int = _number(_whole(1, 720), 24, "2.1")
    vote_days: int = _number(DAYS, 3, "7.2")
    quorum: Fraction = _number(SHARE, "1/3", "7.2")
    leave_days: int = _number(DAYS, 2, "4.3")
    leave_per_week: int = _number(COUNT, 1, "4.3")
    topic_votes: int = _number(_whole(1, 1000), 20, "4.2")
    topic_closes: timedelta = _number(SPAN, "12 hours", "4.2")
    propose_by: time = _number(CLOCK_TIME, "12:00", "4.2")
    week_opens: WeekTime = _number(WEEK_TIME, "sunday 08:00", "5.1")
    week_due: WeekTime = _number(WEEK_TIME, "saturday 20:00", "5.3")
    big_book_days: int = _number(DAYS, 3, "5.1")
    shelf_size: int = _number(_whole(1, 50), 5, "5.2")
    honour_days: int = _number(DAYS, 1, "9.1")
    honour_wins: int = _number(_whole(1, 100), 5, "9.2")
    marking_days: int = _number(DAYS, 1, "4.4")
    improve_days: int = _number(DAYS, 14, "6.1")
    answer_days: int = _number(DAYS, 7, "6.1")
    gift_choose_days: int = _number(DAYS, 14, "9.2")
    gift_buy_days: int = _number(DAYS, 14, "9.2")
    gift_arrive_days: int = _number(DAYS, 21, "9.2")
    quiet_from: time = _number(CLOCK_TIME, "22:45", "6.1")
    quiet_until: time = _number(CLOCK_TIME, "07:30", "6.1")
    digest_hour: time = _number(CLOCK_TIME, "08:00", "8.1")
    receipt_after: timedelta = _number(SPAN, "10 minutes", "8.1")


@dataclass(frozen=True)
class Cited:
    """The clauses that a text cites beside that of its own workflow or state."""

    names: str = "2.2"
    coming_back: str = "2.3"
    offices: str = "8.1"


CITED = Cited()

KINDS: dict[str, Kind] = {item.name: item.metadata["kind"] for item in fields(Numbers)}


@dataclass(frozen=True)
class Clause:
    number: str
    text: str


@dataclass(frozen=True)
class Charter:
    """A club's agreed numbers, texts and clauses.

    ``group``: how to join the chat group; ``contact``: an address that a person reads.
    ``deputies``: workflows in which admins may decide in the owner's place. ``in_daily_letter``:
    workflows whose asks go into the daily letter; ``removal`` means the removals that any of them
    proposes. ``damaged``: values of the row that were unreadable and are as shipped.
    """

    purpose: str
    group: str
    contact: str
    deputies: tuple[str, ...]
    in_daily_letter: tuple[str, ...]
    clauses: tuple[Clause, ...]
    numbers: Numbers
    damaged: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Charter:
        """Read a charter from its plain form (TOML or JSON).

        Raises: CharterError.
        """
        if unknown := set(data) - {part.name for part in fields(cls)}:
            raise CharterError(f"{min(unknown)}: there is no such key in a charter")
        return cls(
            purpose=_text(data, "purpose"),
            group=_text(data, "group"),
            contact=_text(data, "contact"),
            deputies=_names(data, "deputies"),
            in_daily_letter=_names(data, "in_daily_letter"),
            clauses=tuple(_clauses(data.get("clauses", []))),
            numbers=_numbers(data.get("numbers", {})),
        )

    def plain(self) -> dict[str, Any]:
        """Return the plain form that ``parse`` reads, with every number."""
        return {
            "purpose": self.purpose,
            "group": self.group,
            "contact": self.contact,
            "deputies": list(self.deputies),
            "in_daily_letter": list(self.in_daily_letter),
            "numbers": {key: kind.write(getattr(self.numbers, key)) for key, kind in KINDS.items()},
            "clauses": [{"number": clause.number, "text": clause.text} for clause in self.clauses],
        }


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise CharterError(f"{key}: takes a text")
    return value.strip()


def _names(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Read a list of workflows; without one it is the founding club's."""
    value = data[key] if key in data else _shipped_lists()[key]
    if not isinstance(value, list | tuple) or not all(
        isinstance(name, str) and re.fullmatch(r"[a-z_]+", name) for name in value
    ):
        raise CharterError(f'{key}: takes a list of workflows such as ["join", "study_plan"]')
    return tuple(value)


def _clauses(data: Any) -> list[Clause]:
    if not isinstance(data, list):
        raise CharterError("clauses: takes a list of [[clauses]] tables")
    found = []
    for entry in data:
        if not isinstance(entry, dict) or not {"number", "text"} == set(entry):
            raise CharterError("clauses: each takes a number and a text")
        found.append(Clause(str(entry["number"]), str(entry["text"]).strip()))
    return found


def _numbers(data: Any) -> Numbers:
    if not isinstance(data, dict):
        raise CharterError("numbers: takes a [numbers] table")
    values = {}
    for key, value in data.items():
        if key not in KINDS:
            raise CharterError(f"numbers.{key}: there is no such number in a charter")
        try:
            values[key] = KINDS[key].read(value)
        except (ValueError, TypeError, ZeroDivisionError):
            raise CharterError(f"numbers.{key}: takes {KINDS[key].takes}, not {value!r}") from None
    return Numbers(**values)


def read_charter(path: Path, base: Charter | None = None) -> Charter:
    """Read a TOML file over ``base``; a number may also be outside [numbers].

    Raises: CharterError, also if the file cannot be read.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as trouble:
        raise CharterError(f"{path}: cannot be read ({trouble.__class__.__name__})") from None
    except tomllib.TOMLDecodeError as trouble:
        raise CharterError(f"{path}: is not TOML ({trouble})") from None
    known: dict[str, Any] = base.plain() if base else {"numbers": {}}
    numbers, loose = (
        data.get("numbers", {}),
        {key: data.pop(key) for key in data.keys() & KINDS.keys()},
    )
    if isinstance(numbers, dict):
        data["numbers"] = known["numbers"] | numbers | loose
    return Charter.parse(known | data)


@functools.cache
def _shipped_lists() -> dict[str, Any]:
    return tomllib.loads((SHIPPED / f"{LANGUAGES[0]}.toml").read_text(encoding="utf-8"))


def shipped_charter(locale: str) -> Charter:
    """Return the founding club's charter in one of LANGUAGES."""
    return read_charter(SHIPPED / f"{locale if locale in LANGUAGES else LANGUAGES[0]}.toml")


@dataclass(frozen=True)
class Number:
    """The name of a charter's number, to be looked up in the current club's charter."""

    key: str

    def of(self, numbers: Numbers) -> Any:
        return getattr(numbers, self.key)


class _NumberNames:
    def __getattr__(self, key: str) -> Number:
        if key not in KINDS:
            raise AttributeError(f"the charter has no number named {key}")
        return Number(key)


charter = cast(Any, _NumberNames())
"""The names of numbers in a declaration: ``charter.plan_days``. A workflow holds no value."""
