"""Second chances, counted from what happened: each entry into the state *overdue* is one that was
given."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import ColumnElement, case, func, select

from engine.declare.transition import Transition
from engine.storage.models import Case, Event


def chance_left(transition: Transition) -> bool:
    """Is the charter's second chance of this matter unused (clause 3.2)?"""
    return (
        _entries(transition, Event.case_id == transition.case.id)
        < transition.numbers.second_chances
    )


def chance_left_this_month(transition: Transition) -> bool:
    """Has this person a second chance left in this calendar month, over all cases of this workflow
    (clause 5.4)?"""
    first = transition.now.astimezone(transition.context.zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    of_person = select(Case.id).where(
        Case.person_id == transition.case.person_id, Case.workflow == transition.case.workflow
    )
    return (
        _entries(transition, Event.case_id.in_(of_person), Event.at >= first.astimezone(UTC))
        < transition.numbers.second_chances
    )


def _entries(transition: Transition, *where: ColumnElement[bool]) -> int:
    """Chances given. Not counted: an owner's extension (the same chance, longer), and what was
    taken back."""
    longer, undone = ("overdue", "removal_proposed"), Event.action == "undo"
    entered = (Event.to_state == "overdue") & Event.from_state.not_in(longer) & ~undone
    taken_back = (Event.from_state == "overdue") & Event.to_state.not_in(longer) & undone
    given = func.coalesce(func.sum(case((entered, 1), (taken_back, -1), else_=0)), 0)
    return int(
        transition.session.execute(select(given).select_from(Event).where(*where)).scalar_one()
    )
