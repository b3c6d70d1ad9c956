"""When a case is due in the state it entered, and when the sweep looks at it next."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.declare import State
from engine.moments import midnight_after
from engine.reminders import next_wake
from engine.step import Step


def set_due(step: Step, state: State, days: int | None) -> None:
    case = step.case
    case.trouble = ""
    if state.due is None:
        case.due_at = case.wake_at = None
        return
    due = _so_many_days_more(step, state, days) if days else state.due.when.resolve(step.now, step.frame)
    case.due_at = due
    case.wake_at = next_wake(state, step.now, due, step.now, step.numbers)


def _so_many_days_more(step: Step, state: State, days: int) -> datetime:
    """From today; where the state itself is given more time, from the due time that it had."""
    since = step.now
    if step.event.from_state == state.name and step.case.due_at is not None:
        since = max(since, step.case.due_at - timedelta(seconds=1))  # 24:00 is the next day's 00:00
    return midnight_after(since, days, step.frame.zone)


def postpone(step: Step, state: State) -> None:
    """The due time as if the state had been entered now; one that stands in the calendar moves by the span it had."""
    case = step.case
    assert state.due is not None, "only what has a due time is postponed"
    span = state.due.when.resolve(case.entered_at, step.frame) - case.entered_at
    set_due(step, state, None)
    if case.due_at is None or case.due_at < step.now + span / 2:
        case.due_at = step.now + span
        case.wake_at = next_wake(state, step.now, case.due_at, step.now, step.numbers)
