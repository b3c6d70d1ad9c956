"""A server that refuses one letter after another, never answers, or is slow: who waits, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from engine.outbox.delivery_log import release, release_all, take_for_arrived
from engine.storage.heartbeats import channel_trouble
from mailers.smtp.reply import TOO_FAST, USED_UP_AFTER
from tests.club import LILEI, MEIMEI, House
from tests.mail import parse
from tests.mailers.scripted import CLOSE, Scripted
from tests.mailers.test_delivery import post


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.stop()


def applicants(house: House, number: int) -> None:
    for who in range(number):
        house.apply(f"a{who}@qq.com", f"form-{who}")


def resting_until(house: House) -> datetime | None:
    with house.db.read() as session:
        trouble = channel_trouble(session)
    return trouble.next_try if trouble else None


DAILY_LIMIT = b"550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients\r\n"


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "DOT"])
def test_d2_a_daily_limit_in_any_phase_is_asked_for_once_and_fails_nobody(
    house: House, server: Scripted, command: str
) -> None:
    applicants(house, 30)
    server.replies[command] = DAILY_LIMIT
    worker = post(house, server)
    assert worker.deliver() == 0
    asked = [line for line in server.commands if line.startswith("mail ")]
    assert (len(asked), {(letter.state, letter.attempts) for letter in house.letters()}) == (
        1,
        {("queued", 0)},
    )
    assert resting_until(house) == house.now + USED_UP_AFTER
    server.replies.clear()
    house.now += USED_UP_AFTER
    assert worker.deliver() == 30


REFUSALS = [
    b"550 5.7.1 We do not like you\r\n",
    b"554 no more\r\n",
    "550 域名异常\r\n".encode(),
    b"451 4.3.0 not now\r\n",
]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("command", ["RCPT", "DATA", "DOT"])
def test_d2_a_burst_of_alike_refusals_rests_the_account_whatever_it_says(
    house: House, server: Scripted, command: str, refusal: bytes
) -> None:
    applicants(house, 30)
    server.replies[command] = refusal
    worker = post(house, server)
    assert worker.deliver() == 0
    assert [letter.attempts for letter in house.letters()] == [1, 1, 1] + [0] * 27
    assert {letter.state for letter in house.letters()} == {"queued"}
    assert resting_until(house) is not None
    server.replies.clear()
    house.now += TOO_FAST
    assert worker.deliver() + worker.deliver() == 30
    assert resting_until(house) is None


def test_d2_some_letters_that_are_refused_do_not_hold_up_the_others(
    house: House, server: Scripted
) -> None:
    """Three of the same bad content in a row look like the account's; the next letter shows that it
    is not."""
    applicants(house, 6)
    server.replies["RCPT"] = lambda: (
        b"250 fine\r\n" if "a5@" in server.commands[-1] else b"550 5.7.1 spam\r\n"
    )
    worker = post(house, server)
    for _ in range(400):
        worker.deliver()
        house.now += TOO_FAST
    letters = {letter.state for letter in house.letters()[:5]}
    assert (letters, house.letters()[5].state, house.letters()[5].attempts) == (
        {"failed"},
        "sent",
        1,
    )


def test_d2_one_bad_address_after_the_other_is_no_burst(house: House, server: Scripted) -> None:
    applicants(house, 8)
    server.replies["RCPT"] = b"550 5.1.1 user unknown\r\n"
    assert post(house, server).deliver() == 0
    assert ({letter.state for letter in house.letters()}, resting_until(house)) == (
        {"failed"},
        None,
    )


def test_d2_one_letter_that_is_refused_again_and_again_is_no_burst(
    house: House, server: Scripted
) -> None:
    house.apply()
    server.replies["RCPT"] = b"451 4.3.0 not now\r\n"
    worker = post(house, server)
    for _ in range(5):
        worker.deliver()
        house.now = house.letters()[0].next_at
    assert (house.letters()[0].attempts, resting_until(house)) == (5, None)


@pytest.mark.parametrize("reply", [CLOSE, b"354 go on\r\n", b"\x00\x00\r\n"])
def test_d3_a_letter_that_is_taken_without_an_answer_twice_rests_and_is_asked_for(
    house: House, server: Scripted, reply: bytes | None
) -> None:
    house.apply()
    server.replies["DOT"] = reply
    worker = post(house, server)
    for _ in range(40):
        worker.deliver()
        house.now += timedelta(hours=6)
    letter = house.letters()[0]
    assert (len(server.mails), letter.state, letter.data["unanswered"], letter.maybe_twice) == (
        2,
        "held",
        2,
        True,
    )
    assert server.mails[0] == server.mails[1]
    assert house.db.write(release_all, house.now) == 0
    assert house.db.write(release, house.club_id, letter.id, house.now)
    for _ in range(2):
        worker.deliver()
    assert (len(server.mails), house.letters()[0].data["unanswered"]) == (3, 3)
    assert house.db.write(take_for_arrived, house.club_id, letter.id, house.now)
    assert (
        house.letters()[0].state,
        house.db.write(take_for_arrived, house.club_id, letter.id, house.now),
    ) == ("sent", False)


def test_d3_a_server_that_never_answers_does_not_get_two_copies_of_everything(
    house: House, server: Scripted
) -> None:
    applicants(house, 20)
    server.replies["DOT"] = CLOSE
    worker = post(house, server)
    worker.deliver()
    assert (len(server.mails), resting_until(house)) == (3, house.now + TOO_FAST)


class Slow:
    """A server's answer that takes its time, while somebody asks for something."""

    def __init__(self, meanwhile: Callable[[], None], at: int) -> None:
        self.meanwhile, self.left = meanwhile, at

    def __call__(self) -> bytes:
        self.left -= 1
        if self.left == 0:
            self.meanwhile()
        return b"250 taken\r\n"


def test_d14_what_somebody_waits_for_overtakes_between_two_mails(
    house: House, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mailers.queue.worker.CLAIM_SECONDS", 0
    )  # every mail takes longer than a claim may
    house.bring("姓名,邮箱\n" + "\n".join(f"张{who},b{who}@qq.com" for who in range(30)))
    server.replies["DOT"] = Slow(house.apply, at=2)
    assert post(house, server).deliver() == 31
    letters = [parse(mail)["X-Jiuniu-Letter"] for mail in server.mails]
    assert letters.index("join.confirm_address") == 2


def test_d14_a_confirmation_overtakes_what_follows_an_act(house: House, server: Scripted) -> None:
    house.apply(MEIMEI)
    house.press(MEIMEI, "confirm", MEIMEI)
    house.apply(LILEI, "form-2")
    post(house, server).deliver()
    assert [parse(mail)["X-Jiuniu-Letter"] for mail in server.mails] == [
        "join.confirm_address",
        "join.please_decide",
    ]


def test_d14_on_a_paced_channel_one_mail_is_claimed_at_a_time(
    house: House, server: Scripted
) -> None:
    house.bring("姓名,邮箱\n" + "\n".join(f"张{who},b{who}@qq.com" for who in range(5)))
    worker = post(house, server)
    worker.pace = 0.01
    server.replies["DOT"] = Slow(house.apply, at=1)
    assert worker.deliver() == 6
    assert parse(server.mails[1])["X-Jiuniu-Letter"] == "join.confirm_address"
