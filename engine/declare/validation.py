"""The checks of a declaration at import, so that a club never meets an invalid one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.declare.targets import Choice, Stay, Target, arrows
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
    yield from _flag_complaints(workflow)
    for state in workflow.states.values():
        yield from _arrow_complaints(workflow, state)
        yield from _state_complaints(state)
        yield from _act_complaints(workflow, state)
        yield from _undo_complaints(workflow, state)
    lost = set(workflow.states) - _reachable(workflow) - {"void"}
    if lost:
        yield f"no way leads to {', '.join(sorted(lost))}"
    for letter in templates(workflow):
        yield from (
            f"the letter {letter} is not written in {language}"
            for language in LANGUAGES
            if not written(workflow.key, letter, language)
        )
    yield from unworded(workflow)


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


def _flag_complaints(workflow: type[Workflow]) -> Iterator[str]:
    acts = [
        act
        for state in workflow.states.values()
        for act in state.acts
        if act.action == workflow.put_right
    ]
    if workflow.put_right and not any("owner" in act.who.names for act in acts):
        yield f"is put right by {workflow.put_right!r}, which is no act of the owner"
    if workflow.on_behalf and not workflow.fields:
        yield "is handed in on behalf of others, but has no fields"


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


def unworded(workflow: type[Workflow]) -> Iterator[str]:
    """Say which states, actions, choices, events and letters have no words in the file."""
    wording, states = workflow.wording, workflow.states.values()
    polls = [state.poll for state in states if state.poll]
    lacking = {
        "states": [name for name in workflow.states if name not in wording.states],
        "actions": [
            act.action
            for state in states
            for act in state.acts
            if not wording.action(act.action, state.name)
        ],
        "choices": [
            choice
            for poll in polls
            if isinstance(poll.choices, str)
            for choice in poll.choices.split()
            if choice not in wording.choices
        ],
        "events": [
            f"{action}>{state}"
            for action, state in events(workflow)
            if not wording.event_key(action, state)
        ],
        "letters": [letter for letter in letters(workflow) if letter not in wording.letters],
        "chat": [
            state.name for state in states if state.announced and state.name not in wording.chat
        ],
    }
    path = workflow.__module__.replace(".", "/") + ".py"
    yield from (
        f"{path}: its wording has no {part} for {', '.join(dict.fromkeys(names))}"
        for part, names in lacking.items()
        if names
    )


def templates(workflow: type[Workflow]) -> list[str]:
    """List every letter that a workflow may send, and its variants, as the files are named."""
    return [
        name
        for letter in letters(workflow)
        for name in (
            letter,
            *dict.fromkeys(
                f"{letter}.{variant}" for variant in workflow.variants.get(letter, {}).values()
            ),
        )
    ]


def events(workflow: type[Workflow]) -> Iterator[tuple[str, str]]:
    """List every event that may come into a history: action, and the state it leads to."""
    return ((action, target) for _state, action, target in transitions(workflow))


def transitions(workflow: type[Workflow]) -> Iterator[tuple[str, str, str]]:
    """List every declared transition: the state it leaves, action, the state it enters."""
    yield from (("", "open", target) for target in arrows(workflow.start))
    for state in workflow.states.values():
        if state.undo:
            yield from ((state.name, "undo", name) for name in undone_to(workflow, state.name))
        moves = [*((act.action, act.to) for act in state.acts), *state.system_targets().items()]
        yield from (
            (state.name, action, target)
            for action, to in moves
            for target in _ends_of(to, state.name)
        )


def _ends_of(target: Target, here: str) -> Iterator[str]:
    if isinstance(target, Choice):
        for part in target.among:
            yield from _ends_of(part, here)
    else:
        yield target if isinstance(target, str) else here


def written(workflow: str, letter: str, language: str) -> bool:
    return any(
        (TEMPLATES / "mail" / place / f"{letter}.{language}.jinja").exists()
        for place in (workflow, "any")
    )
