"""The sweep: each due case takes one step, by transitions.act. Time is an argument."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from sqlalchemy import bindparam, select, update

from engine.cases.erasure import forget_case, has_words
from engine.cases.transitions import act
from engine.charter.model import Number
from engine.clock import machine_now
from engine.club.context import all_clubs, charter_numbers, current_club, load_clubs
from engine.declare.registry import UNREADABLE, all_workflows, standing, workflow
from engine.declare.transition import CLOCK
from engine.declare.workflow import REMOVAL_PROPOSED
from engine.scheduler.prior_notice import (
    Notices,
    load_notices,
    notice_status,
    waits_while_unreachable,
)
from engine.scheduler.reminders import remind_case, remind_due
from engine.storage.database import Database, across_clubs, in_club, lost_race
from engine.storage.models import Case, Club
from engine.storage.unit_of_work import ClubSession

log = logging.getLogger(__name__)

# Steps, or reminders, in one commit, and how long steps may take before it: a form that is posted
# meanwhile waits for all of it.
ROUND, REMINDERS = 500, 1_000
LONGEST = timedelta(milliseconds=30)
BACK_OFF = timedelta(minutes=15)


def sweep(db: Database, now: datetime) -> int:
    """Let each due case take one step; return how many cases were looked at."""
    seen, reminders = 0, True
    size = ROUND
    while True:
        count, more = db.write(sweep_batch, now, size, reminders=reminders, longest=LONGEST)
        seen += count
        size = min(ROUND, 2 * max(count, 5))  # what does not fit in need not be read
        reminders = reminders and count >= REMINDERS
        if not more:
            return seen


def sweep_round(session: ClubSession, now: datetime, size: int = ROUND) -> int:
    """Sweep a batch as ``sweep_batch`` does, however long it takes; return how many cases."""
    return sweep_batch(session, now, size)[0]


@across_clubs
def sweep_batch(
    session: ClubSession,
    now: datetime,
    size: int = ROUND,
    *,
    reminders: bool = True,
    longest: timedelta | None = None,
) -> tuple[int, bool]:
    """Sweep a batch of the oldest due cases in one commit: reminders together, then steps.

    ``longest``: after it no further step begins. Return how many cases were looked at, and whether
    there may be more.
    """
    ends_at = machine_now() + longest if longest else None
    reminded = _remind_safely(session, now) if reminders else 0
    if reminded >= REMINDERS:
        # The others, too, together: among the steps each costs ten times as much.
        return reminded, True
    due = session.execute(_DUE, {"now": now, "size": size}).scalars()
    cases = sorted(due, key=_order)
    done = run_due_steps(session, cases, now, ends_at) if cases else 0
    return done + reminded, done < len(cases) or len(cases) >= size


def _order(case: Case) -> tuple[int, bool, datetime | None, int]:
    """Return the order of steps: what a removal holds comes last, the older of two first."""
    return case.club_id, workflow(case.workflow).held_by_removal, case.wake_at, case.id


def _may_be_removed(session: ClubSession, case: Case) -> bool:
    """True if a removal of the case's person is proposed."""
    session.flush()
    proposed = (Case.person_id == case.person_id) & (Case.state == REMOVAL_PROPOSED)
    return session.execute(select(Case.id).where(proposed).limit(1)).first() is not None


_DUE = (
    select(Case)
    .where(Case.wake_at <= bindparam("now"))
    .order_by(Case.wake_at)
    .limit(bindparam("size"))
    .with_for_update(skip_locked=True)
)


def run_due_steps(
    session: ClubSession, cases: Sequence[Case], now: datetime, ends_at: datetime | None = None
) -> int:
    """Run the steps of a batch, all that fit in or none; return how many were looked at.

    If one is broken, each runs alone, and that one backs off. ``ends_at``: by the machine's clock.
    """
    keys = [(case.club_id, case.id) for case in cases]
    try:
        with session.begin_nested():
            done = _run_all(session, cases, now, ends_at)
            session.flush_and_forget()
        return done
    except Exception as trouble:
        if lost_race(trouble):
            raise
        if len(keys) == 1:
            log.exception("case %s of club %s cannot take its due step", keys[0][1], keys[0][0])
            _back_off(session, keys[0], trouble, now)
            return 1
        log.exception("a batch of steps failed; they are taken one by one")
        for key in keys:
            run_due_steps(session, [session.get_one(Case, key)], now)
        return len(keys)


def _run_all(
    session: ClubSession, cases: Sequence[Case], now: datetime, ends_at: datetime | None
) -> int:
    """Run the steps of a batch, with what they read loaded at once; return how many were run."""
    done = 0
    load_clubs(session, {case.club_id for case in cases})
    asks = load_notices(session, cases)
    for club_id, group in groupby(cases, key=attrgetter("club_id")):
        with in_club(session, club_id):
            for case in group:
                if done and ends_at is not None and machine_now() > ends_at:
                    return done
                run_due_step(session, case, now, asks)
                done += 1
    return done


def _back_off(
    session: ClubSession, key: tuple[int, int], trouble: Exception, now: datetime
) -> None:
    """Look at a broken case again later; it shows on the desk."""
    broken = update(Case).where(Case.club_id == key[0], Case.id == key[1])
    said = f"{type(trouble).__name__}: {trouble}"[:500]
    session.execute(broken.values(wake_at=now + BACK_OFF, trouble=said))


def _remind_safely(session: ClubSession, now: datetime) -> int:
    """Remind a batch.

    If one is broken none is reminded; then each runs alone, and the broken one backs off.
    """
    try:
        with session.begin_nested():
            return remind_due(session, now, REMINDERS)
    except Exception as trouble:
        if lost_race(trouble):
            raise
        log.exception("a round of reminders failed; they are looked at one by one")
        return 0


def run_due_step(session: ClubSession, case: Case, now: datetime, asks: Notices) -> None:
    """Do what is due in this case: a reminder, its due step, or more time without a notice."""
    if case.wake_at is None or case.wake_at > now:
        return  # Another case's step has moved this one in the same batch.
    if current_club(session).paused_at:
        case.wake_at = None  # It was opened while the club was being paused.
        return
    if standing(case) is UNREADABLE:
        log.warning(
            "case %s of club %s cannot be read (%s/%s): it waits",
            case.id,
            case.club_id,
            case.workflow,
            case.state,
        )
        case.wake_at, case.trouble = now + BACK_OFF, "cannot be read"
        return
    assert case.due_at is not None, "a case that wakes has a due time"
    if case.due_at > now:
        remind_case(session, case, now)
        return
    _act_at_deadline(session, case, now, asks)


def _act_at_deadline(session: ClubSession, case: Case, now: datetime, asks: Notices) -> None:
    """Take the due step, unless the person was not told in time, or a removal holds the case."""
    if workflow(case.workflow).held_by_removal and _may_be_removed(session, case):
        act(session, case, "held", by=CLOCK, now=now)
        return
    match notice_status(session, case, asks):
        case "in time":
            act(session, case, "due", by=CLOCK, now=now)
        case "unreachable" if waits_while_unreachable(case):
            case.wake_at, case.trouble = None, "unreachable"
        case "unreachable":
            act(session, case, "due", by=CLOCK, now=now)
        case "not yet" | "late":
            act(session, case, "postponed", by=CLOCK, now=now)


_case = Case.__table__.c
_WAKE_UNREACHABLE = (
    update(Case.__table__)  # type: ignore[arg-type]
    .where(
        _case.club_id == bindparam("club"),
        _case.id == bindparam("case"),
        _case.trouble == "unreachable",
        _case.turn != "",
    )
    .values(wake_at=bindparam("now"), trouble="")
)


def wake_unreachable(session: ClubSession, club_id: int, case_id: int, now: datetime) -> None:
    """Wake a case that waited for a reachable person: its ask arrived after all."""
    session.connection().execute(_WAKE_UNREACHABLE, {"club": club_id, "case": case_id, "now": now})


@across_clubs
def wake_unscheduled(session: ClubSession, now: datetime) -> None:
    """Wake cases whose ``wake_at`` stayed empty because of a race with ``resume()``."""
    goes_on = Case.club_id.in_(select(Club.id).where(Club.paused_at.is_(None)))
    asleep = (
        (Case.turn != "") & Case.wake_at.is_(None) & Case.due_at.is_not(None) & (Case.trouble == "")
    )
    session.execute(update(Case).where(asleep, goes_on).values(wake_at=now))


@across_clubs
def forget_old(
    session: ClubSession, now: datetime, size: int = ROUND, *, longest: timedelta | None = None
) -> int:
    """Empty ended cases after their declared time (``final(keep=…)``); return how many.

    ``longest``: after it no further one begins in this commit.
    """
    ends_at = machine_now() + longest if longest else None
    kept = [
        (flow.key, state.name, state.keep)
        for flow in all_workflows()
        for state in flow.states.values()
        if state.keep
    ]
    clubs, done = all_clubs(session), 0
    for key, name, keep in kept:
        ended = (Case.workflow == key) & (Case.state == name) & (Case.turn == "") & has_words()
        for days, alike in _by_number(clubs, keep).items():
            old = ended & Case.club_id.in_(alike) & (Case.entered_at < now - timedelta(days=days))
            for case in (
                session.execute(select(Case).where(old).order_by(Case.entered_at).limit(size))
                .scalars()
                .all()
            ):
                if done and ends_at is not None and machine_now() > ends_at:
                    return done
                with in_club(session, case.club_id):
                    forget_case(session, case)
                    done += 1
    return done


def _by_number(clubs: Sequence[Club], number: Number) -> dict[int, list[int]]:
    """Group clubs by their value of a number, so that none waits for another's longer time."""
    alike: dict[int, list[int]] = {}
    for club in clubs:
        alike.setdefault(number.of(charter_numbers(club)), []).append(club.id)
    return alike
