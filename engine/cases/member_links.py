"""A member's own links: mailed again, revoked, used up."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from engine.clock import machine_now
from engine.outbox.queue import queue_for_person
from engine.security.rate_limits import FORM_LINK_MAILS, TooManyMails, hit
from engine.storage.bulk import insert_new
from engine.storage.database import across_clubs, club_of
from engine.storage.models import KnownBrowser, Person, SpentLink, WebSession
from engine.storage.unit_of_work import ClubSession

# Longer than any one-time link lives, whatever clock it was made by.
# A decider's browser after its last use (docs/privacy.md).
BROWSER_KEPT = timedelta(days=400)
_SPENT_KEPT = timedelta(days=2)


def mail_member_page(
    session: ClubSession, person: Person, *, request_id: str, now: datetime, limited: bool = True
) -> None:
    """Mail the one-time link that a copy of everything requires.

    Raises: TooManyMails.
    """
    if limited and not hit(
        session, FORM_LINK_MAILS, f"{person.club_id}:{person.address}", machine_now()
    ):
        raise TooManyMails
    queue_for_person(session, person, "club.fresh_link", purpose=request_id, now=now)


def revoke_links(session: ClubSession, person: Person) -> None:
    """Revoke all links mailed before, and sign every browser out."""
    person.link_epoch += 1
    session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    session.execute(delete(KnownBrowser).where(KnownBrowser.person_id == person.id))


def reissue_links(session: ClubSession, person: Person, now: datetime) -> None:
    """Revoke a person's leaked links, and mail a fresh one to their own address."""
    revoke_links(session, person)
    queue_for_person(
        session, person, "club.new_links", purpose=f"epoch {person.link_epoch}", now=now
    )


def spend(session: ClubSession, letter_id: int, use: str, now: datetime) -> bool:
    """Use up a one-time link of the club for one action; return False if it was used before."""
    return insert_new(
        session, SpentLink, club_id=club_of(session), letter_id=letter_id, use=use, at=now
    )


def is_spent(session: ClubSession, letter_id: int, use: str) -> bool:
    used = select(SpentLink.letter_id).where(SpentLink.letter_id == letter_id, SpentLink.use == use)
    return session.execute(used).first() is not None


@across_clubs
def forget_spent_links(session: ClubSession, now: datetime) -> None:
    """Delete the marks of links that are too old to work."""
    session.execute(delete(SpentLink).where(SpentLink.at <= now - _SPENT_KEPT))


@across_clubs
def forget_known_browsers(session: ClubSession, now: datetime) -> None:
    """Delete the browsers of deciders that were not used for long."""
    session.execute(delete(KnownBrowser).where(KnownBrowser.at <= now - BROWSER_KEPT))


@across_clubs
def forget_ended_sessions(session: ClubSession, now: datetime) -> None:
    """Delete web sessions whose sign-in has expired."""
    session.execute(delete(WebSession).where(WebSession.ends_at <= now))
