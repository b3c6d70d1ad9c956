"""The post end to end, to servers on real sockets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from engine.clock import machine_now
from engine.settings import MailServer
from engine.storage.heartbeats import channel_trouble
from engine.storage.unit_of_work import ClubSession
from mailers.queue import outbox, prepared
from mailers.queue.worker import DeliveryWorker
from mailers.smtp.reply import RETRY_AFTER, TOO_FAST, USED_UP_AFTER
from tests.club import LILEI, MEIMEI, OWNER, House
from tests.mailers.scripted import Scripted

pytestmark = pytest.mark.postgres


class Standing:
    """A clock that a test moves."""

    def __init__(self, house: House) -> None:
        self.house = house

    def now(self) -> datetime:
        return self.house.now


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.stop()


def post(house: House, server: Scripted) -> DeliveryWorker:
    return DeliveryWorker(house.db, house.composer, server.server(), Standing(house))


def test_a_worker_sends_everything_over_one_connection(house: House, server: Scripted) -> None:
    for number in range(45):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    worker = post(house, server)
    assert worker.deliver() == 45
    assert (
        server.connections,
        len(server.mails),
        {letter.state for letter in house.letters()},
    ) == (1, 45, {"sent"})
    assert worker.deliver() == 0


def test_a_server_in_trouble_is_left_alone_shown_and_tried_again(
    house: House, server: Scripted
) -> None:
    house.apply()
    house.apply(MEIMEI, "form-2")
    server.replies["GREET"] = b"421 too busy\r\n"
    worker = post(house, server)
    assert worker.deliver() == 0
    assert {(letter.state, letter.attempts) for letter in house.letters()} == {("queued", 0)}
    with house.db.read() as session:
        trouble = channel_trouble(session)
        assert trouble is not None
        assert (trouble.answer, trouble.since) == ("connect: 421 too busy", house.now)
    assert (worker.deliver(), post(house, server).deliver(), server.connections) == (0, 0, 1)
    server.replies.clear()
    house.now += timedelta(seconds=5)
    assert worker.deliver() == 2
    with house.db.read() as session:
        assert channel_trouble(session) is None


def test_a_server_that_stays_in_trouble_is_tried_less_and_less_often_but_every_minute(
    house: House, server: Scripted
) -> None:
    house.apply()
    server.replies["GREET"] = b"421 too busy\r\n"
    worker, waits = post(house, server), []
    for _ in range(7):
        worker.deliver()
        with house.db.read() as session:
            trouble = channel_trouble(session)
        assert trouble is not None
        waits.append((trouble.next_try - house.now).total_seconds())
        house.now = trouble.next_try
    assert waits == [5, 10, 20, 40, 60, 60, 60]


def test_a_login_that_fails_is_tried_every_quarter_of_an_hour(
    house: House, server: Scripted
) -> None:
    house.apply()
    server.replies |= {"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 no\r\n"}
    worker = DeliveryWorker(
        house.db,
        house.composer,
        MailServer("smtp", "127.0.0.1", server.port, "club@qq.com", "x"),
        Standing(house),
    )
    for minutes, connections in ((0, 1), (14, 1), (1, 2)):
        house.now += timedelta(minutes=minutes)
        worker.deliver()
        assert server.connections == connections


def test_an_account_that_has_sent_all_it_may_waits_and_loses_nothing(
    house: House, server: Scripted
) -> None:
    for number in range(5):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    server.replies["DOT"] = b"554 MI:STC 163 smtp1\r\n"
    worker = post(house, server)
    for _ in range(30):  # for longer than a day; each hour one letter asks
        worker.deliver()
        house.now += USED_UP_AFTER
    assert {(letter.state, letter.attempts) for letter in house.letters()} == {("queued", 0)}
    assert len(server.mails) == 30
    server.replies.clear()
    assert worker.deliver() == 5


def test_when_one_letter_after_the_other_is_told_to_slow_down_the_rest_need_not_ask(
    house: House, server: Scripted
) -> None:
    for number in range(10):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    server.replies["DOT"] = b"550 Sender frequency limited\r\n"
    worker = post(house, server)
    worker.deliver()
    assert (len(server.mails), [letter.attempts for letter in house.letters()]) == (
        3,
        [1, 1, 1] + [0] * 7,
    )
    with house.db.read() as session:
        trouble = channel_trouble(session)
    assert trouble is not None and (trouble.answer, trouble.next_try) == (
        "dot: 550 Sender frequency limited",
        house.now + TOO_FAST,
    )
    house.now += TOO_FAST
    assert (worker.deliver(), len(server.mails)) == (0, 4)
    server.replies.clear()
    house.now += TOO_FAST
    assert worker.deliver() == 10


def test_a_server_that_passes_nothing_on_without_a_login_is_the_account_s_trouble(
    house: House, server: Scripted
) -> None:
    for number in range(6):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    server.replies["RCPT"] = b"554 5.7.1 Relay access denied\r\n"
    worker = post(house, server)
    assert (worker.deliver(), sorted(letter.attempts for letter in house.letters())) == (
        0,
        [0, 0, 0, 1, 1, 1],
    )
    with house.db.read() as session:
        trouble = channel_trouble(session)
    assert trouble is not None and trouble.answer == "recipient: 554 5.7.1 Relay access denied"
    server.replies.clear()
    house.now += TOO_FAST
    assert worker.deliver() == 6


def test_a_clock_that_was_moved_back_does_not_silence_the_post(
    house: House, server: Scripted
) -> None:
    house.apply()
    server.replies["GREET"] = b"421 too busy\r\n"
    house.now += timedelta(days=30)
    post(house, server).deliver()
    server.replies.clear()
    house.now -= timedelta(days=30)
    assert post(house, server).deliver() == 1


def test_a_letter_at_which_the_server_always_hangs_up_steps_behind_the_others_and_ends(
    house: House, server: Scripted
) -> None:
    """A 421 at RCPT may speak of the whole line or of this recipient alone."""
    house.apply(LILEI)
    house.apply(MEIMEI, "form-2")
    server.replies["RCPT"] = lambda: (
        b"421 4.7.28 closing\r\n" if LILEI in server.commands[-1] else b"250 fine\r\n"
    )
    worker = post(house, server)
    assert worker.deliver() == 0
    house.now += timedelta(seconds=5)
    assert worker.deliver() == 1
    while worker.deliver() == 0 and house.letters()[0].state == "queued":
        house.now = house.letters()[0].next_at + timedelta(minutes=1)
    assert [(letter.state, letter.attempts) for letter in house.letters()] == [
        ("failed", len(RETRY_AFTER) + 1),
        ("sent", 1),
    ]


def test_one_refused_letter_does_not_hold_the_others(house: House, server: Scripted) -> None:
    house.apply(LILEI)
    house.apply(MEIMEI, "form-2")
    answers = iter([b"550 5.1.1 user unknown\r\n", b"250 fine\r\n"])
    server.replies["RCPT"] = lambda: next(answers)
    assert post(house, server).deliver() == 1
    assert sorted(letter.state for letter in house.letters()) == ["failed", "sent"]


def test_a_letter_whose_row_cannot_be_read_fails_alone(
    house: House, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = prepared.with_their_people

    def unreadable(session: ClubSession, ids: Sequence[int]) -> object:
        if broken in ids:
            raise ValueError("Expecting ',' delimiter")
        return real(session, ids)

    house.apply()
    house.apply(MEIMEI, "form-2")
    broken = house.letters()[0].id
    monkeypatch.setattr(prepared, "with_their_people", unreadable)
    assert post(house, server).deliver() == 1
    assert [(letter.state, letter.answer) for letter in house.letters()] == [
        ("failed", "compose: ValueError: Expecting ',' delimiter"),
        ("sent", "dot: 250 taken"),
    ]


def test_a_worker_that_is_stopped_gives_its_letters_back(house: House, server: Scripted) -> None:
    for number in range(5):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    worker = post(house, server)

    def stop() -> bytes:
        worker.stop()
        return b"250 taken\r\n"

    server.replies["DOT"] = stop
    assert worker.deliver() == 1
    assert sorted(letter.state for letter in house.letters()) == ["queued"] * 4 + ["sent"]
    assert [letter.lease_until for letter in house.letters()] == [None] * 5


def test_what_the_server_said_is_kept_until_the_database_takes_it(
    house: House, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a restart just then: the mail is with the server, and must not go again."""
    real, refused = outbox.record_reply_and_store_next, iter([True, True])

    def full(*given: Any) -> Any:
        if next(refused, False):
            raise OperationalError("UPDATE", {}, OSError("disk full"))
        return real(*given)

    monkeypatch.setattr(outbox, "record_reply_and_store_next", full)
    monkeypatch.setattr("mailers.queue.worker.SETTLE_AGAIN", 0)
    house.apply()
    house.apply(MEIMEI, "form-2")
    assert post(house, server).deliver() == 2
    assert [(letter.state, letter.maybe_twice) for letter in house.letters()] == [
        ("sent", False)
    ] * 2


def test_leases_are_renewed_while_a_slow_server_takes_its_time(
    house: House, server: Scripted
) -> None:
    house.apply()
    worker = DeliveryWorker(
        house.db, house.composer, server.server(), Standing(house), lease=timedelta(seconds=1)
    )
    seen = []

    def slow() -> bytes:
        worker.lease = timedelta(hours=2)
        worker.renew_leases()
        seen.extend(letter.lease_until for letter in house.letters())
        return b"250 taken\r\n"

    server.replies["DOT"] = slow
    assert worker.deliver() == 1
    assert seen[0] > machine_now() + timedelta(hours=1)


def test_two_workers_send_each_letter_once(house: House, server: Scripted) -> None:
    for number in range(40):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    workers = [Thread(target=post(house, server).deliver) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(server.mails) == 40
    assert {(letter.state, letter.attempts) for letter in house.letters()} == {("sent", 1)}
    assert OWNER not in str(server.commands)


def test_a_batch_that_cannot_be_composed_ahead_is_composed_one_by_one(
    house: House, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("unreadable")

    monkeypatch.setattr("mailers.queue.worker.prepare_ahead", broken)
    house.apply()
    house.apply(MEIMEI, "form-2")
    assert post(house, server).deliver() == 2
    assert {letter.state for letter in house.letters()} == {"sent"}
