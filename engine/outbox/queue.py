"""The queue of letters: name, recipient, case. The post composes them late."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update

from engine.club.authority import holders
from engine.club.context import charter_numbers, current_charter, current_club
from engine.club.electorate import still_asked
from engine.declare.due_times import TimeContext, morning_after_quiet
from engine.declare.roles import Proof
from engine.declare.roles import person as the_person
from engine.declare.workflow import WORKFLOW, LetterSpec, State
from engine.storage.database import club_of
from engine.storage.models import Case, Letter, Person, new_id
from engine.storage.unit_of_work import ClubSession

# Lower leaves first: awaited by a person on the page, after an action, made by the clock, can wait.
AT_ONCE = 1
BY_ACT = 3
BY_CLOCK = 5
BULK = 7
PRIORITIES = AT_ONCE, BY_ACT, BY_CLOCK, BULK

# Letters that have not left yet, and still may.
UNSENT = ("queued", "claimed", "transmitting", "held")

DAILY_LETTER = "club.daily"
# The prefix of an answer that refused the address, and for how long a bounced letter is still news.
REFUSED_ADDRESS, GO_AGAIN = "recipient:", timedelta(days=30)

# The prefix of the answer of a letter held as unanswered, and where it counts the times.
UNCERTAIN, UNANSWERED = "uncertain: ", "unanswered"

_DEFAULTS: dict[str, Any] = {
    "version": None,
    "address": None,
    "attempts": 0,
    "state": "queued",
    "answer": "",
    "maybe_twice": False,
}


@dataclass(frozen=True)
class CaseLetter:
    """A letter about cases that share workflow and deadline, before it has a recipient.

    ``case``: any of them, or a row with its columns. ``moment``: of a reminder.
    """

    case: Any
    spec: LetterSpec
    created_at: datetime
    next_at: datetime
    by_clock: bool
    moment: datetime | None = None

    @cached_property
    def _shared(self) -> dict[str, Any]:
        due, next_at = self.case.due_at if self.moment else None, self.next_at
        if due and next_at >= due:
            next_at = self.created_at  # In the morning a reminder would come after its deadline.
        return {
            **_DEFAULTS,
            "name": f"{self.case.workflow}.{self.spec.name}",
            "asks": self.spec.asks,
            "priority": BY_CLOCK if self.by_clock else BY_ACT,
            "created_at": self.created_at,
            "next_at": next_at,
            "data": {"reminder": True, "due": due.isoformat()} if due else {},
        }

    @cached_property
    def _which(self) -> str:
        """Return the middle of the key: which of a state's letters this is."""
        return f"{self.spec.name}:{self.moment.isoformat() if self.moment else ''}"

    def to(self, case: Any, person_id: int, version: int, *, why_not: str = "") -> dict[str, Any]:
        """Return the row of one person's letter.

        ``why_not``: the reason why it is recorded and not sent.
        """
        row = self._shared | {
            "id": new_id(),
            "club_id": case.club_id,
            "key": f"{case.id}:{version}:{self._which}:{person_id}",
            "case_id": case.id,
            "version": version,
            "person_id": person_id,
            "about_id": case.person_id,
            "message_id": os.urandom(12).hex(),
        }
        if self.spec.at:
            row["address"] = case.answers.get(self.spec.at)
        if why_not:
            row |= {"state": "dropped", "answer": why_not}
        return row


def queue_for_case(
    session: ClubSession,
    case: Case,
    letters: Sequence[LetterSpec],
    state: State,
    *,
    version: int,
    now: datetime,
    by_clock: bool,
    context: TimeContext,
) -> None:
    """Queue a state's letters to each of their recipients, once each.

    The worker finds who has no address or wants no mail. The key holds the entered version (not the
    case's version, which ``stay`` raises).
    """
    if not letters:
        return
    next_at = morning_after_quiet(now, context) if by_clock else now
    waited_for = not by_clock and any(act.proof is not Proof.NONE for act in state.acts)
    for spec in letters:
        letter = CaseLetter(case, spec, now, next_at, by_clock)
        first = {"priority": AT_ONCE} if waited_for and spec.asks else {}
        session.unit.letters += [
            letter.to(case, person_id, version) | first
            for person_id in recipients(session, case, spec, state)
        ]


def waits_for_morning(
    letter: Letter, case: Case | None, context: TimeContext, now: datetime
) -> datetime | None:
    """Return until when a clock-made letter waits because it is night now.

    An outage held it up. None: it may leave; so may one that would be too late in the morning.
    """
    if letter.priority != BY_CLOCK and letter.name != DAILY_LETTER:
        return None
    morning = morning_after_quiet(now, context)
    too_late = (
        letter.asks and case is not None and case.due_at is not None and morning >= case.due_at
    )
    return None if morning <= now or too_late else morning


def is_uncertain() -> ColumnElement[bool]:
    """True if it is held because it was handed over without a reply: it may have arrived."""
    return (Letter.state == "held") & Letter.answer.startswith(UNCERTAIN)


def recipients(session: ClubSession, case: Case, letter: LetterSpec, state: State) -> list[int]:
    """Return the ids of the persons whom a letter of this state is for."""
    if letter.to is None and state.poll:
        return [person.id for person in still_asked(session, case, state.poll)]
    topic = case.workflow if letter.gathers == WORKFLOW else letter.gathers
    if topic and topic in current_charter(current_club(session)).in_daily_letter:
        return []  # It waits on the desk, and the daily letter says so.
    role = letter.to or state.turn
    if role == the_person:
        return [case.person_id]
    return [person.id for person in holders(session, role, case)]


def queue_for_person(
    session: ClubSession,
    person: Person,
    name: str,
    *,
    purpose: str,
    now: datetime,
    next_at: datetime | None = None,
    case: Case | None = None,
    priority: int = AT_ONCE,
    data: dict[str, Any] | None = None,
) -> None:
    """Queue a letter without a state, once per purpose."""
    row = _DEFAULTS | {
        "id": new_id(),
        "club_id": club_of(session),
        "key": _key_for_person(person, name, purpose),
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
    session.unit.letters.append(row)


def was_queued_for_person(session: ClubSession, person: Person, name: str, purpose: str) -> bool:
    """True if ``queue_for_person`` queued this letter before."""
    before = select(Letter.id).where(Letter.key == _key_for_person(person, name, purpose))
    return session.execute(before).first() is not None


def _key_for_person(person: Person, name: str, purpose: str) -> str:
    return f"{name}:{purpose}:{person.id}"


def requeue(
    session: ClubSession, letters: ColumnElement[bool], next_at: datetime, **changes: Any
) -> int:
    """Queue the session's letters again with these columns; return how many."""
    again = (
        update(Letter)
        .where(letters)
        .values(state="queued", next_at=next_at, **changes)
        .returning(Letter.id)
    )
    count = len(session.execute(again).all())
    session.unit.letters_queued += count
    return count


def requeue_after_address_change(session: ClubSession, person: Person, now: datetime) -> None:
    """Drop rendered bytes of queued letters; requeue letters that bounced lately.

    Old bytes name the old address, and their links are revoked.
    """
    own = (Letter.person_id == person.id) & Letter.address.is_(None)
    waits = own & Letter.state.in_(("queued", "held"))
    session.execute(update(Letter).where(waits, Letter.bytes.is_not(None)).values(bytes=None))
    came_back = (
        own
        & (Letter.state == "failed")
        & Letter.answer.startswith(REFUSED_ADDRESS)
        & (Letter.settled_at > now - GO_AGAIN)
    )
    requeue(session, came_back, now, attempts=0, settled_at=None, bytes=None)


def queue_receipt(session: ClubSession, decider: Person, now: datetime) -> None:
    """Queue the receipt of a decider, one letter some minutes after the last press.

    A receipt that is already rendered cannot include this decision, so another is queued. One of
    the same unit has the same key, so there is still one.
    """
    next_at = now + charter_numbers(current_club(session)).receipt_after
    mine = {"club": club_of(session), "person": decider.id, "at": next_at}
    if session.connection().execute(_PUT_OFF_RECEIPT, mine).rowcount == 0:
        queue_for_person(
            session,
            decider,
            "club.receipt",
            purpose=now.isoformat(),
            now=now,
            next_at=next_at,
            priority=BULK,
        )


_letter = Letter.__table__.c
_PUT_OFF_RECEIPT = (
    update(Letter.__table__)  # type: ignore[arg-type]
    .where(_letter.club_id == bindparam("club"), _letter.person_id == bindparam("person"))
    .where(_letter.name == "club.receipt", _letter.state == "queued", _letter.bytes.is_(None))
    .values(next_at=bindparam("at"))
)
