"""``python -m tests.faults [SECONDS [SEED]]``: letters under random faults, until the time is up.

Ends with status 1 where a letter was lost, or arrived twice without its mark.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from datetime import timedelta

import workflows  # noqa: F401  (makes the club's rules known)
from engine.outbox.delivery_log import release
from engine.outbox.queue import UNCERTAIN
from engine.settings import MailServer
from mailers.queue.worker import DeliveryWorker
from tests import databases
from tests.club import House
from tests.faults.proxy import Proxy
from tests.faults.smtp import FAULTS
from tests.mail import parse
from tests.mailers.scripted import Scripted
from tests.mailers.test_delivery import Standing

LETTERS_A_ROUND = 20


def main(seconds: float, seed: int) -> int:
    """Run rounds of letters and faults; print what came of them. Returns the exit status."""
    chance = random.Random(seed)
    house, server = House(databases.databases("sqlite")), Scripted()
    proxy = Proxy(server.port)
    post = DeliveryWorker(
        house.db,
        house.composer,
        MailServer("smtp", "127.0.0.1", proxy.port, "", ""),
        Standing(house),
    )
    rounds, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        rounds += 1
        for number in range(LETTERS_A_ROUND):
            house.apply(f"a{rounds}-{number}@qq.com", f"form-{rounds}-{number}")
        fault = chance.choice(FAULTS)
        server.replies = dict(fault.replies)
        proxy.cut_after = chance.choice([None, None, chance.randrange(5_000)])
        post.deliver()
        house.now += timedelta(minutes=chance.randrange(1, 20))
    server.replies, proxy.cut_after = {}, None
    settle(house, post)
    return report(house, server, rounds, seed)


def settle(house: House, post: DeliveryWorker) -> None:
    """Let everything leave by a server that works; the owner sends again what is uncertain."""
    for _ in range(60):
        post.channel.close()
        post.deliver()
        house.now += timedelta(hours=2)
        for letter in house.letters():
            if letter.state == "held" and letter.answer.startswith(UNCERTAIN):
                house.db.write(release, house.club_id, letter.id, house.now)


def report(house: House, server: Scripted, rounds: int, seed: int) -> int:
    """Print the figures; 1 where a promise was broken. The server's copies include refused ones."""
    ours = {f"<{letter.message_id}@jiuniu.example>": letter for letter in house.letters()}
    # A mail that was cut in the middle never ended, so it is none.
    copies = Counter(
        str(message["Message-ID"])
        for message in map(parse, server.mails)
        if message["Message-ID"] in ours
    )
    states = Counter(str(letter.state) for letter in ours.values())
    unmarked = [key for key, letter in ours.items() if copies[key] > 1 and not letter.attempts > 1]
    lost = [key for key, letter in ours.items() if letter.state == "sent" and not copies[key]]
    print(f"{rounds} rounds, {len(ours)} letters, seed {seed}: {dict(states)}")  # noqa: T201
    print(f"copies {sum(copies.values())}, lost {len(lost)}, unmarked {len(unmarked)}")  # noqa: T201
    return 1 if lost or unmarked or states["queued"] or states["held"] else 0


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv[1:]))
    sys.exit(main(float(arguments.get(0, 600)), int(arguments.get(1, 0))))
