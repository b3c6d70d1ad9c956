"""The people of a club: how an address becomes a person, and who holds which role in which case."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import Session

from engine.at_hand import club_at_hand
from engine.language import marked as _
from engine.models import Case, Club, Person, new_id
from engine.roles import Role

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
    # The form that is on the wire: a look-alike domain shows itself as xn--…, and every server takes it.
    return found.ascii_email or found.normalized


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
        id=new_id(),
        club_id=club.id,
        address=address,
        address_hash=address_hash(club, address),
        locale=locale,
        name=name,
        status=status,
    )
    session.add(person)  # not flushed: who is not in the database yet has no cases, so nobody need look for any
    return person


@dataclass(frozen=True)
class _Rank:
    """Which members hold a role by their rank in the club, and whether it decides about others."""

    among: frozenset[str]
    decides: bool


RANKS = {
    "owner": _Rank(frozenset({"owner"}), decides=True),
    "reviewer": _Rank(frozenset({"owner"}), decides=True),
    "admins": _Rank(frozenset({"admin"}), decides=True),
    "members": _Rank(frozenset({"owner", "admin", "member"}), decides=False),
}


def holds(role: Role, person: Person, case: Case) -> bool:
    """Does this person hold the role in this case now? Nobody decides about themself."""
    return any(_holds_one(name, person, case) for name in role.names)


def _holds_one(name: str, person: Person, case: Case) -> bool:
    concerned = person.id == case.person_id
    if name == "anyone":
        return True
    if name == "person":
        return concerned and person.status not in ("departed", "erased")
    rank = RANKS[name]
    return person.status == "member" and person.role in rank.among and not (concerned and rank.decides)


def holders(session: Session, role: Role, case: Case) -> list[Person]:
    """Everybody who holds the role in this case."""
    if role.names == ("person",):
        return [session.get_one(Person, (case.club_id, case.person_id))]
    ranks = ranks_of(role)
    wanted = Person.id == case.person_id if "person" in role.names else false()
    if ranks:
        wanted = or_(wanted, and_(Person.status == "member", Person.role.in_(ranks)))
    found = session.execute(select(Person).where(wanted).order_by(Person.id)).scalars()
    return [person for person in found if ("person" in role.names and person.id == case.person_id) or holds(role, person, case)]


def ranks_of(role: Role) -> set[str]:
    """The ranks in a club whose members hold the role."""
    return {rank for name in role.names if name in RANKS for rank in RANKS[name].among}


def waiting_roles(person: Person) -> list[str]:
    """The turns (``case.turn``) that may be this decider's."""
    return [name for name, rank in RANKS.items() if rank.decides and person.role in rank.among]
