"""A letter's way through the tables."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from engine.clock import machine_now
from engine.club.authority import set_absence
from engine.outbox.delivery_log import hold, one, release, retry, rows
from engine.storage.models import Letter, Person
from mailers.letters import compose
from mailers.letters.context import LetterContext
from mailers.queue import outbox
from mailers.smtp.reply import RETRY_AFTER, SmtpReply
from tests.club import (
    ADMIN,
    DOWN,
    LATER,
    LILEI,
    MEIMEI,
    OWNER,
    PLAN,
    REFUSED,
    SILENT,
    TAKEN,
    UNKNOWN,
    House,
)
from tests.mail import parse

pytestmark = pytest.mark.postgres

HOUR = timedelta(hours=1)


def only(house: House) -> Letter:
    (letter,) = house.letters()
    return letter


@pytest.fixture
def applied(house: House) -> House:
    house.apply()
    return house


def test_a_letter_is_claimed_once_frozen_with_its_bytes_and_settled(applied: House) -> None:
    (claimed,) = applied.claim()
    assert (only(applied).state, applied.claim()) == ("claimed", [])
    frozen = applied.freeze(claimed)
    assert frozen is not None
    assert (only(applied).state, only(applied).bytes, only(applied).attempts) == (
        "transmitting",
        frozen.content,
        1,
    )
    assert applied.settle(claimed, TAKEN) == "sent"
    letter = only(applied)
    assert (
        letter.state,
        letter.settled_at,
        letter.answer,
        letter.lease_until,
        letter.maybe_twice,
    ) == (
        "sent",
        applied.now,
        "dot: 250 2.0.0 Ok: queued",
        None,
        False,
    )


def test_what_somebody_waits_for_leaves_before_what_can_wait(house: House) -> None:
    house.join()
    house.apply(form="form-9")  # already a member: somebody sits and waits
    house.now += timedelta(minutes=11)
    assert [letter for letter, _ in house.deliver()] == [
        "join.already_member",
        "join.welcome",
        "join.add_to_group",
        "study_plan.please_write",
        "club.receipt",
    ]


def test_a_letter_waits_for_its_moment(house: House) -> None:
    house.apply()
    house.write(lambda session: session.execute(update(Letter).values(next_at=house.now + HOUR)))
    assert house.claim() == []
    house.now += HOUR
    assert len(house.claim()) == 1


def test_a_poisoned_letter_fails_alone_with_its_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply()
    house.apply(MEIMEI, "form-2")
    house.apply("wang@gmail.com", "form-3")
    real = compose.fill

    def poisoned(facts: LetterContext) -> object:
        if facts.you.address == MEIMEI:
            raise ZeroDivisionError("a template broke")
        return real(facts)

    monkeypatch.setattr(compose, "fill", poisoned)
    assert sorted(house.deliver()) == [
        ("join.confirm_address", LILEI),
        ("join.confirm_address", "wang@gmail.com"),
    ]
    assert sorted(
        (letter.state, letter.answer) for letter in house.letters() if letter.state != "sent"
    ) == [("failed", "compose: ZeroDivisionError: a template broke")]
    assert house.deliver() == []


def test_an_ask_of_a_round_that_is_over_is_dropped_with_its_reason(applied: House) -> None:
    applied.press(LILEI, "confirm")
    applied.press(LILEI, "withdraw")
    assert applied.deliver() == [("join.withdrawn", LILEI), ("join.was_withdrawn", OWNER)]
    assert [
        (letter.name, letter.answer) for letter in applied.letters() if letter.state == "dropped"
    ] == [
        ("join.confirm_address", "no longer needed: the matter has moved on"),
        ("join.please_decide", "no longer needed: the matter has moved on"),
    ]


def test_an_ask_that_was_tried_before_is_dropped_too_when_its_round_is_over(applied: House) -> None:
    applied.deliver(LATER)
    applied.press(LILEI, "confirm")
    applied.now += HOUR
    assert applied.deliver() == [("join.please_decide", OWNER)]


def test_news_leaves_however_late(house: House) -> None:
    house.join()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.now += timedelta(days=5)
    assert ("join.welcome", LILEI) in house.deliver()


def test_a_retry_waits_longer_each_time_and_keeps_the_same_bytes(applied: House) -> None:
    seen: list[bytes] = []
    for wait in RETRY_AFTER[:3]:
        before = applied.now
        applied.deliver(lambda frozen: (seen.append(frozen.content), LATER)[1])
        assert (only(applied).state, only(applied).next_at) == ("queued", before + wait)
        applied.now += wait
    applied.deliver()
    assert len(set(seen)) == 1
    assert applied.server.taken[0][2] == seen[0]


def test_a_letter_that_is_never_taken_fails_in_the_end(applied: House) -> None:
    applied.press(LILEI, "confirm")
    applied.press(LILEI, "withdraw")
    for _ in range(12):
        applied.deliver(LATER)
        applied.now += timedelta(days=2)
    news = next(letter for letter in applied.letters() if letter.name == "join.withdrawn")
    assert (news.state, news.attempts, news.answer) == (
        "failed",
        len(RETRY_AFTER) + 1,
        "recipient: 451 4.7.1 try again",
    )


@pytest.mark.parametrize(
    ("answer", "blamed"), [(UNKNOWN, "recipient: 550 5.1.1 user unknown"), (REFUSED, "")]
)
def test_a_refusal_fails_and_only_an_unknown_mailbox_is_the_members(
    applied: House, answer: SmtpReply, blamed: str
) -> None:
    applied.deliver(answer)
    assert (only(applied).state, applied.person(LILEI).mail_trouble) == ("failed", blamed)


def test_trouble_of_the_channel_costs_no_attempt_and_gives_everything_back(house: House) -> None:
    house.apply()
    house.apply(MEIMEI, "form-2")
    assert house.deliver(DOWN) == []
    assert [
        (letter.state, letter.attempts, letter.next_at, letter.maybe_twice)
        for letter in house.letters()
    ] == [("queued", 0, house.now, False)] * 2


def test_silence_after_the_dot_is_tried_again_and_marked(applied: House) -> None:
    applied.deliver(SILENT)
    assert (only(applied).state, only(applied).maybe_twice) == ("queued", True)


def test_a_letter_that_was_claimed_by_a_worker_that_died_goes_back_and_is_sent_once(
    applied: House,
) -> None:
    applied.claim()
    applied.db.write(outbox.requeue_expired_leases, machine_now())
    assert only(applied).state == "claimed"
    applied.db.write(outbox.requeue_expired_leases, machine_now() + HOUR)
    assert (only(applied).state, only(applied).maybe_twice) == ("queued", False)
    assert len(applied.deliver()) == 1


def test_a_letter_in_transmission_goes_once_more_with_the_same_bytes_and_says_so(
    applied: House,
) -> None:
    (claimed,) = applied.claim()
    frozen = applied.freeze(claimed)
    assert frozen is not None
    applied.db.write(outbox.requeue_expired_leases, machine_now() + HOUR)
    applied.now += HOUR
    applied.deliver()
    letter = only(applied)
    assert (letter.state, letter.maybe_twice, applied.server.taken[0][2]) == (
        "sent",
        True,
        frozen.content,
    )


def test_a_slow_worker_keeps_its_lease(applied: House) -> None:
    claimed = applied.claim()
    applied.db.write(outbox.extend_leases, claimed, machine_now() + 3 * HOUR)
    applied.db.write(outbox.requeue_expired_leases, machine_now() + HOUR)
    assert only(applied).state == "claimed"


def test_a_letter_that_another_worker_has_is_not_frozen_again(applied: House) -> None:
    (claimed,) = applied.claim()
    applied.freeze(claimed)
    assert applied.freeze(claimed) is None


def test_a_late_answer_of_a_slow_worker_does_not_unsend_a_letter(applied: House) -> None:
    (claimed,) = applied.claim()
    applied.freeze(claimed)
    applied.settle(claimed, TAKEN)
    applied.settle(claimed, SILENT)
    assert only(applied).state == "sent"


def test_letters_to_somebody_without_address_or_will_are_dropped(house: House) -> None:
    house.apply()
    house.apply(MEIMEI, "form-2")
    house.write(
        lambda session: session.execute(
            update(Person).where(Person.address == LILEI).values(address=None)
        )
    )
    house.write(
        lambda session: session.execute(
            update(Person).where(Person.address == MEIMEI).values(status="refused_mail")
        )
    )
    assert house.deliver() == []
    assert sorted(letter.answer for letter in house.letters()) == [
        "the recipient has no address any more",
        "the recipient wants no mail",
    ]


def test_the_ledger_tells_holds_releases_and_tries_again(applied: House) -> None:
    key = only(applied).id
    assert applied.db.write(hold, applied.club_id, key, applied.now) is True
    assert (applied.db.write(hold, applied.club_id, key, applied.now), applied.deliver()) == (
        False,
        [],
    )
    assert applied.db.write(release, applied.club_id, key, applied.now) is True
    applied.deliver(REFUSED)
    assert applied.db.write(retry, applied.club_id, key, applied.now) is True
    assert applied.deliver() == [("join.confirm_address", LILEI)]
    with applied.read() as session:
        (row,) = rows(session)
        assert (row["letter"], row["to"], row["state"], row["attempts"]) == (
            "join.confirm_address",
            LILEI,
            "sent",
            1,
        )
        assert rows(session, "failed") == []
        assert one(session, key) == (row, only(applied).bytes)
        assert one(session, 1) == (None, None)


def test_a_deputy_who_is_none_any_more_is_not_asked(house: House) -> None:
    """The owner is away, so the admin is asked; before the mail leaves somebody else is the admin."""
    house.add(ADMIN, role="admin")
    house.db.write(
        set_absence, house.club_id, house.person(OWNER).id, house.now + timedelta(days=5)
    )
    house.apply()
    house.deliver()
    house.press(LILEI, "confirm")
    house.write(
        lambda session: session.execute(
            update(Person).where(Person.address == ADMIN).values(role="member")
        )
    )
    assert house.deliver() == []
    [letter] = house.letters("join.please_decide")
    assert (letter.state, letter.answer) == (
        "dropped",
        "no longer needed: it is not the recipient's turn",
    )


def test_what_an_outage_held_up_does_not_wake_anybody(house: House) -> None:
    """The mail server comes back at night: what the clock made waits for the morning, what follows
    an act leaves."""
    house.join()
    house.deliver()
    house.tick(
        days=3, hours=15
    )  # Friday, 01:00: overdue since midnight, and the mail server is down
    house.now += timedelta(hours=22)  # 23:00
    house.apply(MEIMEI, "form-2")
    assert [name for name, to in house.deliver() if to != OWNER] == ["join.confirm_address"]
    (waiting,) = house.rows(select(Letter).where(Letter.state == "queued"))
    assert (waiting.name, waiting.next_at) == (
        "study_plan.second_chance",
        house.now + timedelta(hours=8, minutes=30),
    )
    house.now = waiting.next_at
    assert house.deliver() == [("study_plan.second_chance", LILEI)]


def dates(house: House) -> list[datetime]:
    return [parse(content)["Date"].datetime for _, _, content in house.server.taken]


def test_a10_a_mail_is_dated_when_it_is_first_handed_over(applied: House) -> None:
    """Queued on a Monday, while the post was held for eight days and the server could not be
    reached for one more."""
    message_id = only(applied).message_id
    applied.now += timedelta(days=8)
    applied.deliver(DOWN)
    assert only(applied).bytes is None
    applied.now += timedelta(days=1)
    applied.deliver()
    assert dates(applied) == [applied.now]
    assert parse(applied.server.taken[0][2])["Message-ID"] == f"<{message_id}@jiuniu.example>"


@pytest.mark.parametrize(
    "refusal",
    [
        "550 Date header far in the past/future.",
        "554 5.7.1 DATE_IN_PAST_96_XX",
        "451 4.7.1 date is too old",
    ],
)
def test_a10_after_a_refusal_for_its_date_it_is_composed_anew_under_the_same_name(
    applied: House, refusal: str
) -> None:
    seen: list[bytes] = []
    answers = iter(
        [SmtpReply("dot", 451, "4.3.0 not now"), SmtpReply("dot", int(refusal[:3]), refusal[4:])]
    )
    for days in (2, 8):
        applied.deliver(lambda frozen: (seen.append(frozen.content), next(answers))[1])
        applied.now += timedelta(days=days)
    applied.deliver(lambda frozen: (seen.append(frozen.content), TAKEN)[1])
    first, again, anew = (parse(content) for content in seen)
    assert (first["Date"], first["Message-ID"]) == (again["Date"], anew["Message-ID"])
    assert (anew["Date"].datetime, only(applied).state) == (applied.now, "sent")


def test_a10_what_falls_due_at_midnight_carries_the_morning_s_date(house: House) -> None:
    house.join()
    house.deliver()
    house.live(until=house.now + timedelta(days=6))
    mail = house.mail("study_plan.second_chance", LILEI)
    letter = house.letters("study_plan.second_chance")[0]
    assert mail["Date"].datetime == letter.settled_at
    assert letter.created_at < letter.next_at <= mail["Date"].datetime
