"""The calendar's openings: a period's cases, and the daily letter.

Only the running period opens.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from engine.cases.deadlines import is_stuck
from engine.cases.held_up import HELD_UP, Period, keeps_from_opening
from engine.cases.transitions import act, open_case
from engine.club.authority import assigned_to, end_absences, ranks_of
from engine.club.context import current_club, current_officers, time_context
from engine.declare.due_times import morning_after_quiet
from engine.declare.openings import Calendar
from engine.declare.registry import workflow
from engine.declare.transition import CLOCK
from engine.outbox.queue import (
    BULK,
    BY_CLOCK,
    DAILY_LETTER,
    is_uncertain,
    queue_for_person,
    was_queued_for_person,
)
from engine.scheduler.pause import resume
from engine.scheduler.schedules import DAILY, RESUME, calendar_of, pass_over, rhythm_of
from engine.storage.database import ROW_LOCK, Database, across_clubs, in_club, lost_race
from engine.storage.models import Case, Letter, Person, Schedule
from engine.storage.states import LetterState, PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession

log = logging.getLogger(__name__)

NEWER_ONE = "skipped: a newer daily letter took its place"
BATCH = 100
BACK_OFF = timedelta(minutes=15)


def open_due(db: Database, now: datetime) -> int:
    """Open everything that the calendar has due; return how many cases and letters."""
    done = 0
    while True:
        count = db.write(openings_round, now)
        if count is None:
            return done
        done += count


@across_clubs
def openings_round(session: ClubSession, now: datetime) -> int | None:
    """Run one schedule in one commit; return None if none was due."""
    due = (
        select(Schedule)
        .where(Schedule.next_at <= now)
        .order_by(Schedule.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    schedule = session.execute(due).scalar_one_or_none()
    if schedule is None:
        return None
    with in_club(session, schedule.club_id):
        return _open_safely(session, schedule, now)


def _open_safely(session: ClubSession, schedule: Schedule, now: datetime) -> int:
    """Run one schedule; a broken one backs off and never stops the others."""
    club_id, rule = schedule.club_id, schedule.rule
    try:
        with session.begin_nested():
            return open_schedule(session, schedule, now)
    except Exception as fault:
        if lost_race(fault):
            raise
        log.exception("the schedule %s of club %s cannot be opened", rule, club_id)
        mine = (Schedule.club_id == club_id) & (Schedule.rule == rule)
        session.execute(update(Schedule).where(mine).values(next_at=now + BACK_OFF))
        session.expire(schedule)
        return 0


def open_schedule(session: ClubSession, schedule: Schedule, now: datetime) -> int:
    """Open what this schedule has due, and set its next time."""
    if schedule.rule == RESUME:
        return resume(session, schedule.club_id, now, by_clock=True)
    if current_club(session).paused_at:
        pass_over(session, schedule, now)
        return 0
    return (
        _daily(session, schedule, now)
        if schedule.rule == DAILY
        else _open_period(session, schedule, now)
    )


def _open_period(session: ClubSession, schedule: Schedule, now: datetime) -> int:
    """Open the running period for the next batch of people, if half of it is left.

    Missed periods are recorded as not opened.
    """
    flow, context = workflow(schedule.rule), time_context(current_club(session))
    calendar = calendar_of(flow)
    assert calendar is not None, "only what stands in the calendar has a schedule"
    rule, opening = calendar.rule, calendar.rule.latest(now, context)
    while schedule.next_at < opening:
        schedule.not_opened = [*schedule.not_opened, rule.period(schedule.next_at, context)]
        schedule.next_at = rule.following(schedule.next_at, context)
    period = Period.begin(flow.key, rule, opening, context)
    concerned = _concerned(calendar, period)
    if now > period.begins_until:
        schedule.not_opened = [*schedule.not_opened, period.name]
        schedule.next_at = rule.following(opening, context)
        return _tell_not_opened(session, schedule, period, concerned, now)
    people = _without_case(session, period, concerned, limit=BATCH + 1)
    for person in people[:BATCH]:
        key = period.key(person.id)
        open_case(session, flow.key, person, by=CLOCK, now=now, key=key, data=period.data())
    if len(people) <= BATCH:
        _hold_up(session, period, concerned, now)
        schedule.next_at = rule.following(opening, context)
    return min(len(people), BATCH)


def _concerned(calendar: Calendar, period: Period) -> ColumnElement[bool]:
    """Return the condition on a person for whom the period opens if they owe nothing.

    A person who joined after the opening begins with the next one, however late this one opens.
    """
    there = and_(
        *(
            or_(moment.is_(None), moment <= period.opening)
            for moment in (Person.joined_at, Person.registered_at)
        )
    )
    ranks = ranks_of(calendar.for_each) - ranks_of(calendar.besides)
    return and_(Person.status == PersonStatus.MEMBER, Person.role.in_(ranks), there)


def _without_case(
    session: ClubSession, period: Period, concerned: ColumnElement[bool], limit: int | None = None
) -> list[Person]:
    """Return those who owe nothing and have no case of this period yet."""
    of_person = (Case.club_id == Person.club_id) & (Case.person_id == Person.id)
    of_period = Case.key == period.name + ":" + Person.id.cast(Case.key.type)
    of_period &= Case.workflow == period.workflow
    has_case = exists().where(of_person & or_(of_period, keeps_from_opening(period.workflow)))
    wanted = select(Person).where(concerned, ~has_case).order_by(Person.id).limit(limit)
    # A person who leaves in this very moment is not among them, or finds the case.
    return list(session.execute(wanted.with_for_update(**ROW_LOCK)).scalars())


def _hold_up(
    session: ClubSession, period: Period, concerned: ColumnElement[bool], now: datetime
) -> None:
    """Store the period in each case that keeps it from opening; its person sees it there."""
    of_person = (Person.club_id == Case.club_id) & (Person.id == Case.person_id)
    begun = aliased(Case)
    of_period = (begun.club_id == Person.club_id) & (begun.workflow == period.workflow)
    of_period &= begun.key == period.name + ":" + Person.id.cast(Case.key.type)
    in_the_way = concerned & keeps_from_opening(period.workflow) & ~exists().where(of_period)
    wanted = select(Case).join(Person, of_person).where(in_the_way).order_by(Case.id)
    for case in session.execute(wanted).scalars().all():
        act(session, case, HELD_UP, by=CLOCK, now=now, answers=period.plain())


def _tell_not_opened(
    session: ClubSession,
    schedule: Schedule,
    period: Period,
    concerned: ColumnElement[bool],
    now: datetime,
) -> int:
    """Tell those who would have begun it that this period is left out. Returns how many."""
    people = _without_case(session, period, concerned)
    at = morning_after_quiet(now, time_context(current_club(session)))
    data = period.data() | {"following": schedule.next_at.isoformat()}
    for person in people:
        queue_for_person(
            session,
            person,
            f"{period.workflow}.not_opened",
            purpose=period.name,
            now=now,
            next_at=at,
            priority=BY_CLOCK,
            data=data,
        )
    return len(people)


def _daily(session: ClubSession, schedule: Schedule, now: datetime) -> int:
    """Queue the daily letter to each decider for whom something waits.

    Once a day, however long the worker was off.
    """
    club = current_club(session)
    rhythm, context = rhythm_of(DAILY), time_context(club)
    schedule.next_at, day = rhythm.following(now, context), rhythm.period(now, context)
    end_absences(session, now)
    at, queued = morning_after_quiet(now, context), 0
    for person in current_officers(session):
        since = now - timedelta(days=1) if person.fewer_reminders else None
        if something_waits(session, person, since) and not was_queued_for_person(
            session, person, DAILY_LETTER, day
        ):
            queue_for_person(
                session, person, DAILY_LETTER, purpose=day, now=now, next_at=at, priority=BULK
            )
            _supersede_older(session, person, now)
            queued += 1
    return queued


def _supersede_older(session: ClubSession, person: Person, now: datetime) -> None:
    """Drop an older daily letter that still waits: today's says the same."""
    waiting = (
        (Letter.person_id == person.id)
        & (Letter.name == DAILY_LETTER)
        & (Letter.state == LetterState.QUEUED)
    )
    waiting &= Letter.created_at < now
    session.execute(
        update(Letter)
        .where(waiting)
        .values(state=LetterState.DROPPED, answer=NEWER_ONE, settled_at=now)
    )


def something_waits(session: ClubSession, person: Person, since: datetime | None = None) -> bool:
    """True if a decision or a letter in trouble waits for this decider.

    ``since``: a new one.
    """
    waiting = select(Case.id).where(assigned_to(session, person)).limit(1)
    if since is not None:
        return session.execute(waiting.where(Case.entered_at >= since)).first() is not None
    failed = select(Letter.id).where(Letter.state == LetterState.FAILED).limit(1)
    resting = select(Case.id).where(is_stuck()).limit(1)
    unsure = select(Letter.id).where(is_uncertain()).limit(1)
    looks = [waiting, failed, unsure, resting] if person.role == PersonRole.OWNER else [waiting]
    return any(session.execute(look).first() is not None for look in looks)
