"""The people of a club: how an address becomes a person, and who holds which role in which case."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.language import marked as _
from engine.models import Case, Club, Person
from engine.roles import Role
from engine.step import club_at_hand

_DECIDING = {"owner", "admins", "reviewer"}
_STOPS = str.maketrans({"。": ".", "．": ".", "｡": "."})


class BadAddress(ValueError):
    """An address that no mail can reach; the text is a word of the catalogue."""


def fold_address(typed: str) -> str:
    """The address in the one form that it is kept in. Raises BadAddress.

    Full-width characters and case are folded first: the validator would keep them as an internationalised local part.
    """
    folded = unicodedata.normalize("NFKC", typed.translate(_STOPS)).strip().strip("<>").lower()
    try:
        found = validate_email(folded, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise BadAddress(_("This does not look like a mail address. Example: lilei@qq.com")) from None
    return found.normalized


def address_hash(club: Club, address: str) -> str:
    """Finds a person again without keeping the address (HMAC-SHA256 under the club's own salt)."""
    return hmac.new(club.address_salt.encode(), address.encode(), hashlib.sha256).hexdigest()


def by_address(session: Session, address: str) -> Person | None:
    """The person with this folded address in the club at hand."""
    known = address_hash(club_at_hand(session), address)
    return session.execute(select(Person).where(Person.address_hash == known)).scalar_one_or_none()


def add_person(session: Session, address: str, *, locale: str, name: str = "", status: str = "applicant") -> Person:
    club = club_at_hand(session)
    person = Person(
        club_id=club.id, address=address, address_hash=address_hash(club, address), locale=locale, name=name, status=status
    )
    session.add(person)
    session.flush()
    return person


def holds(role: Role, person: Person, case: Case) -> bool:
    """Does this person hold the role in this case now? Nobody decides about themself."""
    return any(_holds_one(name, person, case) for name in role.names)


def _holds_one(name: str, person: Person, case: Case) -> bool:
    if name == "anyone":
        return True
    concerned = person.id == case.person_id
    if name == "person":
        return concerned and person.status not in ("departed", "erased")
    if person.status != "member" or (concerned and name in _DECIDING):
        return False
    return {
        "owner": person.role == "owner",
        "reviewer": person.role == "owner",
        "admins": person.role == "admin",
        "members": True,
        "organiser": case.data.get("organiser") == person.id,
    }[name]


def holders(session: Session, role: Role, case: Case) -> list[Person]:
    """Everybody who holds the role in this case, the turn passing from an owner who is concerned to the admins."""
    found: dict[int, Person] = {}
    for name in role.names:
        if name == "person":
            found[case.person_id] = session.get_one(Person, (case.club_id, case.person_id))
            continue
        wanted = select(Person).where(Person.status == "member").order_by(Person.id)
        if name in ("owner", "reviewer", "admins"):
            wanted = wanted.where(Person.role == ("admin" if name == "admins" else "owner"))
        people = [person for person in session.execute(wanted).scalars() if _holds_one(name, person, case)]
        found |= {person.id: person for person in people}
    return list(found.values())


def owner_of(session: Session) -> Person:
    return session.execute(select(Person).where(Person.role == "owner")).scalar_one()


def waiting_roles(person: Person) -> list[str]:
    """The turns (``case.turn``) that may be this decider's."""
    return {"owner": ["owner", "reviewer"], "admin": ["admins"]}.get(person.role, [])
