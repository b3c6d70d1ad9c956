"""The people of a club: how an address becomes a person, and who holds which role in which case."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.at_hand import club_at_hand
from engine.language import marked as _
from engine.models import Club, Person, new_id

# What cannot be seen and comes along when an address is copied out of a chat (zero-width spaces, marks of direction).
_UNSEEN = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_STOPS = str.maketrans({"。": ".", "．": ".", "｡": "."})


class BadAddress(ValueError):
    """An address that no mail can reach; the text is a word of the catalogue."""


def fold_stops(text: str) -> str:
    """Chinese full stops, as a Chinese keyboard types them into addresses, made plain."""
    return text.translate(_STOPS)


def fold_address(typed: str) -> str:
    """The address in the one form that it is kept in. Raises BadAddress.

    Full-width characters and case are folded first: the validator would keep them as an internationalised local part.
    """
    folded = unicodedata.normalize("NFKC", fold_stops(_UNSEEN.sub("", typed))).strip().strip("<>").lower()
    try:
        found = validate_email(folded, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise BadAddress(_("This does not look like an e-mail address. Example: lilei@qq.com")) from None
    # The form that is on the wire: a look-alike domain shows itself as xn--…, and every server takes it.
    return found.ascii_email or found.normalized


def foreign_domain(address: str | None) -> str:
    """The domain as it reads, where letters stand in it that may pass for Latin ones; else empty. Chinese domains are none."""
    domain = (address or "").rpartition("@")[2]
    if "xn--" not in domain:
        return ""
    try:
        reads = str(idna.decode(domain))
    except idna.IDNAError:
        return domain
    wide = all(character.isascii() or unicodedata.east_asian_width(character) in "WF" for character in reads)
    return "" if wide else reads


def address_hash(club: Club, address: str) -> str:
    """Finds a person again without keeping the address (HMAC-SHA256 under the club's own salt)."""
    return hmac.new(club.address_salt.encode(), address.encode(), hashlib.sha256).hexdigest()


def by_address(session: Session, address: str) -> Person | None:
    """The person with this folded address in the club at hand."""
    known = address_hash(club_at_hand(session), address)
    return session.execute(_BY_ADDRESS, {"known": known}).scalar_one_or_none()


_BY_ADDRESS = select(Person).where(Person.address_hash == bindparam("known"))


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


def address_is_free(session: Session, address: str, *, besides: Person) -> bool:
    """Does nobody else of the club have this address?"""
    holder = by_address(session, address)
    return holder is None or holder.id == besides.id


def known_of(person: Person) -> dict[str, str]:
    """What a form of theirs begins with: the city and the name of their display name (clause 2.2)."""
    city, _plus, name = person.display_name.rpartition("+")
    return {"name": name or person.name, "city": city}


def is_member(person: Person) -> bool:
    return person.status == "member"


def is_admin(person: Person) -> bool:
    return is_member(person) and person.role == "admin"


def is_not_owner(person: Person) -> bool:
    """What the owner does for others, nobody does for the owner."""
    return person.role != "owner"


def is_removed(person: Person) -> bool:
    return person.status == "removed"
