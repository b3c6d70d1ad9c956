"""The checks of a declaration at import, so that a club never meets an invalid one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.declare.targets import Stay, arrows
from engine.declare.workflow import OpenedFrom, State, Workflow
from engine.text.i18n import LANGUAGES, TEMPLATES


class Misdeclared(TypeError):
    """An invalid workflow; the text says where and why."""


def check(workflow: type[Workflow], known: Mapping[str, type[Workflow]]) -> None:
    """Check one workflow.

    Raises: Misdeclared.
    """
    for complaint in _complaints(workflow, known):
        raise Misdeclared(f"{workflow.__name__}: {complaint}")


def _complaints(workflow: type[Workflow], known: Mapping[str, type[Workflow]]) -> Iterator[str]:
    yield from (
        f"says no {needed}"
        for needed in ("label", "clause", "opens")
        if not hasattr(workflow, needed)
    )
    yield from _opening_complaints(workflow, known)
    for state in workflow.states.values():
        yield from _arrow_complaints(workflow, state)
        yield from _state_complaints(state)
        yield from _act_complaints(workflow, state)
        yield from _undo_complaints(workflow, state)
    lost = set(workflow.states) - _reachable(workflow) - {"void"}
    if lost:
        yield f"no way leads to {', '.join(sorted(lost))}"
    for letter in letters(workflow):
        yield from (
            f"the letter {letter} is not written in {language}"
            for language in LANGUAGES
            if not written(workflow.key, letter, language)
        )


def _opening_complaints(
    workflow: type[Workflow], known: Mapping[str, type[Workflow]]
) -> Iterator[str]:
    for opening in workflow.openings:
        if isinstance(opening, OpenedFrom) and opening.state not in getattr(
            known.get(opening.workflow), "states", ()
        ):
            yield f"opens from {opening.workflow}.{opening.state}, which is not declared"
    for name in set(arrows(workflow.start)) - set(workflow.states):
        yield f"starts in {name!r}, which is not declared"


def _arrow_complaints(workflow: type[Workflow], state: State) -> Iterator[str]:
    for target in state.arrows():
        if target not in workflow.states:
            yield f"{state.name} leads to {target!r}, which is not declared"


def _state_complaints(state: State) -> Iterator[str]:
    if not state.is_final and state.due is None:
        yield f"{state.name} could wait for ever: give it a due"
    if state.due and isinstance(state.due.to, Stay):
        yield f"{state.name} stays at its due time: the clock would come back at every tick"
    if state.poll and bool(state.poll.first) != bool(state.poll.to):
        yield f"{state.name} has a poll with a first without a to, or a to without a first"
    if any(not item.letter.asks for item in state.reminders):
        yield f"{state.name} reminds with news: a reminder asks"
    if state.is_final and any(letter.asks for letter in state.letters()):
        yield f"{state.name} is final, so it is nobody's turn: tell, do not ask"


def _act_complaints(workflow: type[Workflow], state: State) -> Iterator[str]:
    taken: set[tuple[str, str]] = set()
    for act in state.acts:
        for role in act.who.names:
            if (role, act.action) in taken:
                yield f"{state.name} offers {act.action!r} to {role} twice"
            taken.add((role, act.action))
        yield from (
            f"{state.name} fills {field!r}, which is no field"
            for field in act.fill
            if field not in workflow.fields
        )


def _undo_complaints(workflow: type[Workflow], state: State) -> Iterator[str]:
    if not state.undo:
        return
    before = undone_to(workflow, state.name)
    if not before:
        yield f"{state.name} has an undo, but nobody decides that it comes there"
    if state.do:
        yield from (
            (
                f"{state.name} does something that its undo, back to {name}, would not "
                f"put right: give {name} a do"
            )
            for name in before
            if not workflow.states[name].do
        )


def undone_to(workflow: type[Workflow], name: str) -> list[str]:
    """Return the states in which a decider can choose this one: an undo leads back there."""
    return [
        state.name
        for state in workflow.states.values()
        if any(
            name in arrows(act.to) and set(act.who.names) - {"person", "anyone"}
            for act in state.acts
        )
    ]


def _reachable(workflow: type[Workflow]) -> set[str]:
    seen: set[str] = set()
    waiting = [*arrows(workflow.start)]
    while waiting:
        name = waiting.pop()
        if name in workflow.states and name not in seen:
            seen.add(name)
            waiting.extend(workflow.states[name].arrows())
    return seen


def letters(workflow: type[Workflow]) -> list[str]:
    """Return every letter that this workflow may send."""
    named = {letter.name for state in workflow.states.values() for letter in state.letters()}
    if any(state.undo for state in workflow.states.values()):
        named.add("taken_back")
    return sorted(named)


def written(workflow: str, letter: str, language: str) -> bool:
    return any(
        (TEMPLATES / "mail" / place / f"{letter}.{language}.jinja").exists()
        for place in (workflow, "any")
    )
