"""Prepared mails are stored with *transmitting* only if their rows are unchanged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.cases.erasure import erase_person, forget_case
from engine.clock import machine_now
from engine.storage.models import Case, Letter, Person
from engine.storage.unit_of_work import ClubSession
from mailers.letters import compose
from mailers.letters.context import LetterContext
from mailers.queue import outbox
from mailers.queue.prepared import (
    FRESH,
    Claimed,
    PreparedBatch,
    prepare,
    prepare_ahead,
    store_prepared,
)
from tests.club import DOWN, LATER, LILEI, MEIMEI, OWNER, TAKEN, House

pytestmark = pytest.mark.postgres

LEASE = machine_now() + timedelta(hours=1)


def ahead_of(house: House, claimed: list[Claimed]) -> PreparedBatch:
    with house.db.read() as session:
        return prepare_ahead(session, claimed, house.composer, house.now)


@pytest.fixture
def asked(house: House) -> House:
    """An application waits for the owner, and the mail that says so waits to be sent."""
    house.apply()
    house.deliver()
    house.press(LILEI, "confirm")
    return house


def test_a_draft_is_what_freezing_would_have_made(asked: House) -> None:
    (claimed,) = asked.claim()
    draft = ahead_of(asked, [claimed]).of(claimed)
    assert draft is not None
    assert [(letter.state, letter.bytes) for letter in asked.letters("join.please_decide")] == [
        ("claimed", None)
    ]
    kept = asked.db.write(store_prepared, draft, LEASE)
    (letter,) = asked.letters("join.please_decide")
    assert kept is not None
    assert (letter.state, letter.bytes, letter.attempts, letter.lease_until, kept.recipient) == (
        "transmitting",
        kept.content,
        1,
        LEASE,
        OWNER,
    )
    asked.write(lambda session: session.execute(update(Letter).values(state="claimed", bytes=None)))
    frozen = asked.freeze(claimed)
    assert frozen is not None
    assert frozen.content == kept.content
    assert asked.letters("join.please_decide")[0].data == letter.data


def withdraws(house: House) -> None:
    house.press(LILEI, "withdraw")


def is_forgotten(house: House) -> None:
    house.write(
        lambda session: forget_case(
            session, session.get_one(Case, (house.club_id, house.case(LILEI).id))
        )
    )


def is_erased(house: House) -> None:
    house.write(
        lambda session: erase_person(
            session, session.get_one(Person, (house.club_id, house.person(LILEI).id))
        )
    )


def the_owner_moves(house: House) -> None:
    house.write(
        lambda session: session.execute(
            update(Person).where(Person.role == "owner").values(address="new@qq.com")
        )
    )


def another_worker_has_it(house: House) -> None:
    house.write(lambda session: session.execute(update(Letter).values(state="transmitting")))


@pytest.mark.parametrize(
    "meanwhile", [withdraws, is_forgotten, is_erased, the_owner_moves, another_worker_has_it]
)
def test_a_draft_falls_away_when_something_moved_meanwhile(
    asked: House, meanwhile: Callable[[House], None]
) -> None:
    (claimed,) = asked.claim()
    draft = ahead_of(asked, [claimed]).of(claimed)
    assert draft is not None
    meanwhile(asked)
    assert asked.db.write(store_prepared, draft, LEASE) is None
    assert asked.letters("join.please_decide")[0].bytes is None


def test_who_votes_while_their_ballot_is_being_written_gets_none(house: House) -> None:
    """A vote moves no case: neither a draft nor a mail composed now takes its version for the whole
    story."""
    for address in (LILEI, MEIMEI, "wang@gmail.com"):
        house.add(address)
    house.hand_in(LILEI, "nomination", {"why": "一", "plan": "二"})
    house.press(OWNER, "approve", workflow="nomination")
    ballots = [letter.id for letter in house.letters("nomination.please_vote")]
    claimed = [item for item in house.claim() if item.letter_id in ballots]
    ahead = ahead_of(house, claimed)
    drafts = {
        house.rows(select(Letter.person_id).where(Letter.id == item.letter_id))[0]: ahead.of(item)
        for item in claimed
    }
    house.vote(MEIMEI, "no")
    kept = {
        address: house.db.write(store_prepared, drafts[house.person(address).id], LEASE)
        for address in (MEIMEI, "wang@gmail.com")
    }
    assert [address for address, frozen in kept.items() if frozen] == ["wang@gmail.com"]
    mine = next(item for item in claimed if ahead.of(item) == drafts[house.person(MEIMEI).id])
    assert house.freeze(mine) is None
    [letter] = house.rows(select(Letter).where(Letter.id == mine.letter_id))
    assert (letter.state, letter.answer) == ("dropped", "no longer needed: the recipient has voted")


def test_a_draft_holds_for_a_moment_only(asked: House) -> None:
    (claimed,) = asked.claim()
    ahead = ahead_of(asked, [claimed])
    assert ahead.until <= machine_now() + FRESH
    assert PreparedBatch(ahead.drafts, machine_now()).of(claimed) is None


def test_what_was_tried_before_is_stale_or_broken_is_not_drafted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply()
    house.deliver(LATER)
    house.apply(MEIMEI, "form-2")
    house.apply("wang@gmail.com", "form-3")
    house.press(MEIMEI, "confirm", MEIMEI)
    real = compose.fill

    def poisoned(facts: LetterContext) -> object:
        if facts.who_row.address == "wang@gmail.com":
            raise ZeroDivisionError("a template broke")
        return real(facts)

    monkeypatch.setattr(compose, "fill", poisoned)
    house.now += timedelta(minutes=2)
    claimed = house.claim()
    drafted = {item.letter_id for item in ahead_of(house, claimed).drafts}
    assert len(claimed) == 4
    assert drafted == {letter.id for letter in house.letters("join.please_decide")}


def test_a_retry_is_prepared_with_the_bytes_it_had(asked: House) -> None:
    asked.deliver(LATER)
    asked.now += timedelta(minutes=2)
    (claimed,) = asked.claim()
    before = asked.letters("join.please_decide")[0].bytes
    with asked.db.read() as session:
        (prepared,) = prepare(session, [claimed], asked.composer, asked.now)
    assert ahead_of(asked, [claimed]).drafts == {}
    mail = asked.db.write(store_prepared, prepared, LEASE)
    assert mail is not None
    assert (mail.content, mail.recipient) == (before, OWNER)
    assert asked.letters("join.please_decide")[0].attempts == 2


def test_the_end_of_a_letter_is_prepared_like_a_mail_and_stored_by_the_same_guard(
    asked: House,
) -> None:
    (claimed,) = asked.claim()
    withdraws(asked)
    with asked.db.read() as session:
        (prepared,) = prepare(session, [claimed], asked.composer, asked.now)
    assert prepared.mail is None
    another_worker_has_it(asked)
    assert asked.db.write(store_prepared, prepared, LEASE) is None
    assert asked.letters("join.please_decide")[0].state == "transmitting"
    asked.write(lambda session: session.execute(update(Letter).values(state="claimed")) and None)
    assert asked.db.write(store_prepared, prepared, LEASE) is None
    (letter,) = asked.letters("join.please_decide")
    assert (letter.state, letter.answer, letter.settled_at) == (
        "dropped",
        "no longer needed: the matter has moved on",
        asked.now,
    )


def test_one_letter_is_settled_and_the_next_one_frozen_in_one_commit(house: House) -> None:
    house.apply()
    house.apply(MEIMEI, "form-2")
    first, second = house.claim()
    house.freeze(first)
    following = ahead_of(house, [second]).of(second)

    def fails_late(session: ClubSession) -> None:
        outbox.record_reply_and_store_next(session, first, TAKEN, house.now, following, LEASE)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        house.db.write(fails_late)
    assert sorted(letter.state for letter in house.letters()) == ["claimed", "transmitting"]
    verdict, frozen = house.db.write(
        outbox.record_reply_and_store_next, first, TAKEN, house.now, following, LEASE
    )
    assert (verdict.kind, frozen is not None and frozen.claimed) == ("sent", second)
    assert sorted(letter.state for letter in house.letters()) == ["sent", "transmitting"]


def test_nothing_follows_when_the_channel_is_in_trouble(house: House) -> None:
    house.apply()
    house.apply(MEIMEI, "form-2")
    first, second = house.claim()
    house.freeze(first)
    following = ahead_of(house, [second]).of(second)
    assert (
        house.db.write(
            outbox.record_reply_and_store_next, first, DOWN, house.now, following, LEASE
        )[1]
        is None
    )
    assert sorted(letter.state for letter in house.letters()) == ["claimed", "queued"]
