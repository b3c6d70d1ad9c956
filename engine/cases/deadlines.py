"""The deadline of a case in the state it entered, and its next wake-up."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, tuple_

from engine.cases.held_up import shift_held_up
from engine.charter.model import Numbers
from engine.club.context import current_club, time_context
from engine.declare.due_times import NamedMoment, days_later, midnight_after
from engine.declare.registry import declared, state_of, workflow
from engine.declare.transition import CLOCK, Transition
from engine.declare.workflow import LetterSpec, State
from engine.declare.workflow import person as the_person
from engine.storage.models import Case, Club, Event
from engine.storage.unit_of_work import ClubSession

# The key under which a decision's event keeps the deadline that it found, for an undo.
DUE_BEFORE = "due_before"
# The key under which a case keeps its person's earlier deadline while it waits for another role.
HAD_UNTIL = "had_until"


def set_deadline(transition: Transition, state: State, days: int | None) -> None:
    case = transition.case
    _keep_time_had(transition, state)
    if case.trouble:
        case.trouble = ""
    if state.undo and transition.actor.person is not None and case.due_at is not None:
        transition.event.answers = {**transition.event.answers, DUE_BEFORE: case.due_at.isoformat()}
    if state.due is None:
        case.due_at = case.wake_at = None
        return
    before = _deadline_before(transition) if transition.event.action == "undo" else None
    case.due_at = before or _due_of(transition, state, days)
    _set_wake_up(transition, state)


def _due_of(transition: Transition, state: State, days: int | None) -> datetime:
    """Return the state's deadline: for its person never before the one that they had.

    A decline before then gives no time of its own (charter, "never worse for being early").
    """
    assert state.due is not None, "only what has a due time"
    own = (
        _extended(transition, state, days)
        if days
        else state.due.when.resolve(transition.now, transition.context)
    )
    had = time_had(transition.case)
    if state.turn != the_person or had is None or had <= transition.now:
        return own
    return had if transition.event.action == "decline" else max(own, had)


def time_had(case: Case) -> datetime | None:
    """Return the deadline that the person had before the case went on to another role."""
    return datetime.fromisoformat(case.data[HAD_UNTIL]) if HAD_UNTIL in case.data else None


def _keep_time_had(transition: Transition, state: State) -> None:
    """Store the deadline that the person leaves behind.

    Not one that an undo takes away.
    """
    case, left = transition.case, state_of(transition.case.workflow, transition.event.from_state)
    goes_over = left.turn == the_person and state.turn != the_person and state.due is not None
    if goes_over and case.due_at is not None and transition.event.action != "undo":
        case.data = {**case.data, HAD_UNTIL: case.due_at.isoformat()}


def _deadline_before(transition: Transition) -> datetime | None:
    """Return the deadline that an undone decision had found.

    If less than ``remind_before`` is left of it: the end of the day on which that much has passed,
    so that a reminder comes first.
    """
    decision = transition.session.get_one(
        Event, (transition.case.club_id, transition.case.id, transition.entered_version)
    )
    if DUE_BEFORE not in decision.answers:
        return None
    before, warned = (
        datetime.fromisoformat(decision.answers[DUE_BEFORE]),
        transition.now + transition.numbers.remind_before,
    )
    return before if before >= warned else midnight_after(warned, 0, transition.context.zone)


def _extended(transition: Transition, state: State, days: int) -> datetime:
    """Return n days from now; on an extension of the same state, n days from its deadline."""
    since = transition.now
    if transition.event.from_state == state.name and transition.case.due_at is not None:
        since = max(
            since, transition.case.due_at - timedelta(seconds=1)
        )  # 24:00 is the next day's 00:00.
    return midnight_after(since, days, transition.context.zone)


def _set_wake_up(transition: Transition, state: State) -> None:
    """Set the next wake-up; none while the club is paused."""
    case = transition.case
    assert case.due_at is not None, "only what is due wakes"
    case.wake_at = (
        None
        if transition.club.paused_at
        else next_wake(state, transition.now, case.due_at, transition.now, transition.numbers)
    )


def postpone(transition: Transition) -> None:
    """Recompute the deadline from now.

    A calendar deadline is moved by its original duration, or, if entered only after it, by
    ``remind_before``.
    """
    case, state = transition.case, state_of(transition.case.workflow, transition.case.state)
    assert state.due is not None, "only what has a due time is postponed"
    span = (
        state.due.when.resolve(case.entered_at, transition.context) - case.entered_at
        or transition.numbers.remind_before
    )
    set_deadline(transition, state, None)
    if case.due_at is None or case.due_at < transition.now + span / 2:
        case.due_at = transition.now + span
        _set_wake_up(transition, state)


def days_of_pause(case: Case, club: Club, now: datetime) -> int:
    """Return by how many days the pause moves this case's deadline.

    A day begun counts whole, however many pauses it is made of.
    """
    before = _paused_before(case)
    return _whole_days(before + _paused_for(case, club, now)) - _whole_days(before)


def _paused_for(case: Case, club: Club, now: datetime) -> timedelta:
    assert club.paused_at is not None, "only in a club that rests"
    return max(
        now - max(club.paused_at, case.entered_at), timedelta(0)
    )  # The clock may have gone back.


def _paused_before(case: Case) -> timedelta:
    """Return the earlier pauses' time, while the deadline is the one that they set."""
    rested, due = case.data.get("rested"), case.due_at
    return (
        timedelta(seconds=rested["seconds"])
        if rested and due and rested["due"] == due.isoformat()
        else timedelta(0)
    )


def _whole_days(span: timedelta) -> int:
    return math.ceil(span / timedelta(days=1))


def shift_after_pause(transition: Transition) -> None:
    """Shift the case's times by the days of the pause, a day begun counted whole."""
    case, zone = transition.case, transition.context.zone
    if case.due_at is None or transition.club.paused_at is None:
        return
    days, lay_still = (
        days_of_pause(case, transition.club, transition.now),
        _paused_before(case) + _paused_for(case, transition.club, transition.now),
    )
    named = {
        item.due.when.name
        for item in workflow(case.workflow).states.values()
        if item.due and isinstance(item.due.when, NamedMoment)
    }
    moved = {
        name: days_later(datetime.fromisoformat(case.data[name]), days, zone)
        for name in named & case.data.keys()
    }
    whole = _whole_days(max(transition.now - transition.club.paused_at, timedelta(0)))
    shift_held_up(transition, transition.club.paused_at, whole)
    case.due_at = _shift_time_had(transition, days_later(case.due_at, days, zone))
    rested = {"due": case.due_at.isoformat(), "seconds": lay_still.total_seconds()}
    case.data = {
        **case.data,
        **{name: at.isoformat() for name, at in moved.items()},
        "rested": rested,
    }
    state, since = (
        state_of(case.workflow, case.state),
        transition.now if days else transition.club.paused_at,
    )
    case.wake_at = next_wake(state, case.entered_at, case.due_at, since, transition.numbers)


def _shift_time_had(transition: Transition, due: datetime) -> datetime:
    """Shift the deadline that the person had when the pause began.

    Returns the later of it and ``due`` if it is their turn.
    """
    case = transition.case
    paused = transition.club.paused_at
    had = time_had(transition.case)
    if had is None or paused is None or had <= paused:
        return due
    had = days_later(
        had, _whole_days(max(transition.now - paused, timedelta(0))), transition.context.zone
    )
    case.data = {**case.data, HAD_UNTIL: had.isoformat()}
    return max(due, had) if case.turn == str(the_person) else due


def reminders_of(
    state: State, entered: datetime, due: datetime, numbers: Numbers
) -> list[tuple[datetime, LetterSpec]]:
    """Return the state's reminders in order, without those before the entry."""
    moments = [(due - item.before.of(numbers), item.letter) for item in state.reminders]
    return sorted((pair for pair in moments if pair[0] > entered), key=lambda pair: pair[0])


def next_wake(
    state: State, entered: datetime, due: datetime, now: datetime, numbers: Numbers
) -> datetime:
    """Return the next time with work for the sweep in this case."""
    moments = [due - item.before.of(numbers) for item in state.reminders]
    return min((at for at in moments if at > entered and at > now), default=due)


def is_stuck() -> ColumnElement[bool]:
    """True if it is open and held up: no one is reachable, a step fails, or it is unreadable."""
    return and_(
        Case.turn != "",
        or_(Case.trouble != "", tuple_(Case.workflow, Case.state).not_in(declared())),
    )


def transition_at(session: ClubSession, case: Case, due: datetime) -> Transition:
    """Return the step that the clock would take then, to test where it leads.

    It has no event, which no test of a target reads.
    """
    club, version = current_club(session), case.entered_version
    event: Any = None
    context = time_context(club, case)
    return Transition(session, case, CLOCK, due, event, version, club, context)
