"""What became of a letter, and whether mail leaves at all: told the same on every page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailers.smtp.connection import SmtpConnection
from mailers.smtp.reply import SmtpReply
from tests.world import World

LILEI, OWNER = "lilei@qq.com", "owner@qq.com"
DESK = "/jiuniu/desk"
LETTERS = f"{DESK}/letters"
LOST = SmtpReply("dot", 0, "SMTPServerDisconnected: Connection unexpectedly closed")


def server_says(monkeypatch: pytest.MonkeyPatch, answer: SmtpReply) -> None:
    monkeypatch.setattr(SmtpConnection, "hand_over", lambda *_: answer)


@pytest.mark.parametrize("action", ["arrived", "release"])
def test_d3_a_letter_that_nobody_answered_for_rests_and_the_owner_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    owner = world.sign_in(OWNER)
    world.apply()
    with monkeypatch.context() as patched:
        server_says(patched, LOST)
        for _ in range(20):
            world.pass_time(minutes=30)
    [row] = world.ledger(letter="join.confirm_address")
    assert (row["state"], row["attempts"], row["answer"]) == ("held", 2, f"uncertain: {LOST}")
    assert "多半已经送到的信：请问问对方，再选一下 1" in owner.get(DESK).text
    page = owner.get(f"{LETTERS}?kind=held")
    assert "多半已经送到 2 次" in page.text and LOST.text in page.text
    done = page.press(action)
    world.tick()
    copies = [mail.letter for mail in world.mails].count("join.confirm_address")
    assert (world.ledger(letter="join.confirm_address")[0]["state"], copies) == (
        "sent",
        0 if action == "arrived" else 1,
    )
    assert ("记下了" in done.text) == (action == "arrived")
    assert "多半已经送到" not in owner.get(DESK).text


def test_d3_the_daily_letter_asks_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.join()
    with monkeypatch.context() as patched:
        server_says(patched, LOST)
        world.live_until(world.now + timedelta(hours=21), step=timedelta(minutes=30))
    world.live_until(world.now + timedelta(days=1))
    assert "没有回答，多半已经送到" in world.mail("club.daily", OWNER).text


def test_b16_a_greylisted_letter_is_told_as_what_it_is(world: World) -> None:
    owner = world.sign_in(OWNER)
    world.sink.replies["RCPT"] = "451 4.7.1 Greylisted, try again later"
    world.apply()
    world.tick()
    page = owner.get(f"{LETTERS}?kind=waiting")
    assert "灰名单" in page.text and "发得太多" not in page.text
    world.sink.replies.clear()
    world.pass_time(minutes=6)
    assert [row["state"] for row in world.ledger(letter="join.confirm_address")] == ["sent"]
