"""The club of a session: its row, charter, numbers, and the context of its deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from engine.charter.loading import load_charter
from engine.charter.model import Charter, Numbers
from engine.declare.due_times import TimeContext
from engine.storage.database import club_of
from engine.storage.models import Case, Club, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession


def current_club(session: ClubSession) -> Club:
    """Return the club, looked up once per session.

    It is kept here because a session holds its rows only weakly.
    """
    club_id = club_of(session)
    clubs = session.unit.context.clubs
    if club_id not in clubs:
        clubs[club_id] = session.execute(_CLUB, {"club": club_id}).scalar_one()
    return clubs[club_id]


def current_owner(session: ClubSession) -> Person:
    """Return the owner of the current club, looked up once per session."""
    club_id = club_of(session)
    owners = session.unit.context.owners
    if club_id not in owners:
        owners[club_id] = session.execute(_OWNER).scalar_one()
    return owners[club_id]


def current_officers(session: ClubSession) -> list[Person]:
    """Return owner and admins of the current club, looked up once per session."""
    club_id = club_of(session)
    officers = session.unit.context.officers
    if club_id not in officers:
        officers[club_id] = list(session.execute(_OFFICERS).scalars())
    return officers[club_id]


def forget_officers(session: ClubSession) -> None:
    """Clear the cached officers after a change of office."""
    session.unit.context.forget_officers()


def remember_club(session: ClubSession, club: Club) -> None:
    """Cache a club that another query returned."""
    session.unit.context.clubs[club.id] = club


def remember_club_and_owner(session: ClubSession, club: Club, owner: Person) -> None:
    """Cache a club and its owner that another query returned."""
    session.unit.context.clubs[club.id] = club
    session.unit.context.owners[club.id] = owner


def load_clubs(session: ClubSession, club_ids: set[int]) -> dict[int, Club]:
    """Load many clubs by id in one query, for work that iterates over them."""
    known = session.unit.context.clubs
    missing = sorted(club_ids - known.keys())
    if missing:
        known |= {club.id: club for club in session.execute(_CLUBS, {"clubs": missing}).scalars()}
    return {club_id: known[club_id] for club_id in club_ids}


_CLUB = select(Club).where(Club.id == bindparam("club"))
_OWNER = select(Person).where(Person.role == PersonRole.OWNER)
_OFFICERS = (
    select(Person)
    .where(
        Person.status == PersonStatus.MEMBER, Person.role.in_((PersonRole.OWNER, PersonRole.ADMIN))
    )
    .order_by(Person.id)
)
_CLUBS = select(Club).where(Club.id.in_(bindparam("clubs", expanding=True)))


@dataclass(frozen=True)
class _CharterVersion:
    """What makes a charter the same one; its text follows from that."""

    club_id: int
    number: int
    created_at: datetime
    locale: str
    charter: Mapping[str, Any] = field(compare=False)


def current_charter(club: Club) -> Charter:
    """Return the club's charter, parsed once per version."""
    return _parse(
        _CharterVersion(club.id, club.charter_version, club.created_at, club.locale, club.charter)
    )


@lru_cache(maxsize=256)  # Bounded: a sandbox's versions fall out again.
def _parse(version: _CharterVersion) -> Charter:
    return load_charter(version.charter, version.locale)


def charter_numbers(club: Club) -> Numbers:
    return current_charter(club).numbers


def time_context(club: Club, case: Case | None = None) -> TimeContext:
    return TimeContext(ZoneInfo(club.zone), charter_numbers(club), dict(case.data) if case else {})


def by_slug(session: ClubSession, slug: str) -> Club | None:
    if "\x00" in slug:  # No name, and PostgreSQL would not even compare it.
        return None
    return session.execute(_BY_SLUG, {"slug": slug}).scalar_one_or_none()


def all_clubs(session: ClubSession) -> list[Club]:
    return list(session.execute(select(Club).order_by(Club.name)).scalars())


_BY_SLUG = select(Club).where(Club.slug == bindparam("slug"))
