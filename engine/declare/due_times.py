"""When things are due: the ways a declaration may say it, and the next moment a case wants to be
looked at.

Resolved once, at entry, in the club's zone; stored and compared in UTC. Hours are elapsed hours;
days are calendar days.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from engine.charter.model import Number, Numbers, WeekTime


@dataclass(frozen=True)
class TimeContext:
    """What a moment is computed in: the club's zone and numbers, and the case's own data."""

    zone: ZoneInfo
    numbers: Numbers
    data: dict[str, Any]


class When(Protocol):
    def resolve(self, now: datetime, context: TimeContext) -> datetime: ...


@lru_cache(maxsize=256)  # a week's cases share it
def midnight_after(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """24:00 of the day that comes ``days`` days after today, in the zone, as UTC."""
    day = now.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), zone).astimezone(UTC)


def days_later(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """So many days later by the calendar, at the same hour in the zone, as UTC."""
    return (at.astimezone(zone) + timedelta(days=days)).astimezone(UTC)


@dataclass(frozen=True)
class EndOfDay:
    days: Number

    def resolve(self, now: datetime, context: TimeContext) -> datetime:
        return midnight_after(now, self.days.of(context.numbers), context.zone)


def end_of_day(days: Number) -> EndOfDay:
    """24:00 of the n-th day after, in the club's zone."""
    return EndOfDay(days)


@dataclass(frozen=True)
class Later:
    span: Number

    def resolve(self, now: datetime, context: TimeContext) -> datetime:
        span: timedelta = self.span.of(context.numbers)
        return now + span


def later(span: Number) -> Later:
    """So many elapsed hours after."""
    return Later(span)


@dataclass(frozen=True)
class NamedMoment:
    """A moment that the case's opening wrote into its data, as an ISO time with zone."""

    name: str
    before: Number | None
    after: Number | None = None

    def resolve(self, now: datetime, context: TimeContext) -> datetime:
        named = datetime.fromisoformat(context.data[self.name]).astimezone(UTC)
        if self.after:
            named = days_later(named, self.after.of(context.numbers), context.zone)
        return max(now, named - self.before.of(context.numbers) if self.before else named)


def moment(name: str, *, before: Number | None = None, after: Number | None = None) -> NamedMoment:
    """``before``: so much earlier (a span); ``after``: so many days later, at the same hour."""
    return NamedMoment(name, before, after)


class Recurrence(ABC):
    """Moments that come again and again, each with a name."""

    def latest(self, now: datetime, context: TimeContext) -> datetime:
        """The last one at or before ``now``."""
        return max(at for at in self.candidates(now, context) if at <= now)

    def following(self, now: datetime, context: TimeContext) -> datetime:
        """The first one after ``now``."""
        return min(at for at in self.candidates(now, context) if at > now)

    @abstractmethod
    def period(self, moment: datetime, context: TimeContext) -> str:
        """What it is called."""

    @abstractmethod
    def candidates(self, now: datetime, context: TimeContext) -> Iterator[datetime]:
        """Some before ``now`` and some after: a clock that is put forward may carry one over
        midnight, or over a skipped day."""


@dataclass(frozen=True)
class Daily(Recurrence):
    """A moment of each day, named by its date."""

    at: Number

    def period(self, moment: datetime, context: TimeContext) -> str:
        return moment.astimezone(context.zone).date().isoformat()

    def candidates(self, now: datetime, context: TimeContext) -> Iterator[datetime]:
        day, at = now.astimezone(context.zone).date(), self.at.of(context.numbers)
        return (
            datetime.combine(day + timedelta(days=days), at, context.zone).astimezone(UTC)
            for days in (-2, -1, 0, 1)
        )


@dataclass(frozen=True)
class Weekly(Recurrence):
    """A period that opens each week and is named by the ISO week of the day on which it is due."""

    opens: Number
    due: Number

    def due_of(self, opening: datetime, context: TimeContext) -> datetime:
        """The first such moment after the opening."""
        return self._on(self._due_day(opening, context), self.due.of(context.numbers), context)

    def period(self, moment: datetime, context: TimeContext) -> str:
        year, week, _ = self._due_day(moment, context).isocalendar()
        return f"{year}-W{week:02}"

    def _due_day(self, opening: datetime, context: TimeContext) -> date:
        due, local = self.due.of(context.numbers), opening.astimezone(context.zone)
        days = (due.weekday - local.isoweekday()) % 7 or (7 if due.at <= local.time() else 0)
        return local.date() + timedelta(days=days)

    def candidates(self, now: datetime, context: TimeContext) -> Iterator[datetime]:
        opens: WeekTime = self.opens.of(context.numbers)
        local = now.astimezone(context.zone)
        day = local.date() - timedelta(days=(local.isoweekday() - opens.weekday) % 7)
        return (self._on(day + timedelta(days=days), opens, context) for days in (-7, 0, 7))

    def _on(self, day: date, moment: WeekTime, context: TimeContext) -> datetime:
        return datetime.combine(day, moment.at, context.zone).astimezone(UTC)


def week_number(period: str) -> int | None:
    """The week in a period's name: of ``2026-W49`` it is 49."""
    return int(period.partition("-W")[2]) if "-W" in period else None


def weekly(opens: Number, *, due: Number) -> Weekly:
    """``weekly(charter.week_opens, due=charter.week_due)``."""
    return Weekly(opens, due)


def morning_after_quiet(now: datetime, context: TimeContext) -> datetime:
    """``now``, or the end of the quiet hours that ``now`` falls into (letters made by the clock
    wait for it)."""
    return _morning(now, context.zone, context.numbers.quiet_from, context.numbers.quiet_until)


@lru_cache(maxsize=256)  # a sweep's letters share it
def _morning(now: datetime, zone: ZoneInfo, start: time, end: time) -> datetime:
    local = now.astimezone(zone)
    clock = local.time()
    quiet = start <= clock or clock < end if start > end else start <= clock < end
    if not quiet:
        return now
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    return max(
        now, datetime.combine(day, end, zone).astimezone(UTC)
    )  # a clock put back has that hour twice
