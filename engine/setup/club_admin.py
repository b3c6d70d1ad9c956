"""Founding, changing and removing a club."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from engine.charter.model import Charter
from engine.club.context import time_context
from engine.club.people import add_person
from engine.scheduler.schedules import plan_schedules, replan_schedules
from engine.storage.database import club_of, enter_club, lock_row
from engine.storage.models import CharterChange, Club, Heartbeat, Person, Row, new_id
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import BadAddress, fold_address
from engine.text.i18n import LANGUAGES

RESERVED_SLUGS = frozenset(
    {"c", "me", "mailbox", "setup", "unsubscribe", "static", "healthz", "readyz", "metrics"}
)


# The heartbeat's row that holds a set-up under way (``engine.setup.first_club``).
SETUP = "setup"


class BadClub(ValueError):
    """Something about the club cannot be; the text names the option."""


def create_club(
    session: ClubSession,
    *,
    slug: str,
    name: str,
    owner_email: str,
    owner_name: str,
    zone: str,
    locale: str,
    charter: Mapping[str, Any],
    now: datetime,
    is_demo: bool = False,
) -> int:
    """A new club with its owner. Returns its id. Raises BadClub or CharterError."""
    address = _checked(slug, name, owner_email, owner_name, zone, locale)
    if session.execute(select(Club.id).where(Club.slug == slug)).first():
        raise BadClub(f"--slug: there is a club named {slug} already")
    club = Club(
        id=new_id(),
        slug=slug,
        name=name.strip(),
        zone=zone,
        locale=locale,
        charter=Charter.parse(charter).plain(),
        created_at=now,
        charter_version=1,
        is_demo=is_demo,
    )
    session.add(club)
    session.flush()
    enter_club(session, club.id)
    session.add(CharterChange(club_id=club.id, version=1, at=now, charter=club.charter))
    owner = add_person(
        session, address, locale=locale, name=owner_name.strip(), status=PersonStatus.MEMBER
    )
    owner.role, owner.display_name = PersonRole.OWNER, owner.name
    owner.joined_at = owner.registered_at = now
    owner.charter_version, owner.charter_acknowledged_at = 1, now
    session.flush()
    plan_schedules(session, now)
    return club.id


class CharterChanged(Exception):
    """Somebody gave the club a new charter (or name, or zone) meanwhile; nothing was changed."""


def apply_charter(
    session: ClubSession,
    club_id: int,
    charter: Mapping[str, Any],
    now: datetime,
    *,
    by_id: int | None = None,
    over: int | None = None,
) -> int:
    """Give the club a new charter. Instants that were told stay; later entries use the new numbers.
    Returns its version.

    ``over``: the version that it is meant to follow; raises CharterChanged where the club has
    another one by now. Members acknowledge words: whoever had acknowledged the charter before is
    asked again only where purpose or clauses changed.
    """
    enter_club(session, club_id)
    club = session.get_one(Club, club_id)
    lock_row(session, club)
    if over is not None and over != club.charter_version:
        raise CharterChanged
    before, held, plain = club.charter, time_context(club), Charter.parse(charter).plain()
    if plain != before:
        club.charter, club.charter_version = plain, club.charter_version + 1
        session.add(
            CharterChange(
                club_id=club_id, version=club.charter_version, at=now, by_id=by_id, charter=plain
            )
        )
        if all(plain[words] == before.get(words) for words in ("purpose", "clauses")):
            _carry_acknowledgements(session, club.charter_version)
        replan_schedules(session, now, before=held)
    return club.charter_version


def _carry_acknowledgements(session: ClubSession, version: int) -> None:
    """The words are those of the version before: whoever acknowledged them has acknowledged these."""
    same_words = (Person.club_id == club_of(session)) & (Person.charter_version == version - 1)
    session.execute(
        update(Person).where(same_words).values(charter_version=version),
        execution_options={"synchronize_session": False},
    )


def change_club(
    session: ClubSession,
    club_id: int,
    *,
    name: str | None = None,
    zone: str | None = None,
    now: datetime,
    over: tuple[str, str] | None = None,
) -> None:
    """Another name or time zone. Instants that were told stay; later openings and entries use the
    new zone.

    ``over``: the name and zone that these are meant to follow. Raises BadClub, and CharterChanged
    where they are others by now.
    """
    enter_club(session, club_id)
    club = session.get_one(Club, club_id)
    lock_row(session, club)
    if over is not None and over != (club.name, club.zone):
        raise CharterChanged
    if name is not None:
        _check_name("--name", name)
        club.name = name.strip()
    if zone is not None and zone != club.zone:
        _check_zone(zone)
        before, club.zone = time_context(club), zone
        replan_schedules(session, now, before=before)


def remove_demo(session: ClubSession) -> bool:
    """Take the demo club away with all its rows; a real club begins on a clean table."""
    demo = session.execute(select(Club.id).where(Club.is_demo)).scalar_one_or_none()
    if demo is None:
        return False
    enter_club(session, demo)
    for table in reversed(Row.metadata.sorted_tables):
        if "club_id" in table.c:
            session.execute(delete(table).where(table.c.club_id == demo))
    session.execute(delete(Club).where(Club.id == demo))
    session.execute(delete(Heartbeat).where(Heartbeat.name != SETUP))  # a set-up under way goes on
    return True


def slug_will_do(slug: str) -> bool:
    return (
        re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", slug) is not None
        and slug not in RESERVED_SLUGS
    )


def zone_exists(zone: str) -> bool:
    """A place's zone: not this machine's own, nor one of the same names told with leap seconds."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return zone not in ("localtime", "Factory") and not zone.startswith(("posix/", "right/"))


def _checked(
    slug: str, name: str, owner_email: str, owner_name: str, zone: str, locale: str
) -> str:
    if not slug_will_do(slug):
        raise BadClub(
            f"--slug: takes small letters, digits and hyphens, and none of {', '.join(sorted(RESERVED_SLUGS))}"
        )
    _check_name("--name", name)
    _check_name("--owner-name", owner_name)
    _check_zone(zone)
    if locale not in LANGUAGES:
        raise BadClub(f"--locale: takes one of {', '.join(LANGUAGES)}")
    try:
        return fold_address(owner_email)
    except BadAddress:
        raise BadClub(f"--owner-email: {owner_email!r} is no mail address") from None


def _check_name(option: str, text: str) -> None:
    if not 1 <= len(text.strip()) <= 80 or any(character < " " for character in text):
        raise BadClub(f"{option}: takes 1 to 80 characters on one line")


def _check_zone(zone: str) -> None:
    if not zone_exists(zone):
        raise BadClub(f"--timezone: {zone!r} is no time zone; an example is Asia/Shanghai")
