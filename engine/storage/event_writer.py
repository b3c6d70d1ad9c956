"""What is happening in a step: written once, as the event of the version it makes, together with
the case it moves.

Plain data and one INSERT for a whole flush: the ORM would carry each event about as a row that may
still change. New people and cases are inserted here, too, before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, event, insert, inspect
from sqlalchemy.orm import Session, make_transient_to_detached

from engine.storage.database import write_many
from engine.storage.models import Case, Event, Person, Row

_PENDING = "happenings"
_INSERT: dict[Any, Insert] = {model: insert(model.__table__) for model in (Person, Case, Event)}  # type: ignore[arg-type]


@dataclass
class NewEvent:
    """The columns of an Event. An effect of the entered state may still add to it; afterwards it
    stands."""

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


def add_event(session: Session, case: Case, happening: NewEvent) -> None:
    """From here on it stands. It is written with the case that it belongs to, at once where that
    one is written already."""
    session.info.setdefault(_PENDING, []).append(vars(happening))
    if not inspect(case).modified:
        session.flush()  # others' cases go before their events, and nothing may be left that would flush later
        write_events(session)


def write_events(session: Session) -> None:
    rows = session.info.pop(_PENDING, None)
    if rows:
        write_many(session, _INSERT[Event], rows)


@event.listens_for(Session, "before_flush")
def _insert_events(session: Session, context: Any, instances: Any) -> None:
    """New people, then new cases, in one plain INSERT each; from then on they are rows like those
    that were read.

    The ORM would sort and carry each of them through a flush of its own kind (a sixth of P1 of the
    benchmarks).
    """
    for model in (Person, Case) if session.new else ():
        rows = [row for row in session.new if isinstance(row, model)]
        if rows:
            write_many(session, _INSERT[model], [_whole(row) for row in rows])
        for row in rows:
            session.expunge(row)
            make_transient_to_detached(row)
            session.add(row)
    if not (
        session.dirty or session.new or session.deleted
    ):  # then there will be no flush to come after
        write_events(session)


def _whole(row: Row) -> dict[str, Any]:
    """Every column's value; what nobody set gets its default, in the row too."""
    values = vars(row)
    for column in row.__table__.columns:
        if column.name not in values:
            default: Any = column.default
            values[column.name] = (
                None
                if default is None
                else default.arg(None)
                if default.is_callable
                else default.arg
            )
    return {column.name: values[column.name] for column in row.__table__.columns}


@event.listens_for(Session, "after_flush")
def _with_their_cases(session: Session, context: Any) -> None:
    write_events(session)


@event.listens_for(Session, "after_soft_rollback")
def _discard_events(session: Session, previous: Any) -> None:
    session.info.pop(_PENDING, None)
