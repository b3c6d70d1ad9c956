"""The workflows that this installation knows, checked when they are registered."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from engine.declare.due_times import days_of_period
from engine.declare.openings import Calendar, OfferedBy, Opening
from engine.declare.roles import Role, members
from engine.declare.validation import check
from engine.declare.workflow import OpenedFrom, Place, State, Workflow
from engine.declare.workflow import marked as _
from engine.storage.types import CorruptJSON
from engine.text.i18n import of_week, say_week, translate

if TYPE_CHECKING:
    from engine.storage.models import Case


class Registry:
    """The workflows of an installation by key, in the order of their declaration."""

    def __init__(self, flows: Mapping[str, type[Workflow]] | None = None) -> None:
        self.flows = dict(flows or {})

    def copy(self) -> Registry:
        """Return a registry of one's own, for a test that declares more workflows."""
        return Registry(self.flows)


REGISTRY = Registry()


def register(*workflows: type[Workflow]) -> tuple[type[Workflow], ...]:
    """Add workflows.

    Raises: validation.Misdeclared, naming the first error.
    """
    together = REGISTRY.flows | {workflow.key: workflow for workflow in workflows}
    for workflow in workflows:
        check(workflow, together)
    REGISTRY.flows.update(together)
    return workflows


class Unreadable(Workflow):
    """A substitute for a workflow that is not declared here.

    It was removed, or a newer version wrote the row.
    """

    label = _("An unknown matter")
    clause = ""
    opens = ()


# The turn is unknown here: nothing is offered, nothing falls due. Only ``void`` leads out.
UNREADABLE = State(Role(("unreadable",)))
UNREADABLE.name = "unreadable"


def workflow(name: str) -> type[Workflow]:
    return REGISTRY.flows.get(name, Unreadable)


def label_of(letter: str) -> str:
    """Return the title for people of a letter's workflow, "" for a letter without one.

    Letters are named ``study_plan.please_write``.
    """
    flow = REGISTRY.flows.get(letter.partition(".")[0])
    return flow.label if flow else ""


def title_of(case: Case, language: str, today: date) -> str:
    """Return the title of a case, with its week if it has one. ``today``: a local date."""
    label = translate(workflow(case.workflow).label, language)
    return of_week(label, week_of(case.data, language, today), language)


def week_of(data: Mapping[str, Any], language: str, today: date) -> str:
    """Return the words for the week that a case's data names; empty without one."""
    days = days_of_period(data)
    return say_week(*days, today, language) if days else ""


def state_of(workflow_name: str, state: str) -> State:
    return workflow(workflow_name).states.get(state, UNREADABLE)


def standing(case: Case) -> State:
    """Return the state in which a person may act: UNREADABLE for a damaged case."""
    damaged = isinstance(case.answers, CorruptJSON) or isinstance(case.data, CorruptJSON)
    return UNREADABLE if damaged else state_of(case.workflow, case.state)


def declared() -> set[tuple[str, str]]:
    """Return every workflow and state that a row may name."""
    return {(flow.key, name) for flow in REGISTRY.flows.values() for name in flow.states}


def follows_calendar(flow: type[Workflow]) -> bool:
    """True if the calendar opens cases of the workflow, period by period."""
    return any(isinstance(opening, Calendar) for opening in flow.openings)


def is_offer(workflow_name: str) -> bool:
    """True if one person offers it to another, who alone may answer."""
    return any(isinstance(opening, OfferedBy) for opening in workflow(workflow_name).openings)


def turns() -> set[Role]:
    """Return every role that a turn may name."""
    return {state.turn for flow in REGISTRY.flows.values() for state in flow.states.values()}


def all_workflows() -> tuple[type[Workflow], ...]:
    return tuple(REGISTRY.flows.values())


def listed_on(place: Place) -> list[type[Workflow]]:
    """List the workflows that are found at this place."""
    return [flow for flow in all_workflows() if flow.listed_on == place]


def weekly_duty() -> type[Workflow] | None:
    """Find the workflow that the calendar opens for each member."""
    return next(
        (flow for flow in all_workflows() for item in flow.openings if _is_for_each(item)), None
    )


def _is_for_each(opening: Opening) -> bool:
    return isinstance(opening, Calendar) and opening.for_each == members


def entrance() -> str:
    """Return the path of the form that is open to anyone, "" if there is none."""
    return next((flow.form_path for flow in all_workflows() if flow.open_to_anyone), "")


def shared() -> list[tuple[str, str]]:
    """List each workflow and state in which members may read what its person wrote."""
    return states_where(lambda state: state.open_to_members)


def states_where(holds: Callable[[State], bool]) -> list[tuple[str, str]]:
    """List each workflow and state for which this is true."""
    return [
        (flow.key, state.name)
        for flow in all_workflows()
        for state in flow.states.values()
        if holds(state)
    ]


def followers(workflow_name: str, state: str) -> list[tuple[type[Workflow], OpenedFrom]]:
    """Return the workflows that open when that state is entered, and for whom."""
    return [
        (flow, opening)
        for flow in REGISTRY.flows.values()
        for opening in flow.openings
        if isinstance(opening, OpenedFrom)
        and (opening.workflow, opening.state) == (workflow_name, state)
    ]


def by_form(path: str) -> type[Workflow] | None:
    """Return the workflow of the form at ``/<club>/<path>``."""
    return next(
        (flow for flow in REGISTRY.flows.values() if flow.form_path == path and flow.fields), None
    )


def form_number(flow: type[Workflow]) -> int:
    """Return the number of a workflow's form in links.

    The same in every process and version.
    """
    return zlib.crc32(flow.key.encode())


def by_form_number(number: int) -> type[Workflow] | None:
    return next((flow for flow in REGISTRY.flows.values() if form_number(flow) == number), None)
