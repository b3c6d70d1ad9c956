"""The browsers in which a person is signed in, and how to end their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from engine.storage.database import enter_club
from engine.storage.models import Person, WebSession
from engine.storage.unit_of_work import ClubSession


def sessions_of(session: ClubSession, person: Person, now: datetime) -> list[WebSession]:
    """Return this person's web sessions, newest first."""
    wanted = select(WebSession).where(WebSession.person_id == person.id, WebSession.ends_at > now)
    return list(
        session.execute(
            wanted.order_by(WebSession.started_at.desc(), WebSession.id.desc())
        ).scalars()
    )


def sign_out(session: ClubSession, club_id: int, person_id: int, session_id: int) -> None:
    """End one web session, if it is this person's."""
    enter_club(session, club_id)
    session.execute(
        delete(WebSession).where(WebSession.person_id == person_id, WebSession.id == session_id)
    )


def sign_out_elsewhere(session: ClubSession, club_id: int, person_id: int, session_id: int) -> None:
    """End every web session of this person but this one."""
    enter_club(session, club_id)
    session.execute(
        delete(WebSession).where(WebSession.person_id == person_id, WebSession.id != session_id)
    )
