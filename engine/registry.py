"""The workflows that this installation knows, checked when they are listed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from engine.beginnings import OfferedBy
from engine.checks import check
from engine.declare import OpenedFrom, State, Workflow
from engine.language import of_week, translate
from engine.moments import week_number
from engine.roles import Role

if TYPE_CHECKING:
    from engine.models import Case

_known: dict[str, type[Workflow]] = {}


def register(*workflows: type[Workflow]) -> tuple[type[Workflow], ...]:
    """Make workflows known. Raises ``checks.Misdeclared`` naming the first thing that cannot hold."""
    together = _known | {workflow.key: workflow for workflow in workflows}
    for workflow in workflows:
        check(workflow, together)
    _known.update(together)
    return workflows


def workflow(name: str) -> type[Workflow]:
    return _known[name]


def label_of(letter: str) -> str:
    """What a letter (``study_plan.please_write``) is about, for people; empty for a letter about no workflow."""
    flow = _known.get(letter.partition(".")[0])
    return flow.label if flow else ""


def title_of(case: Case, language: str) -> str:
    """What a case is about, with its week where it has one."""
    return of_week(translate(_known[case.workflow].label, language), week_number(case.data.get("period", "")), language)


def state_of(workflow_name: str, state: str) -> State:
    return _known[workflow_name].states[state]


def is_offer(workflow_name: str) -> bool:
    """Is it something that one person offers another? Nobody answers that in the other's name."""
    return any(isinstance(opening, OfferedBy) for opening in _known[workflow_name].openings)


def turns() -> set[Role]:
    """Every role whose turn it may be."""
    return {state.turn for flow in _known.values() for state in flow.states.values()}


def all_workflows() -> tuple[type[Workflow], ...]:
    return tuple(_known.values())


def followers(workflow_name: str, state: str) -> list[tuple[type[Workflow], OpenedFrom]]:
    """The workflows that open when a case of that workflow enters that state, and for whom."""
    return [
        (flow, opening) for flow in _known.values() for opening in flow.openings
        if isinstance(opening, OpenedFrom) and (opening.workflow, opening.state) == (workflow_name, state)
    ]  # fmt: skip


def by_form(path: str) -> type[Workflow] | None:
    """The workflow whose form lies at ``/<club>/<path>``: or lies open to be handed in."""
    return next((flow for flow in _known.values() if flow.form_path == path and flow.fields), None)


def form_number(flow: type[Workflow]) -> int:
    """The number by which a link names a workflow's form; the same in every process and version."""
    return zlib.crc32(flow.key.encode())


def by_form_number(number: int) -> type[Workflow] | None:
    return next((flow for flow in _known.values() if form_number(flow) == number), None)
