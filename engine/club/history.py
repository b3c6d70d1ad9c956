"""A case's history: its events, their actors, and the changes since the last submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine.declare.registry import state_of, workflow
from engine.declare.roles import nobody
from engine.declare.roles import person as the_person
from engine.declare.transition import Actor
from engine.storage.models import Case, Event, Person
from engine.storage.unit_of_work import ClubSession
from engine.text.text_diff import Piece, changed_answers


@dataclass(frozen=True)
class HistoryEntry:
    """A line of a case's history. ``who`` is None for the clock."""

    at: datetime
    who: Person | None
    on_behalf_of: Person | None
    action: str
    from_state: str
    to_state: str
    note: str
    via: str


def history(session: ClubSession, case: Case, *known: Person) -> list[HistoryEntry]:
    """Return the case's events, oldest first.

    In two queries; in one if all of its persons are loaded.
    """
    events = events_of(session, case)
    people = {person.id: person for person in known}
    missing = {
        person for event in events for person in (event.who_id, event.on_behalf_of_id) if person
    } - people.keys()
    if missing:
        people |= {
            person.id: person
            for person in session.execute(select(Person).where(Person.id.in_(missing))).scalars()
        }
    return [
        HistoryEntry(
            event.at,
            people.get(event.who_id or 0),
            people.get(event.on_behalf_of_id or 0),
            event.action,
            event.from_state,
            event.to_state,
            event.note,
            event.via,
        )
        for event in events
    ]


def events_of(session: ClubSession, case: Case) -> Sequence[Event]:
    """Return the events, cached per session and version: events never change."""
    known = session.unit.history
    key = (case.club_id, case.id, case.version)
    if key not in known:
        known[key] = session.execute(_EVENTS, {"case": case.id}).scalars().all()
    return known[key]


_EVENTS = select(Event).where(Event.case_id == bindparam("case")).order_by(Event.version)


def changed_since_last(
    session: ClubSession, case: Case, until: int | None = None
) -> dict[str, list[Piece]]:
    """Return what changed between the last two submissions, by field.

    ``until``: the last version to look at.
    """
    flow = workflow(case.workflow)
    text: dict[str, Any] = {}
    seen: list[dict[str, Any]] = []
    for event in events_of(session, case):
        if event.version > (until or case.version):
            break
        text |= {name: answer for name, answer in event.answers.items() if name in flow.fields}
        turn = state_of(case.workflow, event.to_state).turn
        if event.to_state != event.from_state and turn not in (the_person, nobody):
            seen.append(dict(text))
    return changed_answers(seen[-2], seen[-1]) if len(seen) > 1 else {}


def is_repeated(
    session: ClubSession,
    case: Case,
    action: str,
    *,
    by: Actor,
    note: str,
    answers: Mapping[str, Any] | None,
) -> bool:
    """True if the case's last event has the same actor and words, and the state was kept.

    An answer that is pressed twice in one entered version is one answer.
    """
    if by.person is None or case.version == case.entered_version:
        return False
    last = session.get_one(Event, (case.club_id, case.id, case.version))
    on_behalf_of = by.on_behalf_of.id if by.on_behalf_of else None
    same_hand = (last.who_id, last.on_behalf_of_id) == (by.person.id, on_behalf_of)
    hidden = workflow(case.workflow).private
    told = {name: answer for name, answer in (answers or {}).items() if name not in hidden}
    same_private = all(
        case.private.get(name) == answer
        for name, answer in (answers or {}).items()
        if name in hidden
    )
    return (
        same_hand
        and same_private
        and (last.action, last.note, last.answers) == (action, note, told)
    )
