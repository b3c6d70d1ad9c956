"""Prepared mails: many composed in one reading, so that no delivery waits for the database.

They live in memory; each is stored with *transmitting* only if the rows it was built from are
unchanged.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, exists, select, update
from sqlalchemy.orm import aliased

from engine.cases.erasure import has_words
from engine.clock import machine_now
from engine.club.context import current_club, remember_club_and_owner, time_context
from engine.outbox.delivery_log import PAUSED, RELEASED, held_by_pause
from engine.outbox.queue import DAILY_LETTER, waits_for_morning
from engine.scheduler.prior_notice import is_too_late
from engine.storage.database import enter_club, lost_race
from engine.storage.models import Case, Club, Event, Letter, Mark, Person
from engine.storage.states import LetterState, PersonRole
from engine.storage.unit_of_work import ClubSession
from mailers.letters.compose import Composer, drop_if_stale
from mailers.letters.context import LetterDropped

OF_YESTERDAY = "held up until the night: the next daily letter says it all"

log = logging.getLogger(__name__)

# How long a prepared mail is valid.
FRESH = timedelta(seconds=1)


@dataclass(frozen=True)
class Claimed:
    club_id: int
    letter_id: int


@dataclass(frozen=True)
class OutgoingMail:
    """A mail for the server, already stored in the database."""

    claimed: Claimed
    recipient: str
    content: bytes


@dataclass(frozen=True)
class PreparedMail:
    """What is to become of one claimed letter: a mail, or (without one) changes of its row.

    ``basis``: what stood in the rows that it was prepared from. ``is_late``: first its deadline has
    to be renewed. ``fault``: why it cannot be composed.
    """

    claimed: Claimed
    basis: tuple[Any, ...]
    mail: OutgoingMail | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_late: bool = False
    fault: Exception | None = None


@dataclass(frozen=True)
class PreparedBatch:
    """The mails of a batch. They hold for a moment only, on the machine's clock."""

    drafts: Mapping[Claimed, PreparedMail] = field(default_factory=dict)
    until: datetime = datetime.min.replace(tzinfo=UTC)

    def of(self, claimed: Claimed) -> PreparedMail | None:
        return self.drafts.get(claimed) if machine_now() < self.until else None


def prepare_ahead(
    session: ClubSession, claimed: Sequence[Claimed], composer: Composer, now: datetime
) -> PreparedBatch:
    """Prepare what can be guarded by its basis: first tries of letters about a case.

    Only mails are kept. What is stale, broken, late or early is prepared again in its own unit,
    which writes down why it does not leave.
    """
    # perf: P2, 100 letters prepared one by one 582 ms, ahead 357 ms, 2026-12-01
    until = machine_now() + FRESH
    found = prepare(session, claimed, composer, now, ahead=True)
    return PreparedBatch({item.claimed: item for item in found if item.mail}, until)


def prepare(
    session: ClubSession,
    claimed: Sequence[Claimed],
    composer: Composer,
    now: datetime,
    *,
    ahead: bool = False,
    renewed: bool = False,
) -> list[PreparedMail]:
    """Compose what leaves now of these letters; nothing is written. Skip those claimed no longer.

    ``renewed``: the deadline was renewed a moment ago, so that nothing is late.
    """
    found = []
    for club_id, mine in groupby(sorted(claimed, key=_club), key=_club):
        enter_club(session, club_id)
        ids = [item.letter_id for item in mine]
        bases = _bases(session, club_id, ids)
        together = with_their_people(session, ids)
        for letter, *_ in together:
            is_first_try = letter.case_id is not None and letter.bytes is None
            if letter.id in bases and (is_first_try or not ahead):
                found.append(_prepare(session, letter, composer, now, bases[letter.id], renewed))
    return found


def _prepare(
    session: ClubSession,
    letter: Letter,
    composer: Composer,
    now: datetime,
    basis: tuple[Any, ...],
    renewed: bool,
) -> PreparedMail:
    claimed = Claimed(letter.club_id, letter.id)
    case = session.get(Case, (letter.club_id, letter.case_id)) if letter.case_id else None
    try:
        if deferred := _deferred(session, letter, case, now):
            return PreparedMail(claimed, basis, changes=deferred)
        if case and not renewed and is_too_late(session, case, letter, now):
            return PreparedMail(claimed, basis, is_late=True)
        recipient, content = _composed(session, letter, case, composer, now)
    except LetterDropped as reason:
        return PreparedMail(claimed, basis, changes=_ended(LetterState.DROPPED, str(reason), now))
    except Exception as fault:
        if lost_race(fault):
            raise
        return failed(claimed, basis, fault, now)
    changes = {"data": letter.data | {"says_due": due_said(letter, case)}}
    return PreparedMail(claimed, basis, OutgoingMail(claimed, recipient, content), changes)


def failed(
    claimed: Claimed, basis: tuple[Any, ...], fault: Exception, now: datetime
) -> PreparedMail:
    """Return the end of a letter that cannot be composed."""
    said = f"compose: {type(fault).__name__}: {fault}"[:500]
    return PreparedMail(claimed, basis, changes=_ended(LetterState.FAILED, said, now), fault=fault)


def _deferred(
    session: ClubSession, letter: Letter, case: Case | None, now: datetime
) -> dict[str, Any] | None:
    """Return the changes by which a letter of the clock waits for the morning or a pause's end."""
    if letter.answer == RELEASED:
        return None
    if held_by_pause(letter, current_club(session)):
        return {"state": LetterState.HELD, "answer": PAUSED, "lease_until": None}
    morning = waits_for_morning(letter, case, time_context(current_club(session)), now)
    if morning is None:
        return None
    if letter.name == DAILY_LETTER:
        return _ended(LetterState.DROPPED, OF_YESTERDAY, now)
    return {"state": LetterState.QUEUED, "next_at": morning, "lease_until": None}


def _ended(state: LetterState, answer: str, now: datetime) -> dict[str, Any]:
    return {"state": state, "answer": answer, "settled_at": now, "lease_until": None}


def _composed(
    session: ClubSession, letter: Letter, case: Case | None, composer: Composer, now: datetime
) -> tuple[str, bytes]:
    """Return recipient and bytes. A retry keeps its bytes, unless the deadline they name moved."""
    if letter.bytes is None or letter.data.get("says_due") != due_said(letter, case):
        mail = composer.compose(session, letter, now)
        return mail.recipient, mail.content
    person = session.get_one(Person, (letter.club_id, letter.person_id))
    drop_if_stale(session, letter, case, person)
    return letter.address or person.address or "", letter.bytes


def store_prepared(
    session: ClubSession, prepared: PreparedMail, lease_until: datetime
) -> OutgoingMail | None:
    """Write a prepared letter's row if its basis still holds, a mail's bytes with *transmitting*.

    Returns the mail that now leaves. None: there is none, something moved, or another worker was
    faster.
    """
    club_id, letter_id = prepared.claimed.club_id, prepared.claimed.letter_id
    session.flush()
    if _bases(session, club_id, [letter_id]).get(letter_id) != prepared.basis:
        return None
    if prepared.fault:
        log.error(
            "letter %s of club %s cannot be composed", letter_id, club_id, exc_info=prepared.fault
        )
    key, mail = {"club": club_id, "letter": letter_id}, prepared.mail
    if mail is None:
        session.connection().execute(_CLAIMED.values(prepared.changes), key)
        return None
    words = {"content": mail.content, "words": prepared.changes["data"], "until": lease_until}
    return mail if session.connection().execute(_TRANSMIT, key | words).rowcount == 1 else None


def _club(claimed: Claimed) -> int:
    return claimed.club_id


def _bases(session: ClubSession, club_id: int, ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """Return the basis of each letter that is still claimed, by its id."""
    found = session.connection().execute(_BASIS, {"club": club_id, "letters": ids})
    return {row.id: tuple(row) for row in found}


def due_said(letter: Letter, case: Case | None) -> str | None:
    """Return the deadline that an ask names."""
    return case.due_at.isoformat() if case and case.due_at and letter.asks else None


def with_their_people(session: ClubSession, ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the current club's letters, each with all that composing reads, in one query.

    Keep the result while letters are composed: the session holds its rows only weakly.
    """
    found = session.execute(_TOGETHER, {"letters": ids}).all()
    if found:
        remember_club_and_owner(session, found[0][-1], found[0][-2])
    return found


def _together() -> Select[*tuple[Any, ...]]:
    """Select letter, case, event, recipient, person of the case, owner, club."""
    owner, about = aliased(Person), aliased(Person)
    return (
        select(Letter, Case, Event, Person, about, owner, Club)
        .join(Club, Club.id == Letter.club_id)
        .join(owner, (owner.club_id == Letter.club_id) & (owner.role == PersonRole.OWNER))
        .outerjoin(Case, (Case.club_id == Letter.club_id) & (Case.id == Letter.case_id))
        .outerjoin(
            Event,
            (Event.club_id == Case.club_id)
            & (Event.case_id == Case.id)
            & (Event.version == Letter.version),
        )
        .outerjoin(Person, (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id))
        .outerjoin(about, (about.club_id == Letter.club_id) & (about.id == Letter.about_id))
        .where(Letter.id.in_(bindparam("letters", expanding=True)))
        .order_by(Letter.id)
    )


def _basis() -> Select[*tuple[Any, ...]]:
    """Return what may end or change a letter.

    Its state, its case's version and words, a vote, its recipient, its case's person.
    """
    letter = Letter.__table__
    case = Case.__table__
    you = Person.__table__.alias()
    about, mark = Person.__table__.alias(), Mark.__table__
    voted = exists().where(
        mark.c.club_id == case.c.club_id,
        mark.c.case_id == case.c.id,
        mark.c.entered_version == case.c.entered_version,
        mark.c.person_id == you.c.id,
    )
    stands = (
        letter.c.id,
        letter.c.bytes.is_(None),
        case.c.version,
        has_words(),
        voted,
        you.c.address,
        you.c.status,
        you.c.role,
        you.c.link_epoch,
        about.c.link_epoch,
    )
    return (
        select(*stands)
        .select_from(letter)
        .outerjoin(case, and_(case.c.club_id == letter.c.club_id, case.c.id == letter.c.case_id))
        .outerjoin(you, and_(you.c.club_id == letter.c.club_id, you.c.id == letter.c.person_id))
        .outerjoin(
            about, and_(about.c.club_id == letter.c.club_id, about.c.id == letter.c.about_id)
        )
        .where(
            letter.c.club_id == bindparam("club"),
            letter.c.id.in_(bindparam("letters", expanding=True)),
        )
        .where(letter.c.state == "claimed")
    )


_TOGETHER, _BASIS = _together(), _basis()
_letter = Letter.__table__.c
_CLAIMED = update(Letter.__table__).where(  # type: ignore[arg-type]
    _letter.club_id == bindparam("club"),
    _letter.id == bindparam("letter"),
    _letter.state == "claimed",
)
_TRANSMIT = _CLAIMED.values(
    state=LetterState.TRANSMITTING,
    attempts=_letter.attempts + 1,
    bytes=bindparam("content"),
    data=bindparam("words"),
    lease_until=bindparam("until"),
)
