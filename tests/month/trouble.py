"""The failures of a month: mail server, worker, processes; and a stranger who tries old links."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

from mailers.queue.worker import DeliveryWorker
from mailers.smtp.reply import SmtpReply

if TYPE_CHECKING:
    from tests.month.life import Life


class Crash(BaseException):
    """A process died here."""


def things_break(life: Life) -> None:
    """The mail server refuses connections, then every recipient; a process dies between two lines;
    the owner travels."""
    down, up = life.plan.span(life.plan.mail_down)
    life.at(down, partial(server_dies, life))
    life.at(down + (up - down) / 2, partial(server_sulks, life))
    life.at(up, life.world.sink.replies.clear)
    life.at(life.plan.at(life.plan.crash), lambda: process_dies(life, after_dot=False))
    life.at(life.plan.at(life.plan.crash + 0.03), lambda: process_dies(life, after_dot=True))
    life.at(life.plan.at(life.plan.owner_away[0]), partial(owner_leaves, life))
    for _ in range(life.plan.members):
        life.at(life.plan.at(life.dice.uniform(0.1, 1)), partial(somebody_pokes, life))


def server_dies(life: Life) -> None:
    life.world.sink.controller.stop()


def server_sulks(life: Life) -> None:
    sink = life.world.sink
    sink.controller = Controller(sink, hostname="127.0.0.1", port=sink.controller.port)
    sink.controller.start()
    sink.replies["RCPT"] = "451 4.3.2 not now"


def process_dies(life: Life, *, after_dot: bool) -> None:
    """A second process claims what is due, and dies before it has handed over, or before it has
    written that down."""
    service = life.world.service
    assert service.mail_server is not None
    for club in life.clubs:  # something is to be sent
        for who in [
            who for who in life.addressed.values() if who.club == club.slug and who.rank == "member"
        ][:2]:
            life.hands.ask_for_link(who, "new-name")
    post = DeliveryWorker(
        service.db, service.composer, service.mail_server, service.clock, lease=timedelta(0)
    )
    whole = post.channel.hand_over

    def hand_over(recipient: str, content: bytes) -> SmtpReply:
        if after_dot:
            whole(recipient, content)
        raise Crash

    post.channel.hand_over = hand_over  # type: ignore[method-assign]
    try:
        post.deliver()
    except Crash:
        post.channel.close()
        life.hands.pressed["crashed"] = life.hands.pressed.get("crashed", 0) + 1
    life.tick()


def owner_leaves(life: Life) -> None:
    owner = life.addressed[("jiuniu", life.clubs[0].owner)]
    until = life.plan.at(life.plan.owner_away[1]).date()
    owner.wishes["desk"] = {"until": until.isoformat()}
    life.hands.ask_for_link(owner, "desk")


def somebody_pokes(life: Life) -> None:
    with_links = [who for who in life.addressed.values() if who.links]
    if not with_links:
        return
    theirs, who = life.dice.choice(with_links), life.dice.choice(with_links)
    way = life.dice.choice(("GET", "HEAD", "OPTIONS", "POST", "own"))
    if way == "own":
        members = [who for who in with_links if who.rank == "member"]
        who = theirs = life.dice.choice(members) if members else who
        if who.decides:
            return
    life.hands.poke(who, life.dice.choice(theirs.links), way)
