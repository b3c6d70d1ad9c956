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
    """An invalid option of a club; the text names the option."""


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
    """Create a club with its owner and return its id.

    Raises: BadClub, CharterError.
    """
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
    """Another change of charter, name or zone came first; nothing was changed."""


def apply_charter(
    session: ClubSession,
    club_id: int,
    charter: Mapping[str, Any],
    now: datetime,
    *,
    by_id: int | None = None,
    over: int | None = None,
) -> int:
    """Give the club a new charter and return its version.

    Deadlines that were announced stay; later entries use the new numbers. Members who had
    acknowledged the charter are asked again only if purpose or clauses changed. ``over``: the
    version it must follow.

    Raises: CharterChanged if the club has another version by now.
    """
    enter_club(session, club_id)
    club = session.get_one(Club, club_id)
    lock_row(session, club)
    if over is not None and over != club.charter_version:
        raise CharterChanged
    before = club.charter
    held = time_context(club)
    plain = Charter.parse(charter).plain()
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
    """Carry acknowledgements over to a version whose words are unchanged."""
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
    """Give the club another name or time zone.

    Announced deadlines stay; later openings and entries use the new zone. ``over``: the name and
    zone it must follow.

    Raises: BadClub; CharterChanged if they are others by now.
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
    """Remove the demo club with all its rows."""
    demo = session.execute(select(Club.id).where(Club.is_demo)).scalar_one_or_none()
    if demo is None:
        return False
    enter_club(session, demo)
    for table in reversed(Row.metadata.sorted_tables):
        if "club_id" in table.c:
            session.execute(delete(table).where(table.c.club_id == demo))
    session.execute(delete(Club).where(Club.id == demo))
    session.execute(
        delete(Heartbeat).where(Heartbeat.name != SETUP)
    )  # A set-up under way continues.
    return True


def slug_will_do(slug: str) -> bool:
    return (
        re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", slug) is not None
        and slug not in RESERVED_SLUGS
    )


def zone_exists(zone: str) -> bool:
    """True if it is a place's zone: not this machine's own, nor one with leap seconds."""
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
            "--slug: takes small letters, digits and hyphens, and none of "
            f"{', '.join(sorted(RESERVED_SLUGS))}"
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
