"""The workflows that this installation knows, checked when they are listed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from engine.declare.due_times import week_number
from engine.declare.openings import OfferedBy
from engine.declare.roles import Role
from engine.declare.validation import check
from engine.declare.workflow import OpenedFrom, State, Workflow
from engine.declare.workflow import marked as _
from engine.storage.types import CorruptJSON
from engine.text.i18n import of_week, translate

if TYPE_CHECKING:
    from engine.storage.models import Case

_known: dict[str, type[Workflow]] = {}


def register(*workflows: type[Workflow]) -> tuple[type[Workflow], ...]:
    """Make workflows known. Raises ``checks.Misdeclared`` naming the first thing that cannot hold."""
    together = _known | {workflow.key: workflow for workflow in workflows}
    for workflow in workflows:
        check(workflow, together)
    _known.update(together)
    return workflows


class Unreadable(Workflow):
    """Stands for the workflow of a row that nobody declares here: it was removed, or the row was
    made by a newer version."""

    label, clause, opens = _("An unknown matter"), "", ()


# Whose turn it is nobody here can know; nothing is offered, nothing falls due. Only ``void`` leads
# out.
UNREADABLE = State(Role(("unreadable",)))
UNREADABLE.name = "unreadable"


def workflow(name: str) -> type[Workflow]:
    return _known.get(name, Unreadable)


def label_of(letter: str) -> str:
    """What a letter (``study_plan.please_write``) is about, for people; empty for a letter about no
    workflow."""
    flow = _known.get(letter.partition(".")[0])
    return flow.label if flow else ""


def title_of(case: Case, language: str) -> str:
    """What a case is about, with its week where it has one."""
    return of_week(
        translate(workflow(case.workflow).label, language),
        week_number(case.data.get("period", "")),
        language,
    )


def state_of(workflow_name: str, state: str) -> State:
    return workflow(workflow_name).states.get(state, UNREADABLE)


def standing(case: Case) -> State:
    """The state of a case as somebody may act in it: in what cannot be read, nobody may."""
    damaged = isinstance(case.answers, CorruptJSON) or isinstance(case.data, CorruptJSON)
    return UNREADABLE if damaged else state_of(case.workflow, case.state)


def declared() -> set[tuple[str, str]]:
    """Every workflow and state that a row may name."""
    return {(flow.key, name) for flow in _known.values() for name in flow.states}


def is_offer(workflow_name: str) -> bool:
    """Is it something that one person offers another? Nobody answers that in the other's name."""
    return any(isinstance(opening, OfferedBy) for opening in workflow(workflow_name).openings)


def turns() -> set[Role]:
    """Every role whose turn it may be."""
    return {state.turn for flow in _known.values() for state in flow.states.values()}


def all_workflows() -> tuple[type[Workflow], ...]:
    return tuple(_known.values())


def followers(workflow_name: str, state: str) -> list[tuple[type[Workflow], OpenedFrom]]:
    """The workflows that open when a case of that workflow enters that state, and for whom."""
    return [
        (flow, opening)
        for flow in _known.values()
        for opening in flow.openings
        if isinstance(opening, OpenedFrom)
        and (opening.workflow, opening.state) == (workflow_name, state)
    ]


def by_form(path: str) -> type[Workflow] | None:
    """The workflow whose form lies at ``/<club>/<path>``: or lies open to be handed in."""
    return next((flow for flow in _known.values() if flow.form_path == path and flow.fields), None)


def form_number(flow: type[Workflow]) -> int:
    """The number by which a link names a workflow's form; the same in every process and version."""
    return zlib.crc32(flow.key.encode())


def by_form_number(number: int) -> type[Workflow] | None:
    return next((flow for flow in _known.values() if form_number(flow) == number), None)
