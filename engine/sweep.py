"""The sweep: whatever is due takes one step, through the same door as everybody's acts. Time is an argument."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.at_hand import club_at_hand, numbers_of
from engine.db import Database, across_clubs, in_club
from engine.erasure import forget_case, has_words
from engine.letters import queue_for_case
from engine.models import Case, Letter, Person
from engine.moments import next_wake, reminders_of
from engine.registry import all_workflows, state_of
from engine.run import act
from engine.step import CLOCK
from engine.warning import must_rest, warned

log = logging.getLogger(__name__)

ROUND = 200
LATER_ONE = "skipped: a later reminder took its place"
BACK_OFF = timedelta(minutes=15)


def sweep(db: Database, now: datetime) -> int:
    """Let everything that is due take one step. Returns how many cases were looked at."""
    seen = 0
    while True:
        count = db.write(sweep_round, now)
        seen += count
        if count < ROUND:
            return seen


@across_clubs
def sweep_round(session: Session, now: datetime, size: int = ROUND) -> int:
    """One commit's worth: the oldest cases that want to be looked at, each in a savepoint of its own."""
    due = select(Case).where(Case.wake_at <= now).order_by(Case.wake_at).limit(size).with_for_update(skip_locked=True)
    cases = session.execute(due).scalars().all()
    for case in cases:
        with in_club(session, case.club_id):
            look_at_safely(session, case, now)
    return len(cases)


def look_at_safely(session: Session, case: Case, now: datetime) -> None:
    """One broken case never stops the rest: it backs off and shows on the desk."""
    case_id, club_id = case.id, case.club_id
    try:
        with session.begin_nested():
            look_at(session, case, now)
    except Exception as trouble:
        log.exception("case %s of club %s cannot take its due step", case_id, club_id)
        session.execute(
            update(Case)
            .where(Case.id == case_id)
            .values(wake_at=now + BACK_OFF, trouble=f"{type(trouble).__name__}: {trouble}"[:500])
        )
        session.expire(case)


def look_at(session: Session, case: Case, now: datetime) -> None:
    """The one thing that is due in this case now: a reminder, its due step, or more time for somebody not yet warned."""
    assert case.due_at is not None, "a case that wakes has a due time"
    if case.due_at > now:
        _remind(session, case, now)
        return
    match warned(session, case):
        case "in time":
            act(session, case, "due", by=CLOCK, now=now)
        case "unreachable" if must_rest(session, case):
            case.wake_at, case.trouble = None, "unreachable"
        case "unreachable":
            act(session, case, "due", by=CLOCK, now=now)
        case "not yet" | "late":
            act(session, case, "postponed", by=CLOCK, now=now)


def _remind(session: Session, case: Case, now: datetime) -> None:
    """Of several reminders whose moment passed only the last one leaves; the others are noted as skipped.

    Those that left before are among them: their keys are taken, so nothing leaves twice.
    """
    assert case.due_at is not None
    state, numbers = state_of(case.workflow, case.state), numbers_of(club_at_hand(session))
    reminders = reminders_of(state, case.entered_at, case.due_at, numbers)
    passed = [item for item in reminders if item[0] <= now]
    if passed:
        _drop_waiting_reminders(session, case, passed[-1][0])
    for position, (moment, letter) in enumerate(passed, start=1):
        reason = _why_not(session, case, position == len(passed), moment == reminders[-1][0])
        queue_for_case(
            session, case, [letter], state, version=case.entered_version, now=now, by_clock=True, moment=moment,
            state_of_letter="dropped" if reason else "queued", answer=reason,
        )  # fmt: skip
    case.wake_at, case.trouble = next_wake(state, case.entered_at, case.due_at, now, numbers), ""


def _drop_waiting_reminders(session: Session, case: Case, newest: datetime) -> None:
    """An earlier reminder that is still waiting (for the morning, for the mail server) gives way to the newest."""
    waiting = select(Letter).where(Letter.case_id == case.id, Letter.version == case.entered_version, Letter.state == "queued")
    for letter in session.execute(waiting).scalars().all():
        if letter.data.get("reminder") and newest.isoformat() not in letter.key:
            letter.state, letter.answer = "dropped", LATER_ONE


def _why_not(session: Session, case: Case, last_passed: bool, last_of_all: bool) -> str:
    """Why a reminder does not leave, or nothing. Who wants fewer reminders gets only the last one before the due time."""
    if not last_passed:
        return LATER_ONE
    wants_fewer = session.get_one(Person, (case.club_id, case.person_id)).fewer_reminders
    return "skipped: fewer reminders are wanted" if wants_fewer and not last_of_all else ""


def wake(session: Session, case: Case, now: datetime) -> None:
    """A resting case is looked at again (its letter got through after all)."""
    if case.turn and case.wake_at is None:
        case.wake_at, case.trouble = now, ""


@across_clubs
def forget_old(session: Session, now: datetime, size: int = ROUND) -> int:
    """Empty ended cases whose declared keeping time (``final(keep=…)``) is over."""
    kept = [(flow.key, state.name, state.keep) for flow in all_workflows() for state in flow.states.values() if state.keep]
    done = 0
    for key, name, keep in kept:
        ended = (Case.workflow == key) & (Case.state == name) & (Case.turn == "") & (Case.entered_at < now - timedelta(days=1))
        old = select(Case).where(ended, has_words()).order_by(Case.entered_at).limit(size)
        for case in session.execute(old).scalars().all():
            with in_club(session, case.club_id):
                days: int = keep.of(numbers_of(club_at_hand(session)))
                if case.entered_at < now - timedelta(days=days):
                    forget_case(session, case)
                    done += 1
    return done
