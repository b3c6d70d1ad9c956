"""A letter's way through the tables: claimed, composed and frozen, settled. Writing units only; no
network here."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, tuple_, update

from engine.club.context import current_club, time_context
from engine.outbox.delivery_log import PAUSED, RELEASED, held_by_pause
from engine.outbox.queue import DAILY_LETTER, PRIORITIES, UNANSWERED, UNCERTAIN, waits_for_morning
from engine.scheduler.prior_notice import renew_late_notice
from engine.scheduler.sweep import wake_unreachable
from engine.storage.database import across_clubs, enter_club, lock_row, lost_race
from engine.storage.heartbeats import post_is_held
from engine.storage.models import Case, Letter, Person
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession
from mailers.letters.compose import Composer, drop_if_stale
from mailers.letters.context import LetterDropped
from mailers.queue.prepared import (
    Claimed,
    OutgoingMail,
    PreparedMail,
    due_said,
    store_prepared,
    with_their_people,
)
from mailers.smtp.reply import (
    RETRY_AFTER,
    TOO_FAST,
    UNANSWERED_MOST,
    SmtpReply,
    Verdict,
    for_the_letter,
    is_date_refused,
    is_unanswered,
    judge,
)

OF_YESTERDAY = "held up until the night: the next daily letter says it all"

log = logging.getLogger(__name__)


@across_clubs
def claim(session: ClubSession, now: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
    """Take letters whose moment has come: what somebody waits for first. While the post rests, only
    those released by hand."""
    ready = _READY.where(Letter.answer == RELEASED) if post_is_held(session) else _READY
    taken = list[Claimed]()
    for priority in PRIORITIES:  # one by one: each reads from the index only what it takes, however many wait for the morning
        wanted = {"priority": priority, "now": now, "limit": limit - len(taken)}
        taken += [Claimed(*row) for row in session.execute(ready, wanted)]
        if len(taken) == limit:
            break
    if taken:
        session.execute(
            update(Letter).where(_these(taken)).values(state="claimed", lease_until=lease_until)
        )
    return taken


_READY = (
    select(Letter.club_id, Letter.id)
    .where(
        Letter.state == "queued",
        Letter.priority == bindparam("priority"),
        Letter.next_at <= bindparam("now"),
    )
    .order_by(Letter.next_at, Letter.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)


def prepare(
    session: ClubSession, claimed: Claimed, composer: Composer, now: datetime, lease_until: datetime
) -> OutgoingMail | None:
    """Compose the letter now and store its bytes together with *transmitting*. None: it does not
    leave, and says why.

    Its Date is this moment. A retry keeps the bytes that it had, unless no server was reached with
    them, their date was refused, or the due time that they name has moved since.
    """
    enter_club(session, claimed.club_id)
    together = with_their_people(session, [claimed.letter_id])
    letter: Letter | None = together[0][0] if together else None
    if letter is not None:
        lock_row(session, letter)  # two processes that both think it theirs
    if letter is None or letter.state != "claimed":
        return None
    if _defer(session, letter, now):
        return None
    try:
        recipient = _compose(session, letter, composer, now)
    except LetterDropped as reason:
        _end(letter, LetterState.DROPPED, str(reason), now)
        return None
    except Exception as fault:
        if lost_race(fault):
            raise
        log.exception("letter %s of club %s cannot be composed", letter.id, letter.club_id)
        _end(letter, LetterState.FAILED, f"compose: {type(fault).__name__}: {fault}"[:500], now)
        return None
    letter.state, letter.lease_until = LetterState.TRANSMITTING, lease_until
    letter.attempts += 1
    assert letter.bytes is not None
    return OutgoingMail(claimed, recipient, letter.bytes)


def give_up(session: ClubSession, claimed: Claimed, why: str, now: datetime) -> None:
    """A letter whose row cannot be read is failed without reading it."""
    enter_club(session, claimed.club_id)
    mine = (Letter.id == claimed.letter_id) & (Letter.state == "claimed")
    failed = (
        update(Letter)
        .where(mine)
        .values(state="failed", answer=why[:500], settled_at=now, lease_until=None)
    )
    session.execute(failed, execution_options={"synchronize_session": False})


def _defer(session: ClubSession, letter: Letter, now: datetime) -> bool:
    """What the clock made waits for the morning, or for the end of the club's rest."""
    if letter.answer == RELEASED:
        return False
    if held_by_pause(letter, current_club(session)):
        letter.state, letter.answer, letter.lease_until = LetterState.HELD, PAUSED, None
        return True
    case = session.get(Case, (letter.club_id, letter.case_id)) if letter.case_id else None
    morning = waits_for_morning(letter, case, time_context(current_club(session)), now)
    if morning is None:
        return False
    if letter.name == DAILY_LETTER:
        _end(letter, LetterState.DROPPED, OF_YESTERDAY, now)
    else:
        letter.state, letter.next_at, letter.lease_until = LetterState.QUEUED, morning, None
    return True


def _compose(session: ClubSession, letter: Letter, composer: Composer, now: datetime) -> str:
    case = session.get(Case, (letter.club_id, letter.case_id)) if letter.case_id else None
    if case:
        renew_late_notice(session, case, letter, now)
    says_due = due_said(letter, case)
    if letter.bytes is None or letter.data.get("says_due") != says_due:
        mail = composer.compose(session, letter, now)
        letter.bytes, letter.data = mail.content, letter.data | {"says_due": says_due}
        return mail.recipient
    person = session.get_one(Person, (letter.club_id, letter.person_id))
    drop_if_stale(session, letter, case, person)
    return letter.address or person.address or ""


def record_reply_and_store_next(
    session: ClubSession,
    claimed: Claimed,
    answer: SmtpReply,
    now: datetime,
    following: PreparedMail | None,
    lease_until: datetime,
) -> tuple[Verdict, OutgoingMail | None]:
    """Settle one letter and freeze the next, where a draft of it still holds, in the same commit."""
    verdict = record_reply(session, claimed, answer, now)
    if following is None or verdict.kind == "channel":
        return verdict, None
    return verdict, store_prepared(session, following, lease_until)


def record_reply(
    session: ClubSession, claimed: Claimed, answer: SmtpReply, now: datetime
) -> Verdict:
    """Write down what the server said and what follows from it."""
    enter_club(session, claimed.club_id)
    if judge(answer, 0).kind == "sent":
        return _sent(session, claimed, answer, now)
    letter = session.get_one(Letter, (claimed.club_id, claimed.letter_id))
    verdict, its = judge(answer, letter.attempts - 1), for_the_letter(answer, letter.attempts - 1)
    if letter.state != "transmitting":
        return verdict  # this was written down before, or the letter is another worker's by now
    letter.answer, letter.lease_until = str(answer), None
    letter.maybe_twice = letter.maybe_twice or (answer.phase == "dot" and answer.code < 400)
    if its.kind in ("failed", "unknown_user"):
        letter.state, letter.settled_at = LetterState.FAILED, now
        if (
            its.kind == "unknown_user" and letter.address is None
        ):  # else it is another address than the person's own
            session.get_one(Person, (letter.club_id, letter.person_id)).mail_trouble = str(answer)
        return verdict
    if is_unanswered(answer) and _rests_unanswered(letter, answer):
        return verdict
    letter.state = LetterState.QUEUED
    _forget_unseen_bytes(letter, answer)
    if its.kind == "channel":
        letter.attempts -= 1
    else:
        letter.next_at = now + (its.wait or timedelta())
    return verdict


def _rests_unanswered(letter: Letter, answer: SmtpReply) -> bool:
    """True if the letter now waits for the owner: so often it was handed over and never answered
    for."""
    times = letter.data.get(UNANSWERED, 0) + 1
    letter.data = letter.data | {UNANSWERED: times}
    if times < UNANSWERED_MOST:
        return False
    letter.state, letter.answer = LetterState.HELD, f"{UNCERTAIN}{answer}"[:500]
    return True


def _forget_unseen_bytes(letter: Letter, answer: SmtpReply) -> None:
    """What was refused for its date, or never reached a server, is composed again for the day on
    which it leaves."""
    tried_before = letter.attempts > 1 or letter.maybe_twice
    if is_date_refused(answer) or (
        answer.phase in ("connect", "login", "sender") and not tried_before
    ):
        letter.bytes = None


_letter = Letter.__table__.c
_SENT = (
    update(Letter.__table__)  # type: ignore[arg-type]
    .where(
        _letter.club_id == bindparam("club"),
        _letter.id == bindparam("letter"),
        _letter.state != "sent",
    )
    .values(state="sent", settled_at=bindparam("now"), answer=bindparam("said"), lease_until=None)
    .returning(_letter.case_id, _letter.asks)
)


def _sent(session: ClubSession, claimed: Claimed, answer: SmtpReply, now: datetime) -> Verdict:
    """The common way, in one statement; then a case that rested because nobody could be reached
    goes on."""
    values = {"club": claimed.club_id, "letter": claimed.letter_id, "now": now, "said": str(answer)}
    told = session.connection().execute(_SENT, values).first()
    if told is not None and told.asks:
        wake_unreachable(session, claimed.club_id, told.case_id, now)
    return Verdict("sent")


def put_back(session: ClubSession, claimed: list[Claimed], now: datetime) -> None:
    """Letters that failed one after the other in the same words wait: it was the account's refusal.

    One that was tried to the end stays failed, so that nothing is asked for ever.
    """
    for item in claimed:
        enter_club(session, item.club_id)
        letter = session.get_one(Letter, (item.club_id, item.letter_id))
        lock_row(session, letter)
        if letter.state == LetterState.FAILED and letter.attempts <= len(RETRY_AFTER):
            wait = max(TOO_FAST, RETRY_AFTER[letter.attempts - 1])
            letter.state, letter.next_at, letter.settled_at = LetterState.QUEUED, now + wait, None


def release(session: ClubSession, claimed: list[Claimed]) -> None:
    """Give back what was claimed and not yet handed over (a clean stop, or a channel in trouble)."""
    for item in claimed:
        enter_club(session, item.club_id)
        mine = (Letter.id == item.letter_id) & (Letter.state == "claimed")
        session.execute(update(Letter).where(mine).values(state="queued", lease_until=None))


@across_clubs
def extend_leases(session: ClubSession, claimed: list[Claimed], lease_until: datetime) -> None:
    held = _these(claimed) & Letter.state.in_(("claimed", "transmitting"))
    session.execute(update(Letter).where(held).values(lease_until=lease_until))


@across_clubs
def requeue_expired_leases(session: ClubSession, machine_now: datetime) -> None:
    """Letters of a worker that died: a claimed one is queued again, one in transmission goes once
    more, marked."""
    lapsed = Letter.lease_until < machine_now
    session.execute(
        update(Letter)
        .where(lapsed, Letter.state == "claimed")
        .values(state="queued", lease_until=None)
    )
    session.execute(
        update(Letter)
        .where(lapsed, Letter.state == "transmitting")
        .values(state="queued", lease_until=None, maybe_twice=True)
    )


def _these(claimed: list[Claimed]) -> ColumnElement[bool]:
    """By the whole key: by the id alone the database would read the whole ledger."""
    return tuple_(Letter.club_id, Letter.id).in_(
        [(item.club_id, item.letter_id) for item in claimed]
    )


def _end(letter: Letter, state: LetterState, answer: str, now: datetime) -> None:
    letter.state, letter.answer, letter.settled_at, letter.lease_until = state, answer, now, None
