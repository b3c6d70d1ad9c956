"""System actions, as data like declared actions."""

from __future__ import annotations

from functools import cache

from engine.cases.deadlines import postpone, shift_after_pause
from engine.cases.held_up import HELD_UP, hold_up
from engine.declare.workflow import Act, Effect, State, nobody

SYSTEM_ACTIONS = ("due", "decided", "postponed", "resumed", "granted", "void", "held", HELD_UP)
_TAKES_DUE_ARROW: dict[str, Effect] = {
    "postponed": postpone,
    "resumed": shift_after_pause,
    "held": postpone,
    HELD_UP: hold_up,
}


@cache
def system_action(state: State, action: str) -> Act | None:
    """Return a system action of this state, None if it has none, as in every end."""
    target = state.system_targets().get(action)
    return (
        Act(nobody, action, to=target, do=_TAKES_DUE_ARROW.get(action))
        if target is not None
        else None
    )
