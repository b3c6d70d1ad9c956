"""The worklists of owner and admins: waiting cases, late members, letters in trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import defer

from engine.cases.deadlines import is_stuck, reminders_of
from engine.charter.model import Numbers
from engine.club.authority import assigned_to
from engine.club.people import is_admin
from engine.declare.registry import all_workflows, standing, state_of
from engine.declare.targets import arrows
from engine.outbox.queue import is_uncertain
from engine.storage.models import Case, Event, Letter, Person
from engine.storage.states import LetterState, PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession

MOST = 100

HOW_ENTERED = (
    (Event.club_id == Case.club_id)
    & (Event.case_id == Case.id)
    & (Event.version == Case.entered_version)
)
# Declined in good time is returned, and not late.
IS_LATE = (
    (Case.turn == "person")
    & Event.action.in_(("due", "decline", "extend"))
    & (Case.state != "returned")
)


@dataclass(frozen=True)
class WorkItem:
    case: Case
    who: Person


def waiting_for(
    session: ClubSession, decider: Person, limit: int = MOST, offset: int = 0
) -> list[WorkItem]:
    """Return the open cases of this decider's turn, most urgent first, never their own."""
    wanted = _work_items().where(assigned_to(session, decider))
    return _read(session, wanted.order_by(Case.due_at, Case.id).limit(limit).offset(offset))


def count_waiting(session: ClubSession, decider: Person) -> int:
    return session.execute(
        select(func.count(Case.id)).where(assigned_to(session, decider))
    ).scalar_one()


def late(session: ClubSession, limit: int = MOST, offset: int = 0) -> list[WorkItem]:
    """Return the open cases whose person missed a deadline or was declined, with a chance left."""
    wanted = _work_items().join(Event, HOW_ENTERED).where(IS_LATE)
    return _read(session, wanted.order_by(Case.due_at, Case.id).limit(limit).offset(offset))


def count_late(session: ClubSession) -> int:
    return session.execute(
        select(func.count(Case.id)).join(Event, HOW_ENTERED).where(IS_LATE)
    ).scalar_one()


def late_one(session: ClubSession, case_id: int) -> WorkItem | None:
    """Return one of the late cases, None if it is not late any more."""
    wanted = _work_items().join(Event, HOW_ENTERED).where(IS_LATE, Case.id == case_id)
    return next(iter(_read(session, wanted)), None)


@dataclass(frozen=True)
class NextSteps:
    """The system's next actions in a case if no one acts.

    The next reminder (``last``: none comes after it), and the roles that may have the turn after
    the deadline.
    """

    reminder: datetime | None
    last: bool
    turns: frozenset[str]


def next_steps(case: Case, now: datetime, numbers: Numbers) -> NextSteps:
    state = standing(case)
    if case.due_at is None or state.due is None:
        return NextSteps(None, last=False, turns=frozenset())
    coming = [
        at for at, _letter in reminders_of(state, case.entered_at, case.due_at, numbers) if at > now
    ]
    after = {
        name
        for target in arrows(state.due.to)
        for name in state_of(case.workflow, target).turn.names
    }
    return NextSteps(min(coming, default=None), len(coming) == 1, frozenset(after))


def stuck_cases(session: ClubSession, limit: int = MOST) -> list[WorkItem]:
    """Return the stuck cases."""
    return _read(
        session, _work_items().where(is_stuck()).order_by(Case.entered_at, Case.id).limit(limit)
    )


def cases_of(session: ClubSession, person: Person, limit: int = 200) -> list[Case]:
    """Return a person's own cases, newest first."""
    wanted = (
        select(Case)
        .where(Case.person_id == person.id)
        .order_by(Case.opened_at.desc(), Case.id.desc())
        .limit(limit)
    )
    return list(session.execute(wanted).scalars())


def ended_in(
    session: ClubSession, ends: Sequence[tuple[str, str]], *, limit: int, offset: int = 0
) -> list[WorkItem]:
    """Return the cases of present members that ended in one of these states, newest first."""
    wanted = _work_items().where(
        tuple_(Case.workflow, Case.state).in_(ends),
        Case.turn == "",
        Person.status == PersonStatus.MEMBER,
    )
    return _read(
        session, wanted.order_by(Case.opened_at.desc(), Case.id.desc()).limit(limit).offset(offset)
    )


def officers(session: ClubSession) -> list[tuple[Person, Case | None]]:
    """Return the admins, each with the newest case in which they can resign.

    An admin from before this service may have none.
    """
    laid_down = [
        (flow.key, state.name)
        for flow in all_workflows()
        for state in flow.states.values()
        if any(act.only_if is is_admin for act in state.acts)
    ]
    mine = (
        (Case.club_id == Person.club_id)
        & (Case.person_id == Person.id)
        & tuple_(Case.workflow, Case.state).in_(laid_down)
    )
    wanted = (
        select(Person, Case)
        .outerjoin(Case, mine)
        .where(Person.status == PersonStatus.MEMBER, Person.role == PersonRole.ADMIN)
    )
    found = {
        person.id: (person, case)
        for person, case in session.execute(wanted.order_by(Person.id, Case.id))
    }
    return list(found.values())


def letters_in_trouble(session: ClubSession, limit: int = MOST) -> list[tuple[Letter, Person]]:
    """Return letters that failed or may have arrived, and whom they are for, the newest first."""
    person = (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id)
    trouble = or_(Letter.state == LetterState.FAILED, is_uncertain())
    wanted = select(Letter, Person).join(Person, person).where(trouble).order_by(Letter.id.desc())
    return [
        (letter, who)
        for letter, who in session.execute(wanted.limit(limit).options(defer(Letter.bytes)))
    ]


def queue_age(session: ClubSession, now: datetime) -> datetime | None:
    """Return since when the oldest letter that could leave is waiting, else None."""
    oldest = select(func.min(Letter.next_at)).where(
        Letter.state == LetterState.QUEUED, Letter.next_at <= now
    )
    return session.execute(oldest).scalar_one()


def decisions_since(
    session: ClubSession, decider: Person, since: datetime
) -> list[tuple[Event, Case, Person]]:
    """Return the decisions that this decider made by pressing, oldest first."""
    wanted = (
        select(Event, Case, Person)
        .join(Case, (Case.club_id == Event.club_id) & (Case.id == Event.case_id))
        .join(Person, (Person.club_id == Case.club_id) & (Person.id == Case.person_id))
        .where(
            Event.who_id == decider.id,
            Event.at >= since,
            Event.action != "open",
            Case.person_id != decider.id,
        )
        .order_by(Event.at, Event.case_id, Event.version)
    )
    return [(event, case, person) for event, case, person in session.execute(wanted)]


def _work_items() -> Select[Case, Person]:
    return select(Case, Person).join(
        Person, (Person.club_id == Case.club_id) & (Person.id == Case.person_id)
    )


def _read(session: ClubSession, wanted: Select[Case, Person]) -> list[WorkItem]:
    return [WorkItem(case, person) for case, person in session.execute(wanted)]
