"""Periods that did not open because an earlier one is owed.

The case in the way stores such a period. It begins late once nothing is owed, if at least half of
it is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from engine.declare.due_times import TimeContext, Weekly, days_later
from engine.declare.transition import Transition
from engine.declare.workflow import REMOVAL_PROPOSED
from engine.declare.workflow import person as the_person
from engine.storage.models import Case, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession

# Where a case keeps the periods that it holds up, the oldest first.
HELD_UP = "held_up"


@dataclass(frozen=True)
class Period:
    """One run of a recurrence. ``days``: the first and the last one, local dates."""

    workflow: str
    name: str
    opening: datetime
    due: datetime
    days: tuple[date, date]

    @classmethod
    def begin(cls, workflow: str, rule: Weekly, opening: datetime, context: TimeContext) -> Period:
        """Return the period that opens then."""
        name, due = rule.period(opening, context), rule.due_of(opening, context)
        return cls(workflow, name, opening, due, rule.days_of(opening, context))

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Period:
        opening, due = (datetime.fromisoformat(plain[name]) for name in ("opening", "due"))
        first, last = (date.fromisoformat(day) for day in plain["days"])
        return cls(plain["workflow"], plain["name"], opening, due, (first, last))

    def plain(self) -> dict[str, Any]:
        moments = {"opening": self.opening.isoformat(), "due": self.due.isoformat()}
        return asdict(self) | moments | {"days": [day.isoformat() for day in self.days]}

    def data(self) -> dict[str, Any]:
        """Return what a case of this period keeps of it."""
        days = [day.isoformat() for day in self.days]
        return {"period": self.name, "period_due": self.due.isoformat(), "days": days}

    def key(self, person_id: int) -> str:
        return f"{self.name}:{person_id}"

    @property
    def begins_until(self) -> datetime:
        """Return the last moment at which half of it is left."""
        return self.due - (self.due - self.opening) / 2

    def shifted(self, days: int, context: TimeContext) -> Period:
        opening, due = (days_later(at, days, context.zone) for at in (self.opening, self.due))
        return Period(self.workflow, self.name, opening, due, self.days)


def is_owed(case: Case) -> bool:
    """True if the person has to act in the case, or may be removed over it."""
    return case.turn == str(the_person) or case.state == REMOVAL_PROPOSED


def keeps_from_opening(workflow: str) -> ColumnElement[bool]:
    """Return the condition on a case that keeps its person from another period of the workflow.

    A case that waits for its reader does not meet it.
    """
    owed = (Case.workflow == workflow) & (Case.turn == str(the_person))
    return or_(owed, Case.state == REMOVAL_PROPOSED)


def owed_cases(session: ClubSession, person: Person, workflow: str) -> Sequence[Case]:
    """Return the person's cases that keep a period of the workflow from opening, oldest first."""
    wanted = select(Case).where(Case.person_id == person.id, keeps_from_opening(workflow))
    return session.execute(wanted.order_by(Case.id)).scalars().all()


def held_up_by(case: Case) -> list[Period]:
    return [Period.read(plain) for plain in case.data.get(HELD_UP, [])]


def hold_up(transition: Transition) -> None:
    """Keep the period that the event names."""
    case, period = transition.case, transition.event.answers
    kept = case.data.get(HELD_UP, [])
    if period["name"] not in {other["name"] for other in kept}:
        case.data = {**case.data, HELD_UP: [*kept, period]}


def shift_held_up(transition: Transition, paused_at: datetime, days: int) -> None:
    """Move the periods that ran when a pause began by the days of the pause."""
    case, kept = transition.case, held_up_by(transition.case)
    if kept and days:
        moved = [
            period.shifted(days, transition.context) if period.due > paused_at else period
            for period in kept
        ]
        case.data = {**case.data, HELD_UP: [period.plain() for period in moved]}


def period_to_begin(transition: Transition) -> Period | None:
    """Return the running period that this case alone has held up until now."""
    case = transition.case
    if HELD_UP not in case.data or is_owed(case) or transition.club.paused_at is not None:
        return None
    person = case.person  # Not sooner: a query per step would split the bulk write.
    newest = held_up_by(case)[-1]
    wanted = person.status == PersonStatus.MEMBER and person.role != PersonRole.OWNER
    if not wanted or not newest.opening <= transition.now <= newest.begins_until:
        return None
    known = (Case.workflow == newest.workflow) & (Case.key == newest.key(person.id))
    has_it = transition.session.execute(select(Case.id).where(known)).first()
    return None if has_it else newest
