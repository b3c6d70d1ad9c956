"""The open cases of a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

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
    """Return the person's newest open case of a workflow."""
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
    .order_by(Case.id.desc())
    .limit(1)
)
