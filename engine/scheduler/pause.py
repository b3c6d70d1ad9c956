"""The pause of a club over holidays or exams: nothing falls due, opens or accumulates.

Charter, decided rules.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import delete, select, update

from engine.cases.deadlines import days_of_pause
from engine.cases.transitions import act
from engine.club.context import current_club, time_context
from engine.declare.due_times import days_later, morning_after_quiet
from engine.declare.transition import CLOCK
from engine.outbox.delivery_log import PAUSED
from engine.outbox.queue import AT_ONCE, BY_CLOCK, queue_for_person, requeue
from engine.scheduler.schedules import RESUME, pass_over
from engine.scheduler.sweep import BACK_OFF
from engine.storage.database import ROW_LOCK, enter_club, lock_row, lost_race
from engine.storage.models import Case, Club, Letter, Person, Schedule
from engine.storage.states import LetterState, PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession

log = logging.getLogger(__name__)

OVER = "skipped: the club rested, and its due time moved"


def pause(session: ClubSession, club_id: int, now: datetime, until: datetime | None = None) -> None:
    """Stop the clock of this club; what people do still counts.

    ``until``: when it resumes by itself.
    """
    enter_club(session, club_id)
    club = current_club(session)
    lock_row(session, club)
    session.execute(delete(Schedule).where(Schedule.rule == RESUME))
    if until is not None:
        session.add(Schedule(club_id=club_id, rule=RESUME, next_at=until, not_opened=[]))
    if club.paused_at is not None:
        return
    club.paused_at = now
    session.execute(update(Case).where(Case.turn != "").values(wake_at=None))
    by_clock = Letter.state.in_((LetterState.QUEUED, LetterState.CLAIMED)) & (
        Letter.priority == BY_CLOCK
    )
    session.execute(
        update(Letter)
        .where(by_clock)
        .values(state=LetterState.HELD, answer=PAUSED, lease_until=None)
    )
    _tell(session, "club.paused", now, {"until": until.isoformat() if until else ""})


def resume(session: ClubSession, club_id: int, now: datetime, *, by_clock: bool = False) -> int:
    """Resume the club: shift each deadline by the days of the pause; return how many cases.

    ``by_clock``: no one pressed for it, so its letters wait for the morning.
    """
    enter_club(session, club_id)
    club = current_club(session)
    lock_row(session, club)
    session.execute(delete(Schedule).where(Schedule.rule == RESUME))
    if club.paused_at is None:
        return 0
    going_on = (Case.turn != "") & Case.due_at.is_not(None) & (Case.trouble != "unreachable")
    resting = (
        session.execute(select(Case).where(going_on).order_by(Case.id).with_for_update(**ROW_LOCK))
        .scalars()
        .all()
    )
    for case in resting:
        _resume_safely(session, case, club, now)
    club.paused_at = None
    for schedule in (
        session.execute(select(Schedule).where(Schedule.next_at <= now)).scalars().all()
    ):
        pass_over(session, schedule, now)
    _release_letters(session, now)
    _tell(session, "club.resumed", now, {}, by_clock=by_clock)
    return len(resting)


def _resume_safely(session: ClubSession, case: Case, club: Club, now: datetime) -> None:
    """Resume one case; a broken one is shifted and looked at again, and shows on the desk."""
    case_id = case.id
    try:
        with session.begin_nested():
            act(session, case, "resumed", by=CLOCK, now=now)
    except Exception as fault:
        if lost_race(fault):
            raise
        log.exception("case %s cannot go on after the rest", case_id)
        due = (
            days_later(case.due_at, days_of_pause(case, club, now), time_context(club).zone)
            if case.due_at
            else None
        )
        trouble = f"{type(fault).__name__}: {fault}"[:500]
        session.execute(
            update(Case)
            .where(Case.id == case_id)
            .values(due_at=due, wake_at=now + BACK_OFF, trouble=trouble)
        )
        session.expire(case)


def _release_letters(session: ClubSession, now: datetime) -> None:
    """Release the letters that waited, and drop reminders of a moved deadline."""
    waited = (Letter.state == LetterState.HELD) & (Letter.answer == PAUSED)
    for letter in session.execute(select(Letter).where(waited)).scalars():
        if letter.data.get("reminder") and _has_moved(session, letter):
            letter.state = LetterState.DROPPED
            letter.answer = OVER
            letter.settled_at = now
    requeue(
        session, waited, morning_after_quiet(now, time_context(current_club(session))), answer=""
    )


def _has_moved(session: ClubSession, reminder: Letter) -> bool:
    due = session.get_one(Case, (reminder.club_id, reminder.case_id)).due_at
    return due is None or due.isoformat() != reminder.data["due"]


def _tell(
    session: ClubSession, name: str, now: datetime, data: dict[str, str], *, by_clock: bool = False
) -> None:
    """Tell every member; the owner decided it, and the desk says so."""
    session.flush()
    morning = morning_after_quiet(now, time_context(current_club(session)))
    members = (
        select(Person)
        .where(Person.status == PersonStatus.MEMBER, Person.role != PersonRole.OWNER)
        .order_by(Person.id)
    )
    for person in session.execute(members).scalars().all():
        queue_for_person(
            session,
            person,
            name,
            purpose=now.isoformat(),
            now=now,
            next_at=morning if by_clock else now,
            priority=BY_CLOCK if by_clock else AT_ONCE,
            data=data,
        )
