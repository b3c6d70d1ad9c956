"""Second chances, counted by the entries into the state *overdue*."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import bindparam, case, func, select

from engine.cases.deadlines import time_had
from engine.declare.transition import Transition
from engine.storage.models import Case, Event


def time_left(transition: Transition) -> bool:
    """True if the person's earlier deadline is still ahead: they submitted early."""
    had = time_had(transition.case)
    return had is not None and transition.now < had


def chance_left(transition: Transition) -> bool:
    """True if the charter's second chances of this case are not used up (clause 3.2)."""
    given = transition.session.execute(_GIVEN_IN_CASE, {"case": transition.case.id}).scalar_one()
    return int(given) < transition.numbers.second_chances


def chance_left_this_month(transition: Transition) -> bool:
    """True if a second chance is left this month over the workflow's cases (clause 5.4)."""
    first = transition.now.astimezone(transition.context.zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    wanted = {
        "person": transition.case.person_id,
        "workflow": transition.case.workflow,
        "since": first.astimezone(UTC),
    }
    given = transition.session.execute(_GIVEN_TO_PERSON, wanted).scalar_one()
    return int(given) < transition.numbers.second_chances


# The chances given. Not counted: an owner's extension (the same chance, longer), and what was
# undone.
_LONGER, _UNDONE = ("overdue", "removal_proposed"), Event.action == "undo"
_ENTERED = (Event.to_state == "overdue") & Event.from_state.not_in(_LONGER) & ~_UNDONE
_TAKEN_BACK = (Event.from_state == "overdue") & Event.to_state.not_in(_LONGER) & _UNDONE
_GIVEN = select(
    func.coalesce(func.sum(case((_ENTERED, 1), (_TAKEN_BACK, -1), else_=0)), 0)
).select_from(Event)
_OF_PERSON = select(Case.id).where(
    Case.person_id == bindparam("person"), Case.workflow == bindparam("workflow")
)
# perf: P3's weekly step, 500 of them 1,221 -> 597 ms of CPU time, 2026-12-01: a statement that is
# made for every step
# takes longer to make than to run; half of the gain is that the case is written once in a step.
_GIVEN_IN_CASE = _GIVEN.where(Event.case_id == bindparam("case"))
_GIVEN_TO_PERSON = _GIVEN.where(Event.case_id.in_(_OF_PERSON), Event.at >= bindparam("since"))
