"""A member's own links: a fresh one by mail, and the end of all older ones."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from engine.clock import machine_now
from engine.outbox.queue import queue_for_person
from engine.security.rate_limits import FORM_LINK_MAILS, TooManyMails, hit
from engine.storage.database import across_clubs
from engine.storage.models import Person, WebSession
from engine.storage.unit_of_work import ClubSession


def mail_member_page(
    session: ClubSession, person: Person, *, request_id: str, now: datetime, limited: bool = True
) -> None:
    """Mail somebody a link to their own page, young enough for what a copy of everything asks for.
    Raises TooManyMails."""
    if limited and not hit(
        session, FORM_LINK_MAILS, f"{person.club_id}:{person.address}", machine_now()
    ):
        raise TooManyMails
    queue_for_person(session, person, "club.fresh_link", purpose=request_id, now=now)


def revoke_links(session: ClubSession, person: Person) -> None:
    """Whatever link was mailed before opens nothing any more, and every signed-in browser is signed
    out."""
    person.link_epoch += 1
    session.execute(delete(WebSession).where(WebSession.person_id == person.id))


def reissue_links(session: ClubSession, person: Person, now: datetime) -> None:
    """A link got out: all older ones die, and a fresh one goes to the person's own address."""
    revoke_links(session, person)
    queue_for_person(
        session, person, "club.new_links", purpose=f"epoch {person.link_epoch}", now=now
    )


@across_clubs
def forget_ended_sessions(session: ClubSession, now: datetime) -> None:
    """Browsers whose sign-in has run out; the link that began it is long dead by then."""
    session.execute(delete(WebSession).where(WebSession.ends_at <= now))
