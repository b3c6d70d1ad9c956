"""The writing units of a delivery: claim, compose and store, settle. No network here."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, tuple_, update
from sqlalchemy.orm.exc import StaleDataError

from engine.outbox.delivery_log import RELEASED
from engine.outbox.queue import PRIORITIES, UNANSWERED, UNCERTAIN
from engine.scheduler.prior_notice import renew_late_notice
from engine.scheduler.sweep import wake_unreachable
from engine.storage.database import across_clubs, enter_club, lock_row, lost_race
from engine.storage.heartbeats import post_is_held
from engine.storage.models import Case, Letter, Person
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession
from mailers.letters.compose import Composer
from mailers.queue.prepared import (
    Claimed,
    OutgoingMail,
    PreparedMail,
    failed,
    prepare,
    store_prepared,
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


@across_clubs
def claim(session: ClubSession, now: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
    """Claim letters that are due, by priority.

    While the post is held, only those released by hand.
    """
    ready = _READY.where(Letter.answer == RELEASED) if post_is_held(session) else _READY
    taken = list[Claimed]()
    # One by one: each reads from the index only what it takes, however many wait for the morning.
    for priority in PRIORITIES:
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


def prepare_and_store(
    session: ClubSession, claimed: Claimed, composer: Composer, now: datetime, lease_until: datetime
) -> OutgoingMail | None:
    """Prepare one letter, renewing its deadline first where it leaves too late, and store it.

    None: it does not leave, and its row says why.

    Raises:
        StaleDataError: Its basis changed meanwhile; the unit is to run again.
    """
    found = prepare(session, [claimed], composer, now)
    if found and found[0].is_late:
        found = _renew_and_prepare(session, found[0], composer, now)
    stored = store_prepared(session, found[0], lease_until) if found else None
    if found and found[0].mail and stored is None:
        raise StaleDataError("a letter was prepared from what has moved")
    return stored


def _renew_and_prepare(
    session: ClubSession, late: PreparedMail, composer: Composer, now: datetime
) -> list[PreparedMail]:
    """Move the case's deadline, which the letter announces too late, then prepare it again."""
    letter = session.get_one(Letter, (late.claimed.club_id, late.claimed.letter_id))
    try:
        renew_late_notice(session, session.get_one(Case, (letter.club_id, letter.case_id)), now)
    except Exception as fault:
        if lost_race(fault):
            raise
        return [failed(late.claimed, late.basis, fault, now)]
    return prepare(session, [late.claimed], composer, now, renewed=True)


def give_up(session: ClubSession, claimed: Claimed, why: str, now: datetime) -> None:
    """Fail a letter whose row cannot be read, without reading it."""
    enter_club(session, claimed.club_id)
    mine = (Letter.id == claimed.letter_id) & (Letter.state == "claimed")
    failed = (
        update(Letter)
        .where(mine)
        .values(state="failed", answer=why[:500], settled_at=now, lease_until=None)
    )
    session.execute(failed, execution_options={"synchronize_session": False})


def record_reply_and_store_next(
    session: ClubSession,
    claimed: Claimed,
    answer: SmtpReply,
    now: datetime,
    following: PreparedMail | None,
    lease_until: datetime,
) -> tuple[Verdict, OutgoingMail | None]:
    """Settle one letter and store the next prepared mail, if still valid, in one commit."""
    verdict = record_reply(session, claimed, answer, now)
    if following is None or verdict.kind == "channel":
        return verdict, None
    return verdict, store_prepared(session, following, lease_until)


def record_reply(
    session: ClubSession, claimed: Claimed, answer: SmtpReply, now: datetime
) -> Verdict:
    """Store the reply and the verdict on it."""
    enter_club(session, claimed.club_id)
    if judge(answer, 0).kind == "sent":
        return _sent(session, claimed, answer, now)
    letter = session.get_one(Letter, (claimed.club_id, claimed.letter_id))
    verdict, its = judge(answer, letter.attempts - 1), for_the_letter(answer, letter.attempts - 1)
    if letter.state != "transmitting":
        return verdict  # This was stored before, or the letter is another worker's by now.
    letter.answer, letter.lease_until = str(answer), None
    letter.maybe_twice = letter.maybe_twice or (answer.phase == "dot" and answer.code < 400)
    if its.kind in ("failed", "unknown_user"):
        letter.state, letter.settled_at = LetterState.FAILED, now
        if (
            its.kind == "unknown_user" and letter.address is None
        ):  # Else it is another address than the person's own.
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
    """True if the letter now waits for the owner after several hand-overs without a reply."""
    times = letter.data.get(UNANSWERED, 0) + 1
    letter.data = letter.data | {UNANSWERED: times}
    if times < UNANSWERED_MOST:
        return False
    letter.state, letter.answer = LetterState.HELD, f"{UNCERTAIN}{answer}"[:500]
    return True


def _forget_unseen_bytes(letter: Letter, answer: SmtpReply) -> None:
    """Drop bytes that never reached a server or whose date was refused.

    They are composed again for the day on which they leave.
    """
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
    """Settle a sent letter in one statement, and wake a case that waited for a reachable person."""
    values = {"club": claimed.club_id, "letter": claimed.letter_id, "now": now, "said": str(answer)}
    told = session.connection().execute(_SENT, values).first()
    if told is not None and told.asks:
        wake_unreachable(session, claimed.club_id, told.case_id, now)
    return Verdict("sent")


def put_back(session: ClubSession, claimed: list[Claimed], now: datetime) -> None:
    """Queue letters again that failed in a row in the same words: it was the account.

    One after its last attempt stays failed, so that nothing is asked for ever.
    """
    for item in claimed:
        enter_club(session, item.club_id)
        letter = session.get_one(Letter, (item.club_id, item.letter_id))
        lock_row(session, letter)
        if letter.state == LetterState.FAILED and letter.attempts <= len(RETRY_AFTER):
            wait = max(TOO_FAST, RETRY_AFTER[letter.attempts - 1])
            letter.state = LetterState.QUEUED
            letter.next_at = now + wait
            letter.settled_at = None


def release(session: ClubSession, claimed: list[Claimed]) -> None:
    """Give back claimed letters that were not handed over.

    A clean stop, or a channel in trouble.
    """
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
    """Queue the letters of a dead worker again.

    One in transmission goes once more, marked.
    """
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
    """Build the condition on the whole key: by id alone the database reads the whole table."""
    return tuple_(Letter.club_id, Letter.id).in_(
        [(item.club_id, item.letter_id) for item in claimed]
    )
