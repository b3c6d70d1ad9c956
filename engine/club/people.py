"""The people of a club: addresses, their hashes, and look-ups."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import bindparam, or_, select

from engine.club.context import current_club
from engine.storage.models import Club, Person, new_id
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import domains_of, mailbox_of


def masked_address(address: str) -> str:
    """Mask an address so that only its holder knows it: ``li***@qq.com``."""
    local, at, domain = address.rpartition("@")
    return f"{local[:2] if len(local) > 3 else local[:1]}***{at}{domain}"


def address_hash(club: Club, address: str) -> str:
    """Hash an address, to find a person again without storing it.

    HMAC-SHA256 under the club's own salt.
    """
    return hmac.new(club.address_salt.encode(), address.encode(), hashlib.sha256).hexdigest()


def by_address(session: ClubSession, address: str) -> Person | None:
    """Return the person of the current club with this folded address."""
    known = address_hash(current_club(session), address)
    return session.execute(_BY_ADDRESS, {"known": known}).scalar_one_or_none()


_BY_ADDRESS = select(Person).where(Person.address_hash == bindparam("known"))


def add_person(
    session: ClubSession,
    address: str,
    *,
    locale: str,
    name: str = "",
    status: PersonStatus = PersonStatus.APPLICANT,
) -> Person:
    club = current_club(session)
    person = Person(
        id=new_id(),
        club_id=club.id,
        address=address,
        address_hash=address_hash(club, address),
        locale=locale,
        name=name,
        status=status,
    )
    session.add(
        person
    )  # Not flushed: a person who is not in the database yet has no cases to look for.
    return person


def same_mailbox(session: ClubSession, person: Person) -> list[Person]:
    """Return the other people of the club with the same mailbox, by name."""
    mailbox = mailbox_of(person.address or "")
    alike = or_(
        *(Person.address.endswith(f"@{name}", autoescape=True) for name in domains_of(mailbox))
    )
    begins = Person.address.startswith(mailbox[:1], autoescape=True)
    wanted = select(Person).where(alike, begins, Person.id != person.id).order_by(Person.name)
    found = session.execute(wanted).scalars()
    return [other for other in found if mailbox_of(other.address or "") == mailbox]


def address_is_free(session: ClubSession, address: str, *, besides: Person) -> bool:
    """True if no other person of the club has this address."""
    holder = by_address(session, address)
    return holder is None or holder.id == besides.id


def known_of(person: Person) -> dict[str, str]:
    """Return the first values of a person's form: city and name (clause 2.2)."""
    city, _plus, name = person.display_name.rpartition("+")
    return {"name": name or person.name, "city": city}


def is_member(person: Person) -> bool:
    return person.status == PersonStatus.MEMBER


def is_admin(person: Person) -> bool:
    return is_member(person) and person.role == PersonRole.ADMIN


def is_not_owner(person: Person) -> bool:
    """True for all but the owner: a test of what the owner does for other members."""
    return person.role != PersonRole.OWNER


def is_removed(person: Person) -> bool:
    return person.status == PersonStatus.REMOVED
