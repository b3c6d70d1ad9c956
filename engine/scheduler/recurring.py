"""The calendar's openings: a period's cases, and the daily letter.

Only the running period opens.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select, update

from engine.cases.deadlines import is_stuck
from engine.cases.transitions import open_case
from engine.club.authority import assigned_to, end_absences, ranks_of
from engine.club.context import current_club, current_officers, time_context
from engine.declare.due_times import morning_after_quiet
from engine.declare.openings import Calendar
from engine.declare.registry import workflow
from engine.declare.transition import CLOCK
from engine.declare.workflow import REMOVAL_PROPOSED, Workflow
from engine.outbox.queue import (
    BULK,
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
BATCH = 500
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
    """Open the running period for the next batch of people.

    Missed periods are recorded as not opened.
    """
    flow, club = workflow(schedule.rule), current_club(session)
    calendar = calendar_of(flow)
    assert calendar is not None, "only what stands in the calendar has a schedule"
    rule, context = calendar.rule, time_context(club)
    opening = rule.latest(now, context)
    while schedule.next_at < opening:
        schedule.not_opened = [*schedule.not_opened, rule.period(schedule.next_at, context)]
        schedule.next_at = rule.following(schedule.next_at, context)
    period = rule.period(opening, context)
    people = _without_case(session, flow, calendar, period, opening)
    data = {"period": period, "period_due": rule.due_of(opening, context).isoformat()}
    for person in people[:BATCH]:
        open_case(
            session, flow.key, person, by=CLOCK, now=now, key=f"{period}:{person.id}", data=data
        )
    if len(people) <= BATCH:
        schedule.next_at = rule.following(opening, context)
    return min(len(people), BATCH)


def _without_case(
    session: ClubSession, flow: type[Workflow], calendar: Calendar, period: str, opening: datetime
) -> list[Person]:
    """Return the members due a case of this period.

    No open case of this workflow, none of this period, no removal proposed, and joined before the
    opening, however late it runs.
    """
    of_person = (Case.club_id == Person.club_id) & (Case.person_id == Person.id)
    of_period = (Case.turn != "") | (Case.key == period + ":" + Person.id.cast(Case.key.type))
    has_case = exists().where(
        of_person & (((Case.workflow == flow.key) & of_period) | (Case.state == REMOVAL_PROPOSED))
    )
    there = and_(
        *(
            or_(moment.is_(None), moment <= opening)
            for moment in (Person.joined_at, Person.registered_at)
        )
    )
    ranks = ranks_of(calendar.for_each) - ranks_of(calendar.besides)
    wanted = (
        select(Person)
        .where(Person.status == PersonStatus.MEMBER, Person.role.in_(ranks), there, ~has_case)
        .order_by(Person.id)
    )
    held = wanted.limit(BATCH + 1).with_for_update(
        **ROW_LOCK
    )  # A person who leaves in this very moment is not among them, or finds the case.
    return list(session.execute(held).scalars())


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
