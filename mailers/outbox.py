"""A letter's way through the tables: claimed, composed and frozen, settled. Writing units only; no network here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from engine.at_hand import keep_at_hand
from engine.db import HELD, across_clubs, enter_club, overtaken
from engine.models import Case, Club, Event, Letter, Person
from engine.sweep import wake_unreachable
from engine.warning import renew_if_late
from mailers.compose import Composer, drop_if_stale
from mailers.facts import Dropped
from mailers.verdict import Answer, Verdict, judge

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    club_id: int
    letter_id: int


@dataclass(frozen=True)
class Frozen:
    """What goes to the server: it is in the database before it goes."""

    claimed: Claimed
    recipient: str
    content: bytes


@across_clubs
def claim(session: Session, now: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
    """Take letters whose moment has come: what somebody waits for first."""
    ready = (
        select(Letter.club_id, Letter.id)
        .where(Letter.state == "queued", Letter.next_at <= now)
        .order_by(Letter.priority, Letter.next_at, Letter.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = [Claimed(club_id, letter_id) for club_id, letter_id in session.execute(ready)]
    if taken:
        session.execute(update(Letter).where(_these(taken)).values(state="claimed", lease_until=lease_until))
    return taken


def freeze(session: Session, claimed: Claimed, composer: Composer, now: datetime, lease_until: datetime) -> Frozen | None:
    """Compose the letter now and store its bytes together with *transmitting*. None: it does not leave, and says why.

    A retry keeps the bytes it had, unless the due time that they name has moved since.
    """
    enter_club(session, claimed.club_id)
    letter = _with_its_people(session, claimed)
    if letter is None or letter.state != "claimed":
        return None
    try:
        recipient = _compose(session, letter, composer, now)
    except Dropped as reason:
        _end(letter, "dropped", str(reason), now)
        return None
    except Exception as fault:
        if overtaken(fault):
            raise
        log.exception("letter %s of club %s cannot be composed", letter.id, letter.club_id)
        _end(letter, "failed", f"compose: {type(fault).__name__}: {fault}"[:500], now)
        return None
    letter.state, letter.lease_until = "transmitting", lease_until
    letter.attempts += 1
    assert letter.bytes is not None
    return Frozen(claimed, recipient, letter.bytes)


def _with_its_people(session: Session, claimed: Claimed) -> Letter | None:
    """The letter, with all that its composing will ask for brought along in one query: case, event, recipient, owner, club."""
    owner = aliased(Person)
    wanted = (
        select(Letter, Case, Event, Person, owner, Club)
        .join(Club, Club.id == Letter.club_id)
        .join(owner, (owner.club_id == Letter.club_id) & (owner.role == "owner"))
        .outerjoin(Case, (Case.club_id == Letter.club_id) & (Case.id == Letter.case_id))
        .outerjoin(Event, (Event.club_id == Case.club_id) & (Event.case_id == Case.id) & (Event.version == Letter.version))
        .outerjoin(Person, (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id))
        .where(Letter.club_id == claimed.club_id, Letter.id == claimed.letter_id)
        .with_for_update(of=Letter, **HELD)  # two processes that both think it theirs
    )
    found = session.execute(wanted).first()
    if found is None:
        return None
    letter, _case, _event, _person, owner_row, club = found
    session.info["brought along"] = found  # the session itself holds its rows only weakly
    keep_at_hand(session, club, owner_row)
    return letter


def _compose(session: Session, letter: Letter, composer: Composer, now: datetime) -> str:
    case = session.get(Case, (letter.club_id, letter.case_id)) if letter.case_id else None
    if case and letter.asks and case.entered_version == letter.version and case.turn:
        renew_if_late(session, case, letter, now)
    says_due = case.due_at.isoformat() if case and case.due_at and letter.asks else None
    if letter.bytes is None or letter.data.get("says_due") != says_due:
        mail = composer.compose(session, letter, now)
        letter.bytes, letter.data = mail.content, letter.data | {"says_due": says_due}
        return mail.recipient
    person = session.get_one(Person, (letter.club_id, letter.person_id))
    drop_if_stale(letter, case, person)
    return person.address or ""


def settle(session: Session, claimed: Claimed, answer: Answer, now: datetime) -> Verdict:
    """Write down what the server said and what follows from it."""
    enter_club(session, claimed.club_id)
    if judge(answer, 0).kind == "sent":
        return _sent(session, claimed, answer, now)
    letter = session.get_one(Letter, (claimed.club_id, claimed.letter_id))
    verdict = judge(answer, letter.attempts - 1)
    if letter.state == "sent":
        return verdict
    letter.answer, letter.lease_until = str(answer), None
    letter.maybe_twice = letter.maybe_twice or (answer.phase == "dot" and answer.code == 0)
    if verdict.kind in ("failed", "unknown_user"):
        letter.state, letter.settled_at = "failed", now
        if verdict.kind == "unknown_user":
            session.get_one(Person, (letter.club_id, letter.person_id)).mail_trouble = str(answer)
        return verdict
    letter.state = "queued"
    if verdict.kind == "channel":
        letter.attempts -= 1
    else:
        letter.next_at = now + (verdict.wait or timedelta())
    return verdict


def _sent(session: Session, claimed: Claimed, answer: Answer, now: datetime) -> Verdict:
    """The common way, in one statement; then a case that rested because nobody could be reached goes on."""
    mine = (Letter.club_id == claimed.club_id) & (Letter.id == claimed.letter_id) & (Letter.state != "sent")
    done = update(Letter).where(mine).values(state="sent", settled_at=now, answer=str(answer), lease_until=None)
    told = session.execute(done.returning(Letter.case_id, Letter.asks), execution_options={"synchronize_session": False}).first()
    if told is not None and told.asks:
        wake_unreachable(session, claimed.club_id, told.case_id, now)
    return Verdict("sent")


def release(session: Session, claimed: list[Claimed]) -> None:
    """Give back what was claimed and not yet handed over (a clean stop, or a channel in trouble)."""
    for item in claimed:
        enter_club(session, item.club_id)
        mine = (Letter.id == item.letter_id) & (Letter.state == "claimed")
        session.execute(update(Letter).where(mine).values(state="queued", lease_until=None))


@across_clubs
def extend_leases(session: Session, claimed: list[Claimed], lease_until: datetime) -> None:
    held = _these(claimed) & Letter.state.in_(("claimed", "transmitting"))
    session.execute(update(Letter).where(held).values(lease_until=lease_until))


@across_clubs
def take_back_lapsed(session: Session, machine_now: datetime) -> None:
    """Letters of a worker that died: a claimed one is queued again, one in transmission goes once more, marked."""
    lapsed = Letter.lease_until < machine_now
    session.execute(update(Letter).where(lapsed, Letter.state == "claimed").values(state="queued", lease_until=None))
    session.execute(
        update(Letter).where(lapsed, Letter.state == "transmitting").values(state="queued", lease_until=None, maybe_twice=True)
    )


def _these(claimed: list[Claimed]) -> ColumnElement[bool]:
    """By the whole key: by the id alone the database would read the whole ledger."""
    return tuple_(Letter.club_id, Letter.id).in_([(item.club_id, item.letter_id) for item in claimed])


def _end(letter: Letter, state: str, answer: str, now: datetime) -> None:
    letter.state, letter.answer, letter.settled_at, letter.lease_until = state, answer, now, None
