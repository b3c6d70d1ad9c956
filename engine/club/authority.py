"""Who holds which role in which case, and to whom a turn passes. Nobody decides about themself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from engine.club.context import charter_of, club_at_hand, officers_at_hand
from engine.declare.registry import turns
from engine.declare.roles import Role
from engine.storage.database import enter_club
from engine.storage.models import Case, Person


@dataclass(frozen=True)
class Office:
    """Who decides. ``instead``: to whom the turn passes where none of them can (clause 2.1; owner and admins for each other).

    ``deputies``: the ranks that may decide as well, in the workflows that the charter names and while the owner is away.
    """

    among: str
    instead: str
    deputies: str = ""


OFFICES = {
    "owner": Office("owner", "admin"),
    "reviewer": Office("owner", "admin", deputies="admin"),
    "admins": Office("admin", "owner"),
}
MEMBERS = {"owner", "admin", "member"}


def holds(session: Session, role: Role, person: Person, case: Case) -> bool:
    """Does this person hold the role in this case now?"""
    return any(_holds_one(session, name, person, case) for name in role.names)


def _holds_one(session: Session, name: str, person: Person, case: Case) -> bool:
    concerned = person.id == case.person_id
    if name == "anyone":
        return True
    if name == "person":
        return concerned and person.status not in ("departed", "erased")
    if person.status != "member":
        return False
    if name == "members":
        return True
    office = OFFICES[name]
    if concerned or person.role == "member":
        return False
    if person.role == office.among:
        return True
    return _may_deputise(session, office, person, case) or (
        person.role == office.instead and not _able(session, office.among, case)
    )


def _may_deputise(session: Session, office: Office, person: Person, case: Case) -> bool:
    if person.role != office.deputies:
        return False
    return case.workflow in charter_of(club_at_hand(session)).deputies or not _able(session, office.among, case, present=True)


def _able(session: Session, rank: str, case: Case, *, present: bool = False) -> list[Person]:
    """The officers of a rank whom the case does not concern; ``present``: who are not away either."""
    return [
        officer for officer in officers_at_hand(session)
        if officer.role == rank and officer.id != case.person_id and not (present and officer.away_until)
    ]  # fmt: skip


def holders(session: Session, role: Role, case: Case) -> list[Person]:
    """To whom letters for the role go: all who hold it, of an office only those whose turn it is first."""
    found: dict[int, Person] = {}
    for name in role.names:
        found |= {person.id: person for person in _addressed(session, name, case)}
    return [found[person_id] for person_id in sorted(found)]


def _addressed(session: Session, name: str, case: Case) -> list[Person]:
    if name == "person":
        return [case.person]
    if name == "members":
        return list(session.execute(select(Person).where(Person.status == "member")).scalars())
    if name not in OFFICES:
        return []
    office = OFFICES[name]
    first = _able(session, office.among, case, present=office.deputies != "")
    return first or _able(session, office.instead, case) or _able(session, office.among, case)


def in_place_of(session: Session, role: Role, person: Person, case: Case) -> Person | None:
    """The owner, when an admin decides as the owner's deputy."""
    if "reviewer" not in role.names or person.role == "owner" or person.id == case.person_id:
        return None
    return next(iter(_able(session, "owner", case)), None)


def their_turn(session: Session, decider: Person) -> ColumnElement[bool]:
    """The open cases in which it is this decider's turn, also as a deputy or because it passed to them."""
    wanted = [
        and_(Case.turn == str(turn), _whose(session, name, decider)) for turn in turns() for name in turn.names if name in OFFICES
    ]
    return and_(or_(false(), *wanted), Case.person_id != decider.id)


def _whose(session: Session, name: str, decider: Person) -> ColumnElement[bool]:
    """Among the cases that await this role: which of them are this decider's?"""
    office = OFFICES[name]
    if decider.role == office.among:
        return true()
    before = [officer for officer in officers_at_hand(session) if officer.role == office.among]
    theirs: list[ColumnElement[bool]] = []
    if decider.role == office.deputies:
        theirs.append(Case.workflow.in_(charter_of(club_at_hand(session)).deputies))
        theirs += [true()] if all(officer.away_until for officer in before) else []
    if decider.role == office.instead and len(before) < 2:
        theirs.append(Case.person_id == before[0].id if before else true())
    return or_(false(), *theirs)


def go_away(session: Session, club_id: int, person_id: int, until: datetime | None) -> None:
    """An officer is away until then (None: back again); meanwhile the reviewer's turn is the deputies'."""
    enter_club(session, club_id)
    session.get_one(Person, (club_id, person_id)).away_until = until


def welcome_back(session: Session, now: datetime) -> None:
    """Whoever's absence is over is back: asked for once a day, with the daily letter."""
    for officer in officers_at_hand(session):
        if officer.away_until and officer.away_until <= now:
            officer.away_until = None


def belongs(role: Role, person: Person) -> bool:
    """Is this member one of those whom the role names, whatever the case?"""
    return person.status == "member" and person.role in ranks_of(role)


def ranks_of(role: Role) -> set[str]:
    """The ranks in a club whose members hold the role."""
    if "members" in role.names:
        return MEMBERS
    return {OFFICES[name].among for name in role.names if name in OFFICES}
