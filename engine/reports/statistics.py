"""Statistics of a club by week, counted by the database: duties on time, and members.

A week is Monday to Sunday in the club's zone, named by its Monday. Each figure takes a fixed number
of statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    and_,
    case,
    column,
    exists,
    func,
    select,
    tuple_,
    values,
)

from engine.declare.registry import states_where
from engine.scheduler.schedules import calendars
from engine.storage.models import Case, Event, Person
from engine.storage.states import PersonStatus
from engine.storage.types import UTCDateTime
from engine.storage.unit_of_work import ClubSession

MOST_WEEKS = 60


@dataclass(frozen=True)
class Punctual:
    """The duties of a week: submitted before their first deadline, and not."""

    week: date
    on_time: int
    late: int


@dataclass(frozen=True)
class Members:
    """The number of members at the end of a week (the last week: now)."""

    week: date
    count: int


def on_time(session: ClubSession, zone: str, now: datetime) -> list[Punctual]:
    """Count duties on time and late by week, from the first week that has any.

    A duty (a study plan, a reflection) counts once: as *on time* when it was submitted before its
    first deadline, which is the one in its first letter (a later one for a big book, or after a
    late letter, takes its place), as *late* when that deadline passed. Returned, declined and
    unread submissions count. Not counted: what is still owed, was excused or became void. A
    reflection belongs to the week in which its reading week ends; a plan to the week in which it
    was submitted or its deadline passed.
    """
    period, weekly = Case.data["period"].as_string(), Case.workflow.in_(calendars())
    week = _weeks(zone, now)
    owed = states_where(lambda state: state.duty == "open")
    was_owed, is_owed = (
        tuple_(Case.workflow, state).in_(owed) for state in (Event.from_state, Event.to_state)
    )
    first = [was_owed, ~is_owed, Event.action.in_(("submit", "due"))]
    in_time = func.sum(case((Event.action == "submit", 1), else_=0))
    of_case = and_(Case.club_id == Event.club_id, Case.id == Event.case_id)
    named = (
        select(period, in_time, func.count())
        .select_from(Event)
        .join(Case, of_case)
        .where(*first, weekly, period.is_not(None))
    )
    other = (
        select(week.c.nr, in_time, func.count())
        .select_from(Event)
        .join(Case, of_case)
        .join(week, _within(week, Event.at))
    )
    found: dict[date, tuple[int, int]] = {}
    for name, good, every in session.execute(named.group_by(period)):
        _add(found, date.fromisocalendar(int(name[:4]), int(name[6:]), 1), good, every)
    for nr, good, every in session.execute(
        other.where(*first, ~weekly | period.is_(None)).group_by(week.c.nr)
    ):
        _add(found, _monday(now, zone) - timedelta(weeks=nr), good, every)
    if not found:
        return []
    mondays = _mondays(min(found), max(found))[-MOST_WEEKS:]
    return [Punctual(monday, *found.get(monday, (0, 0))) for monday in mondays]


def members(session: ClubSession, zone: str, now: datetime) -> list[Members]:
    """Count members by week, from the first joining on.

    A member counts from the day they joined the club, also before this service came; a departed or
    removed one until then. After a return only the last joining counts. A person erased without
    having left counts nowhere, because their last day is unknown.
    """
    first = session.execute(
        select(func.min(Person.joined_at)).where(Person.joined_at <= now)
    ).scalar_one()
    if first is None:
        return []
    week = _weeks(zone, now)
    of_case = and_(Case.club_id == Event.club_id, Case.id == Event.case_id)
    of_person = and_(Person.club_id == Case.club_id, Person.id == Case.person_id)
    entered = tuple_(Case.workflow, Event.to_state)
    back = entered.in_(states_where(lambda state: state.membership == "resumes"))
    left_or_back = entered.in_(states_where(lambda state: state.membership != ""))
    moved = and_(left_or_back, Event.from_state != Event.to_state, Event.at >= Person.joined_at)
    left = exists().where(of_case, of_person, moved).correlate(Person)
    came = (
        select(week.c.nr, func.count())
        .select_from(Person)
        .join(week, _within(week, Person.joined_at, open_start=True))
    )
    came = came.where((Person.status == PersonStatus.MEMBER) | left)
    moves = (
        select(week.c.nr, func.sum(case((back, 1), else_=-1)))
        .select_from(Event)
        .join(Case, of_case)
        .join(Person, of_person)
    )
    moves = moves.join(week, _within(week, Event.at, open_start=True)).where(moved)
    change: dict[int, int] = {}
    for asked in (came.group_by(week.c.nr), moves.group_by(week.c.nr)):
        for nr, count in session.execute(asked):
            change[nr] = change.get(nr, 0) + int(count)
    last, total = _monday(now, zone), 0
    found: list[Members] = []
    for monday in _mondays(max(_monday(first, zone), last - timedelta(weeks=MOST_WEEKS - 1)), last):
        nr = (last - monday).days // 7
        total += (
            change.get(nr, 0)
            if found
            else sum(count for earlier, count in change.items() if earlier >= nr)
        )
        found.append(Members(monday, total))
    return found


def _weeks(zone: str, now: datetime) -> CTE:
    """Return the weeks up to now as rows: weeks ago, first instant, first of the next."""
    last = _monday(now, zone)
    rows = [
        (nr, *(_start(last - timedelta(weeks=nr - after), zone) for after in (0, 1)))
        for nr in range(MOST_WEEKS)
    ]
    return (
        values(
            column("nr", Integer),
            column("start", UTCDateTime),
            column("until", UTCDateTime),
            name="week",
        )
        .data(rows)
        .cte("week")
    )


def _within(week: CTE, moment: Any, *, open_start: bool = False) -> ColumnElement[bool]:
    """Build the condition of a week.

    ``open_start``: the earliest week includes everything before it.
    """
    started = moment >= week.c.start
    return and_(
        started | (week.c.nr == MOST_WEEKS - 1) if open_start else started, moment < week.c.until
    )


def _add(found: dict[date, tuple[int, int]], monday: date, good: int, every: int) -> None:
    before = found.get(monday, (0, 0))
    found[monday] = (before[0] + int(good), before[1] + every - int(good))


def _monday(moment: datetime, zone: str) -> date:
    day = moment.astimezone(ZoneInfo(zone)).date()
    return day - timedelta(days=day.weekday())


def _start(monday: date, zone: str) -> datetime:
    return datetime.combine(monday, time(), ZoneInfo(zone)).astimezone(UTC)


def _mondays(first: date, last: date) -> list[date]:
    return [first + timedelta(weeks=nr) for nr in range((last - first).days // 7 + 1)]
