"""What is happening in a step: written once, as the event of the version it makes, together with the case it moves.

Plain data and one INSERT for a whole flush: the ORM would carry each event about as a row that may still change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import Session

from engine.db import write_many
from engine.models import Case, Event

_PENDING = "happenings"
_WRITE = insert(Event.__table__)  # type: ignore[arg-type]


@dataclass
class Happening:
    """The columns of an Event. An effect of the entered state may still add to it; afterwards it stands."""

    club_id: int
    case_id: int
    version: int
    at: datetime
    who_id: int | None
    on_behalf_of_id: int | None
    via: str
    action: str
    from_state: str
    to_state: str
    note: str
    answers: dict[str, Any]


def record(session: Session, case: Case, happening: Happening) -> None:
    """From here on it stands. It is written with the case that it belongs to, at once where that one is written already."""
    session.info.setdefault(_PENDING, []).append(vars(happening))
    if not inspect(case).modified:
        session.flush()  # others' cases go before their events, and nothing may be left that would flush later
        write_happenings(session)


def write_happenings(session: Session) -> None:
    rows = session.info.pop(_PENDING, None)
    if rows:
        write_many(session, _WRITE, rows)


@event.listens_for(Session, "before_flush")
def _of_new_cases_alone(session: Session, context: Any, instances: Any) -> None:
    """``engine.db`` has inserted the new cases by now; where nothing else is left, there will be no flush to come after."""
    if not (session.dirty or session.new or session.deleted):
        write_happenings(session)


@event.listens_for(Session, "after_flush")
def _with_their_cases(session: Session, context: Any) -> None:
    write_happenings(session)


@event.listens_for(Session, "after_soft_rollback")
def _never_happened(session: Session, previous: Any) -> None:
    session.info.pop(_PENDING, None)
