"""The ledger of letters: listing, holding, releasing, retrying."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import defer

from engine.outbox.queue import BY_CLOCK, is_uncertain, requeue
from engine.storage.database import across_clubs, enter_club
from engine.storage.heartbeats import hold_post, release_post
from engine.storage.models import Club, Letter, Person
from engine.storage.unit_of_work import ClubSession

PAUSED = "held: the club is paused"

# The answer of a letter released by hand: it leaves even while the post is held.
RELEASED = "released"
ARRIVED = "the owner knows that it arrived"


def rows(session: ClubSession, state: str | None = None) -> list[dict[str, Any]]:
    """Return every letter of the current club, oldest first, as plain data."""
    person = (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id)
    wanted = select(Letter, Person.address).outerjoin(Person, person).order_by(Letter.id)
    if state:
        wanted = wanted.where(Letter.state == state)
    return [_plain(letter, address) for letter, address in session.execute(wanted)]


def one(session: ClubSession, letter_id: int) -> tuple[dict[str, Any] | None, bytes | None]:
    letter = session.execute(select(Letter).where(Letter.id == letter_id)).scalar_one_or_none()
    if letter is None:
        return None, None
    person = session.get(Person, (letter.club_id, letter.person_id)) if letter.person_id else None
    return _plain(letter, person.address if person else None), letter.bytes


# Held letters, without those of a paused club and those that may have arrived: each of these is
# asked for alone.
_HELD = (Letter.state == "held") & (Letter.answer != PAUSED) & ~is_uncertain()

# The groups on the desk; recent: every letter.
KINDS: dict[str, tuple[str, ...]] = {
    "failed": ("failed",),
    "waiting": ("queued", "claimed", "transmitting"),
    "held": ("held",),
    "recent": (),
}


def letters_of_kind(
    session: ClubSession, kind: str, *, limit: int, offset: int = 0
) -> list[tuple[Letter, Person | None]]:
    """Return the current club's letters of one of KINDS with their recipients, newest first."""
    person = (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id)
    wanted = (
        select(Letter, Person)
        .outerjoin(Person, person)
        .order_by(Letter.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if KINDS[kind]:
        wanted = wanted.where(Letter.state.in_(KINDS[kind]))
    return [(letter, who) for letter, who in session.execute(wanted.options(defer(Letter.bytes)))]


def counts(session: ClubSession) -> dict[str, int]:
    """Count the letters of each kind that may need a person.

    *again*: refused before, and waiting; *uncertain*: held because they may have arrived.
    """
    states = {state: kind for kind, members in KINDS.items() for state in members}
    tried = func.count(Letter.id).filter(Letter.state == "queued", Letter.attempts > 0)
    unsure = func.count(Letter.id).filter(is_uncertain())
    found = (
        select(Letter.state, func.count(Letter.id), tried, unsure)
        .where(Letter.state.in_(states))
        .group_by(Letter.state)
    )
    counted = dict.fromkeys((*KINDS, "again", "uncertain"), 0)
    for state, number, again, uncertain in session.execute(found):
        counted[states[state]] += number
        counted["again"] += again
        counted["uncertain"] += uncertain
    return counted


def retry(session: ClubSession, club_id: int, letter_id: int, now: datetime) -> bool:
    """Queue a failed letter again with a fresh count of attempts.

    Its recipient counts as reachable until it fails.
    """
    enter_club(session, club_id)
    failed = (Letter.id == letter_id) & (Letter.state == "failed")
    moved = requeue(session, failed, now, attempts=0, settled_at=None) == 1
    recipient = select(Person).join(
        Letter, (Letter.club_id == Person.club_id) & (Letter.person_id == Person.id)
    )
    person = (
        session.execute(recipient.where(Letter.id == letter_id)).scalar_one_or_none()
        if moved
        else None
    )
    if person is not None:
        person.mail_trouble = ""
    return moved


def hold(session: ClubSession, club_id: int, letter_id: int, now: datetime) -> bool:
    enter_club(session, club_id)
    queued = (Letter.id == letter_id) & (Letter.state == "queued")
    return (
        session.execute(
            update(Letter).where(queued).values(state="held").returning(Letter.id)
        ).first()
        is not None
    )


def release(session: ClubSession, club_id: int, letter_id: int, now: datetime) -> bool:
    enter_club(session, club_id)
    held = (Letter.id == letter_id) & (Letter.state == "held")
    return requeue(session, held, now, answer=RELEASED) == 1


def take_for_arrived(session: ClubSession, club_id: int, letter_id: int, now: datetime) -> bool:
    """Settle an unanswered letter as arrived, by the owner's decision."""
    enter_club(session, club_id)
    arrived = {"state": "sent", "settled_at": now, "answer": ARRIVED}
    uncertain = (Letter.id == letter_id) & is_uncertain()
    noted = update(Letter).where(uncertain).values(arrived).returning(Letter.id)
    return session.execute(noted).first() is not None


def hold_all(session: ClubSession, machine_now: datetime) -> None:
    """Hold the whole post, whatever is queued, until ``release_all``."""
    hold_post(session, "by hand", machine_now)


def release_club(session: ClubSession, club_id: int, now: datetime) -> int:
    """Release every held letter of this club; return how many were held.

    The post of the whole installation is released only if it has no other club.
    """
    enter_club(session, club_id)
    released = requeue(session, _HELD, now, answer=RELEASED)
    if session.execute(select(func.count(Club.id))).scalar_one() == 1:
        release_post(session)
    return released


@across_clubs
def release_all(session: ClubSession, now: datetime) -> int:
    """Release every held letter of every club and the post; return how many were held."""
    released = requeue(session, _HELD, now, answer=RELEASED)
    release_post(session)
    return released


def _plain(letter: Letter, address: str | None) -> dict[str, Any]:
    return {
        "id": letter.id,
        "letter": letter.name,
        "to": letter.address or address or "",
        "case": letter.case_id,
        "state": letter.state,
        "at": (letter.settled_at or letter.next_at).isoformat(timespec="seconds"),
        "attempts": letter.attempts,
        "answer": letter.answer,
        "maybe_twice": letter.maybe_twice,
    }


def held_by_pause(letter: Letter, club: Club) -> bool:
    """True if this clock-made letter must wait because the club is paused.

    Also one that the worker returned in the middle of a delivery.
    """
    return club.paused_at is not None and letter.priority == BY_CLOCK
