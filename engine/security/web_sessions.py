"""Where somebody is signed in: their browsers, and ending them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from engine.storage.database import enter_club
from engine.storage.models import Person, WebSession
from engine.storage.unit_of_work import ClubSession


def sessions_of(session: ClubSession, person: Person, now: datetime) -> list[WebSession]:
    """The browsers in which this person is signed in, the newest first."""
    wanted = select(WebSession).where(WebSession.person_id == person.id, WebSession.ends_at > now)
    return list(
        session.execute(
            wanted.order_by(WebSession.started_at.desc(), WebSession.id.desc())
        ).scalars()
    )


def sign_out(session: ClubSession, club_id: int, person_id: int, session_id: int) -> None:
    """End one of this person's sessions; nobody else's."""
    enter_club(session, club_id)
    session.execute(
        delete(WebSession).where(WebSession.person_id == person_id, WebSession.id == session_id)
    )


def sign_out_elsewhere(session: ClubSession, club_id: int, person_id: int, session_id: int) -> None:
    """End every session of this person but this one."""
    enter_club(session, club_id)
    session.execute(
        delete(WebSession).where(WebSession.person_id == person_id, WebSession.id != session_id)
    )
