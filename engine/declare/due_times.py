"""The ways in which a declaration gives a deadline.

Resolved once, at entry, in the club's zone; stored and compared in UTC. Hours are elapsed hours;
days are calendar days.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from engine.charter.model import Number, Numbers, WeekTime


@dataclass(frozen=True)
class TimeContext:
    """The input of a computation of times: zone, charter numbers, the case's data."""

    zone: ZoneInfo
    numbers: Numbers
    data: dict[str, Any]


class When(Protocol):
    def resolve(self, now: datetime, context: TimeContext) -> datetime: ...


@lru_cache(maxsize=256)  # A week's cases share it.
def midnight_after(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return 24:00 of the day ``days`` after today in the zone, as UTC."""
    day = now.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), zone).astimezone(UTC)


def days_later(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the same hour in the zone some calendar days later, as UTC."""
    return (at.astimezone(zone) + timedelta(days=days)).astimezone(UTC)


@dataclass(frozen=True)
class EndOfDay:
    days: Number

    def resolve(self, now: datetime, context: TimeContext) -> datetime:
        return midnight_after(now, self.days.of(context.numbers), context.zone)


def end_of_day(days: Number) -> EndOfDay:
    """Declare a deadline at 24:00 of the n-th day after entry, in the club's zone."""
    return EndOfDay(days)


@dataclass(frozen=True)
class Later:
    span: Number

    def resolve(self, now: datetime, context: TimeContext) -> datetime:
        span: timedelta = self.span.of(context.numbers)
        return now + span


def later(span: Number) -> Later:
    """Declare a deadline n elapsed hours after entry."""
    return Later(span)


@dataclass(frozen=True)
class NamedMoment:
    """A time that the opening wrote into the case's data, ISO with zone."""

    name: str
    before: Number | None
    after: Number | None = None

    def resolve(self, now: datetime, context: TimeContext) -> datetime:
        named = datetime.fromisoformat(context.data[self.name]).astimezone(UTC)
        if self.after:
            named = days_later(named, self.after.of(context.numbers), context.zone)
        return max(now, named - self.before.of(context.numbers) if self.before else named)


def moment(name: str, *, before: Number | None = None, after: Number | None = None) -> NamedMoment:
    """Name a time of the case's data.

    ``before``: so much earlier (a span); ``after``: so many days later, at the same hour.
    """
    return NamedMoment(name, before, after)


class Recurrence(ABC):
    """A rule that opens periods again and again, each with a name."""

    def latest(self, now: datetime, context: TimeContext) -> datetime:
        """Return the last opening at or before ``now``."""
        return max(at for at in self.candidates(now, context) if at <= now)

    def following(self, now: datetime, context: TimeContext) -> datetime:
        """Return the first opening after ``now``."""
        return min(at for at in self.candidates(now, context) if at > now)

    @abstractmethod
    def period(self, moment: datetime, context: TimeContext) -> str:
        """Return the name of the period that opens at this time."""

    @abstractmethod
    def candidates(self, now: datetime, context: TimeContext) -> Iterator[datetime]:
        """Return some openings before ``now`` and some after.

        Several, because a clock that goes forward can move one over midnight or over a skipped day.
        """


@dataclass(frozen=True)
class Daily(Recurrence):
    """A time of each day; its period is named by the date."""

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
    """A weekly period, named by the ISO week of the day of its deadline."""

    opens: Number
    due: Number

    def due_of(self, opening: datetime, context: TimeContext) -> datetime:
        """Return the first such time after the opening."""
        return self._on(self._due_day(opening, context), self.due.of(context.numbers), context)

    def period(self, moment: datetime, context: TimeContext) -> str:
        year, week, _ = self._due_day(moment, context).isocalendar()
        return f"{year}-W{week:02}"

    def days_of(self, opening: datetime, context: TimeContext) -> tuple[date, date]:
        """Return the first and the last local day of a period. Midnight ends a day."""
        last = (self.due_of(opening, context) - timedelta(seconds=1)).astimezone(context.zone)
        return opening.astimezone(context.zone).date(), last.date()

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


def days_of_period(data: Mapping[str, Any]) -> tuple[date, date] | None:
    """Return the first and the last day of the period that a case's data names, None without one.

    Older data has no days: then they are Sunday to Saturday.
    """
    if "days" in data:
        first, last = (date.fromisoformat(day) for day in data["days"])
        return first, last
    year, found, week = str(data.get("period", "")).partition("-W")
    if not found:
        return None
    saturday = date.fromisocalendar(int(year), int(week), 6)
    return saturday - timedelta(days=6), saturday


def weekly(opens: Number, *, due: Number) -> Weekly:
    """Declare a weekly period: ``weekly(charter.week_opens, due=charter.week_due)``."""
    return Weekly(opens, due)


def morning_after_quiet(now: datetime, context: TimeContext) -> datetime:
    """Return ``now``, or the end of the quiet hours that it falls into.

    Letters that the scheduler makes wait for it.
    """
    return _morning(now, context.zone, context.numbers.quiet_from, context.numbers.quiet_until)


@lru_cache(maxsize=256)  # A sweep's letters share it.
def _morning(now: datetime, zone: ZoneInfo, start: time, end: time) -> datetime:
    local = now.astimezone(zone)
    clock = local.time()
    quiet = start <= clock or clock < end if start > end else start <= clock < end
    if not quiet:
        return now
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    return max(
        now, datetime.combine(day, end, zone).astimezone(UTC)
    )  # A clock that goes back has that hour twice.
