"""The open cases of a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from engine.cases.held_up import owed_cases
from engine.declare.registry import follows_calendar
from engine.declare.workflow import Workflow
from engine.storage.database import lock_row
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession


def open_cases_of(session: ClubSession, person: Person) -> Sequence[Case]:
    """Return a person's open cases, the earliest deadline first."""
    wanted = (
        select(Case)
        .where(Case.person_id == person.id, Case.turn != "")
        .order_by(Case.due_at, Case.id)
    )
    return session.execute(wanted).scalars().all()


def open_case_of(session: ClubSession, person: Person, workflow_name: str) -> Case | None:
    """Return the person's newest open case of a workflow, one in which it is their turn first."""
    if person in session.new:
        return None
    return session.execute(
        _NEWEST_OPEN, {"person": person.id, "workflow": workflow_name}
    ).scalar_one_or_none()


_NEWEST_OPEN = (
    select(Case)
    .where(
        Case.person_id == bindparam("person"),
        Case.workflow == bindparam("workflow"),
        Case.turn != "",
    )
    .order_by((Case.turn == "person").desc(), Case.id.desc())
    .limit(1)
)


def may_begin(session: ClubSession, person: Person, flow: type[Workflow]) -> bool:
    """True unless the person has a case of a workflow with ``one_open``.

    Of the calendar's cases only one that is owed counts. The person is locked, so that two
    processes do not both find none.
    """
    if not flow.one_open:
        return True
    lock_row(session, person)
    if follows_calendar(flow):
        return not owed_cases(session, person, flow.key)
    return open_case_of(session, person, flow.key) is None
