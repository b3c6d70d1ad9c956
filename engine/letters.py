"""Queueing letters by name: which letter, to whom, about which case. The post composes them late."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.at_hand import club_at_hand, frame_of, numbers_of
from engine.db import club_of, insert_new, insert_new_rows
from engine.declare import Letter as Declared
from engine.declare import State
from engine.models import Case, Letter, Person, new_id
from engine.moments import morning_after_quiet
from engine.people import holders
from engine.polls import still_asked

# Lower leaves first: what somebody waits for on the page, what follows an act, what the clock made, what can wait.
AT_ONCE, BY_ACT, BY_CLOCK, BULK = 1, 3, 5, 7

_DEFAULTS: dict[str, Any] = {"version": None, "address": None, "attempts": 0, "state": "queued", "answer": "", "maybe_twice": False}


def queue_for_case(
    session: Session,
    case: Case,
    letters: Iterable[Declared],
    state: State,
    *,
    version: int,
    now: datetime,
    by_clock: bool,
    moment: datetime | None = None,
    state_of_letter: str = "queued",
    answer: str = "",
) -> None:
    """Queue a state's letters to everybody they are for, once each.

    The key holds the version at which the state was entered (not the case's version, which a ``stay`` moves on).
    """
    next_at = morning_after_quiet(now, frame_of(club_at_hand(session))) if by_clock else now
    rows = [
        case_letter(
            case, letter, person.id, version=version, created_at=now, next_at=next_at, by_clock=by_clock, moment=moment,
            state=state_of_letter, answer=answer,
        )
        for letter in letters
        for person in _recipients(session, case, letter, state)
        if person.address is not None and person.status != "refused_mail"
    ]  # fmt: skip
    insert_letters(session, rows)


def case_letter(
    case: Any, letter: Declared, person_id: int, *, version: int, created_at: datetime, next_at: datetime, by_clock: bool,
    moment: datetime | None = None, state: str = "queued", answer: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The row of a case's letter; ``case`` is a Case or a row with its columns."""
    if moment and case.due_at and next_at >= case.due_at:
        next_at = created_at  # a reminder that waited for the morning would come after the due time
    return _DEFAULTS | {
        "id": new_id(),
        "club_id": case.club_id,
        "key": f"{case.id}:{version}:{letter.name}:{moment.isoformat() if moment else ''}:{person_id}",
        "name": f"{case.workflow}.{letter.name}",
        "case_id": case.id,
        "version": version,
        "person_id": person_id,
        "about_id": case.person_id,
        "asks": letter.asks,
        "priority": BY_CLOCK if by_clock else BY_ACT,
        "created_at": created_at,
        "next_at": next_at,
        "state": state,
        "answer": answer,
        "data": {"reminder": True, "due": case.due_at.isoformat()} if moment and case.due_at else {},
        "message_id": secrets.token_hex(12),
    }


def insert_letters(session: Session, rows: list[dict[str, Any]]) -> None:
    """Queue letters, in one statement; one whose key is taken was queued before."""
    if rows:
        session.info["letters"] = True
        insert_new_rows(session, Letter, rows)


def _recipients(session: Session, case: Case, letter: Declared, state: State) -> list[Person]:
    if letter.asks and state.poll:
        return still_asked(session, case, state.poll)
    return holders(session, letter.to or state.turn, case)


def queue_for_person(
    session: Session,
    person: Person,
    name: str,
    *,
    purpose: str,
    now: datetime,
    next_at: datetime | None = None,
    case: Case | None = None,
    priority: int = AT_ONCE,
    data: dict[str, Any] | None = None,
) -> bool:
    """Queue a letter without a state behind it, once per purpose. False when it was queued before."""
    session.info["letters"] = True
    values = _DEFAULTS | {
        "id": new_id(),
        "club_id": club_of(session),
        "key": f"{name}:{purpose}:{person.id}",
        "name": name,
        "case_id": case.id if case else None,
        "person_id": person.id,
        "about_id": person.id,
        "asks": False,
        "priority": priority,
        "created_at": now,
        "next_at": next_at or now,
        "data": data or {},
        "message_id": secrets.token_hex(12),
    }
    return insert_new(session, Letter, **values)


def queue_receipt(session: Session, decider: Person, now: datetime) -> None:
    """Receipts are gathered: one letter per decider, some minutes after the last press."""
    next_at = now + numbers_of(club_at_hand(session)).receipt_after
    queued = select(Letter).where(Letter.person_id == decider.id, Letter.name == "club.receipt", Letter.state == "queued")
    receipt = session.execute(queued.with_for_update()).scalars().first()  # one that the post has just claimed is too late
    if receipt is not None:
        receipt.next_at = next_at
        return
    queue_for_person(session, decider, "club.receipt", purpose=now.isoformat(), now=now, next_at=next_at, priority=BULK)
