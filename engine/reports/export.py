"""Everything stored about one person, as plain data to take along."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer

from engine.security.ballots import BALLOT_KEY
from engine.storage.models import (
    Case,
    CharterChange,
    Club,
    Draft,
    Event,
    Letter,
    Person,
    Row,
    WebSession,
)
from engine.storage.unit_of_work import ClubSession

# Columns that open links or belong to other people: no export holds them.
SECRET = {"secret_hash", "link", "bytes"}


def everything_about(session: ClubSession, club: Club, person: Person) -> dict[str, Any]:
    """Return a person's rows, table by table.

    Left out: votes, which are secret; texts that other people wrote in cases of others; private
    fields, which only the case's page shows.
    """
    mine = Case.person_id == person.id
    own = list(_rows(session, select(Case).where(mine).order_by(Case.id)))
    of_own = (
        select(Event)
        .where(Event.case_id.in_(select(Case.id).where(mine)))
        .order_by(Event.case_id, Event.version)
    )
    of_others = Event.case_id.not_in(select(Case.id).where(mine))
    by_them = (
        select(Event)
        .where(Event.who_id == person.id, of_others)
        .order_by(Event.at, Event.case_id, Event.version)
    )
    letters = select(Letter).options(defer(Letter.bytes)).order_by(Letter.id)
    to_them, about = (
        letters.where(Letter.person_id == person.id),
        letters.where(Letter.about_id == person.id),
    )
    sessions = select(WebSession).where(WebSession.person_id == person.id).order_by(WebSession.id)
    return {
        "club": {"slug": club.slug, "name": club.name, "zone": club.zone},
        "person": plain(person),
        "cases": [_case(case) for case in own],
        "events": [_told(event, person) for event in _rows(session, of_own)],
        "acts_in_matters_of_others": [
            _told(event, person) | {"answers": None} for event in _rows(session, by_them)
        ],
        "letters_to_me": [plain(letter, without={"data"}) for letter in _rows(session, to_them)],
        "letters_about_me": [
            plain(letter, without={"data", "person_id", "address", "answer", "key"})
            for letter in _rows(session, about.where(Letter.person_id != person.id))
        ],
        "drafts": [
            plain(draft)
            for draft in _rows(session, select(Draft).where(Draft.person_id == person.id))
        ],
        "sessions": [plain(one) for one in _rows(session, sessions)],
        "charter_changes": [
            plain(change, without={"charter"})
            for change in _rows(
                session, select(CharterChange).where(CharterChange.by_id == person.id)
            )
        ],
    }


def plain(row: Row, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return a row's columns by name, instants in ISO 8601, without any that open a link."""
    left_out = SECRET | set(without)
    return {
        column.key: _value(getattr(row, column.key))
        for column in row.__table__.columns
        if column.key not in left_out
    }


def _case(case: Case) -> dict[str, Any]:
    """Leave out private fields and the sealed key of an open ballot."""
    data = {name: value for name, value in case.data.items() if name != BALLOT_KEY}
    return plain(case, without={"private"}) | {"data": data}


def _told(event: Event, person: Person) -> dict[str, Any]:
    """Replace the number of another actor by their role."""
    return plain(event, without={"who_id", "on_behalf_of_id", "device"}) | {
        "who": _part(event.who_id, person),
        "on_behalf_of": _part(event.on_behalf_of_id, person) if event.on_behalf_of_id else None,
    }


def _part(who_id: int | None, person: Person) -> str:
    return "the clock" if who_id is None else "me" if who_id == person.id else "somebody else"


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _rows(session: ClubSession, wanted: Any) -> Iterable[Any]:
    return session.execute(wanted).scalars().all()
