"""Prepared mails: many composed in one reading, so that no delivery waits for the database.

They live in memory; each is stored with *transmitting* only if the rows it was built from are
unchanged.
"""

from __future__ import annotations

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
from engine.outbox.delivery_log import held_by_pause
from engine.outbox.queue import waits_for_morning
from engine.scheduler.prior_notice import is_too_late
from engine.storage.database import enter_club
from engine.storage.models import Case, Club, Event, Letter, Mark, Person
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession
from mailers.letters.compose import Composer

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
    """A prepared mail. ``basis``: the rows that it was built from."""

    claimed: Claimed
    recipient: str
    content: bytes
    data: dict[str, Any]
    basis: tuple[Any, ...]


@dataclass(frozen=True)
class PreparedBatch:
    """The prepared mails of a batch, valid for a moment by the machine's clock."""

    drafts: Mapping[Claimed, PreparedMail] = field(default_factory=dict)
    until: datetime = datetime.min.replace(tzinfo=UTC)

    def of(self, claimed: Claimed) -> PreparedMail | None:
        return self.drafts.get(claimed) if machine_now() < self.until else None


def compose_ahead(
    session: ClubSession, claimed: Sequence[Claimed], composer: Composer, now: datetime
) -> PreparedBatch:
    """Compose first tries of letters about cases.

    What is stale, broken or late is left to ``outbox.prepare``, which says why.
    """
    found, until = {}, machine_now() + FRESH
    for club_id, mine in groupby(
        sorted(claimed, key=lambda item: item.club_id), key=lambda item: item.club_id
    ):
        enter_club(session, club_id)
        ids = [item.letter_id for item in mine]
        bases = {
            row.id: tuple(row)
            for row in session.connection().execute(_BASIS, {"club": club_id, "letters": ids})
        }
        together = with_their_people(session, ids)
        for letter, *_ in together:
            draft = (
                _draft(session, letter, composer, now, bases[letter.id])
                if letter.id in bases
                else None
            )
            if draft is not None:
                found[draft.claimed] = draft
    return PreparedBatch(found, until)


def _draft(
    session: ClubSession, letter: Letter, composer: Composer, now: datetime, basis: tuple[Any, ...]
) -> PreparedMail | None:
    case = session.get_one(Case, (letter.club_id, letter.case_id))
    club = current_club(session)
    if (
        is_too_late(session, case, letter, now)
        or held_by_pause(letter, club)
        or waits_for_morning(letter, case, time_context(club), now)
    ):
        return None
    try:
        mail = composer.compose(session, letter, now)
    except Exception:  # It is met again, and recorded, when its turn comes.
        return None
    data = letter.data | {"says_due": due_said(letter, case)}
    return PreparedMail(
        Claimed(letter.club_id, letter.id), mail.recipient, mail.content, data, basis
    )


def store_prepared(
    session: ClubSession, draft: PreparedMail, lease_until: datetime
) -> OutgoingMail | None:
    """Store a prepared mail together with *transmitting*.

    None: a row changed, or another worker was faster.
    """
    if not _still_valid(session, draft):
        return None
    values = {
        "club": draft.claimed.club_id,
        "letter": draft.claimed.letter_id,
        "content": draft.content,
        "words": draft.data,
        "until": lease_until,
    }
    kept = session.connection().execute(_KEEP, values).rowcount == 1
    return OutgoingMail(draft.claimed, draft.recipient, draft.content) if kept else None


def _still_valid(session: ClubSession, draft: PreparedMail) -> bool:
    wanted = {"club": draft.claimed.club_id, "letters": [draft.claimed.letter_id]}
    row = session.connection().execute(_BASIS, wanted).first()
    return row is not None and tuple(row) == draft.basis


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
        .join(case, and_(case.c.club_id == letter.c.club_id, case.c.id == letter.c.case_id))
        .join(you, and_(you.c.club_id == letter.c.club_id, you.c.id == letter.c.person_id))
        .join(about, and_(about.c.club_id == letter.c.club_id, about.c.id == letter.c.about_id))
        .where(
            letter.c.club_id == bindparam("club"),
            letter.c.id.in_(bindparam("letters", expanding=True)),
        )
        .where(letter.c.state == "claimed", letter.c.bytes.is_(None))
    )


_TOGETHER, _BASIS = _together(), _basis()
_letter = Letter.__table__.c
_KEEP = (
    update(Letter.__table__)  # type: ignore[arg-type]
    .where(
        _letter.club_id == bindparam("club"),
        _letter.id == bindparam("letter"),
        _letter.state == "claimed",
    )
    .values(
        state="transmitting",
        attempts=_letter.attempts + 1,
        bytes=bindparam("content"),
        data=bindparam("words"),
        lease_until=bindparam("until"),
    )
)
