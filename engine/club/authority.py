"""The holders of a role in a case, and to whom a turn passes.

No one decides about themself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from engine.club.context import current_charter, current_club, current_officers
from engine.declare.registry import turns
from engine.declare.roles import Role
from engine.storage.database import enter_club
from engine.storage.models import Case, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession


@dataclass(frozen=True)
class Office:
    """A role that passes on.

    ``instead``: the role to which the turn passes if none of them can decide (clause 2.1; owner and
    admins for each other). ``deputies``: the ranks that may decide as well, in the workflows that
    the charter names and while the owner is away.
    """

    primary: str
    fallback: str
    deputies: str = ""


OFFICES = {
    "owner": Office(PersonRole.OWNER, PersonRole.ADMIN),
    "reviewer": Office(PersonRole.OWNER, PersonRole.ADMIN, deputies=PersonRole.ADMIN),
    "admins": Office(PersonRole.ADMIN, PersonRole.OWNER),
}
MEMBERS = frozenset(PersonRole)


def has_role(session: ClubSession, role: Role, person: Person, case: Case) -> bool:
    """True if this person holds the role in this case now."""
    return any(_has_one_role(session, name, person, case) for name in role.names)


def _has_one_role(session: ClubSession, name: str, person: Person, case: Case) -> bool:
    concerned = person.id == case.person_id
    if name == "anyone":
        return True
    if name == "person":
        return concerned and person.status not in (PersonStatus.DEPARTED, PersonStatus.ERASED)
    if person.status != PersonStatus.MEMBER:
        return False
    if name == "members":
        return True
    office = OFFICES[name]
    if concerned or person.role == PersonRole.MEMBER:
        return False
    if person.role == office.primary:
        return True
    return _may_deputise(session, office, person, case) or (
        person.role == office.fallback and not _can_decide(session, office.primary, case)
    )


def _may_deputise(session: ClubSession, office: Office, person: Person, case: Case) -> bool:
    if person.role != office.deputies:
        return False
    return case.workflow in current_charter(current_club(session)).deputies or not _can_decide(
        session, office.primary, case, present=True
    )


def _can_decide(
    session: ClubSession, rank: str, case: Case, *, present: bool = False
) -> list[Person]:
    """Return the officers of a rank whom the case does not concern.

    ``present``: only those who are not away.
    """
    return [
        officer
        for officer in current_officers(session)
        if officer.role == rank
        and officer.id != case.person_id
        and not (present and officer.away_until)
    ]


def holders(session: ClubSession, role: Role, case: Case) -> list[Person]:
    """Return the recipients for a role: all its members, or of an office the officers in turn.

    These are the primary officers, else the fallback.
    """
    found: dict[int, Person] = {}
    for name in role.names:
        found |= {person.id: person for person in _recipients_of_role(session, name, case)}
    return [found[person_id] for person_id in sorted(found)]


def _recipients_of_role(session: ClubSession, name: str, case: Case) -> list[Person]:
    if name == "person":
        return [case.person]
    if name == "members":
        return list(
            session.execute(select(Person).where(Person.status == PersonStatus.MEMBER)).scalars()
        )
    if name not in OFFICES:
        return []
    office = OFFICES[name]
    first = _can_decide(session, office.primary, case, present=office.deputies != "")
    return (
        first
        or _can_decide(session, office.fallback, case)
        or _can_decide(session, office.primary, case)
    )


def in_place_of(session: ClubSession, role: Role, person: Person, case: Case) -> Person | None:
    """Return the owner if an admin decides as their deputy, else None."""
    if (
        "reviewer" not in role.names
        or person.role == PersonRole.OWNER
        or person.id == case.person_id
    ):
        return None
    return next(iter(_can_decide(session, PersonRole.OWNER, case)), None)


def assigned_to(session: ClubSession, decider: Person) -> ColumnElement[bool]:
    """Return the open cases of this decider's turn, also as a deputy or fallback."""
    wanted = [
        and_(Case.turn == str(turn), _assigned_roles(session, name, decider))
        for turn in turns()
        for name in turn.names
        if name in OFFICES
    ]
    return and_(or_(false(), *wanted), Case.person_id != decider.id)


def _assigned_roles(session: ClubSession, name: str, decider: Person) -> ColumnElement[bool]:
    """Return which cases of this role's turn are this decider's."""
    office = OFFICES[name]
    if decider.role == office.primary:
        return true()
    before = [officer for officer in current_officers(session) if officer.role == office.primary]
    theirs: list[ColumnElement[bool]] = []
    if decider.role == office.deputies:
        theirs.append(Case.workflow.in_(current_charter(current_club(session)).deputies))
        theirs += [true()] if all(officer.away_until for officer in before) else []
    if decider.role == office.fallback and len(before) < 2:
        theirs.append(Case.person_id == before[0].id if before else true())
    return or_(false(), *theirs)


def set_absence(session: ClubSession, club_id: int, person_id: int, until: datetime | None) -> None:
    """Set until when an officer is away; None ends it.

    Meanwhile the reviewer's turn is the deputies'.
    """
    enter_club(session, club_id)
    session.get_one(Person, (club_id, person_id)).away_until = until


def end_absences(session: ClubSession, now: datetime) -> None:
    """End the absences that are over; called once a day, with the daily letter."""
    for officer in current_officers(session):
        if officer.away_until and officer.away_until <= now:
            officer.away_until = None


def role_includes(role: Role, person: Person) -> bool:
    """True if the role names this member, whatever the case."""
    return person.status == PersonStatus.MEMBER and person.role in ranks_of(role)


def ranks_of(role: Role) -> frozenset[str]:
    """Return the ranks whose members hold the role."""
    if "members" in role.names:
        return MEMBERS
    return frozenset(OFFICES[name].primary for name in role.names if name in OFFICES)
