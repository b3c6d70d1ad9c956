"""Mermaid state diagrams, drawn from the declarations that the engine runs."""

from __future__ import annotations

from collections.abc import Iterator

from engine.declare.targets import Target, arrows, stay
from engine.declare.validation import undone_to
from engine.declare.workflow import Calendar, Form, HeldBefore, OfferedBy, Opening, State, Workflow


def diagram(flow: type[Workflow]) -> str:
    """Draw a workflow: states with their turn, arrows by action, undo as a note.

    ``due`` marks the system's actions.
    """
    return "\n    ".join(["stateDiagram-v2", *_lines(flow)]) + "\n"


def _lines(flow: type[Workflow]) -> Iterator[str]:
    led_to = {target for state in flow.states.values() for target in state.arrows()}
    shown = [
        state
        for state in flow.states.values()
        if state.name in led_to or state.name in arrows(flow.start)
    ]
    for state in shown:
        yield f'state "{state.name}{"" if state.is_final else f" ({state.turn})"}" as {state.name}'
    for opening in flow.openings:
        for name in arrows(flow.start):
            yield f"[*] --> {name}: {_opening(opening)}"
    for state in shown:
        yield from _moves(flow, state)


def _moves(flow: type[Workflow], state: State) -> Iterator[str]:
    for act in state.acts:
        yield from _arrows(state, act.to, f"{act.action} ({act.who})")
    if state.poll and state.poll.to:
        yield from _arrows(state, state.poll.to, f"vote ({state.poll.who})")
    if state.due:
        yield from _arrows(state, state.due.to, "due")
    if state.is_final:
        yield f"{state.name} --> [*]"
    if state.undo:
        yield (
            f"note right of {state.name}: undo leads back to "
            f"{' or '.join(undone_to(flow, state.name))}"
        )


def _arrows(state: State, target: Target, label: str) -> Iterator[str]:
    for name in (state.name,) if target is stay else arrows(target):
        yield f"{state.name} --> {name}: {label}"


def _opening(opens: Opening) -> str:
    if isinstance(opens, Form):
        return f"form {opens.path} ({opens.by})"
    if isinstance(opens, Calendar):
        return f"calendar ({opens.for_each})"
    if isinstance(opens, HeldBefore):
        return f"at the import of {opens.role}"
    if isinstance(opens, OfferedBy):
        return f"offer ({opens.role})"
    return f"when {opens.workflow} is {opens.state}"
