"""When a case is due in the state it entered, and when the sweep looks at it next."""

from __future__ import annotations

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
    due = midnight_after(step.now, days, step.frame.zone) if days else state.due.when.resolve(step.now, step.frame)
    case.due_at = due
    case.wake_at = next_wake(state, step.now, due, step.now, step.numbers)


def postpone(step: Step, state: State) -> None:
    """The due time as if the state had been entered now; one that stands in the calendar moves by the span it had."""
    case = step.case
    assert state.due is not None, "only what has a due time is postponed"
    span = state.due.when.resolve(case.entered_at, step.frame) - case.entered_at
    set_due(step, state, None)
    if case.due_at is None or case.due_at < step.now + span / 2:
        case.due_at = step.now + span
        case.wake_at = next_wake(state, step.now, case.due_at, step.now, step.numbers)
