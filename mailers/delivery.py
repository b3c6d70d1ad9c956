"""The post's round: claim, freeze, hand over, settle; one commit between two mails."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from engine.clock import Clock, machine_now
from engine.db import Database
from engine.heartbeats import channel_trouble, note_channel
from engine.settings import MailServer
from mailers import outbox
from mailers.compose import Composer
from mailers.drafts import Claimed, Draft, drafts
from mailers.outbox import Frozen
from mailers.post import Channel
from mailers.verdict import CHANNEL_AFTER, Answer

BATCH = 20
# How long a mail that was composed ahead may wait for its turn.
FRESH = timedelta(seconds=1)
LEASE = timedelta(seconds=30)
# Measured limit of these providers for one sender.
_PACED = {"smtp.qq.com": 3.0, "smtp.exmail.qq.com": 3.0, "smtp.163.com": 3.0, "smtp.126.com": 3.0}


class Post:
    """Sends what is due over one kept channel. Any number of processes may each have one."""

    def __init__(self, db: Database, composer: Composer, server: MailServer, clock: Clock, *, lease: timedelta = LEASE) -> None:
        self.db, self.composer, self.clock, self.lease = db, composer, clock, lease
        self.channel = Channel(server, composer.sender)
        self.pace = _PACED.get(server.host, 0.0)
        self.stopping = threading.Event()
        self._held: list[Claimed] = []
        self._in_trouble = True  # until the first mail: it clears what an earlier process left behind

    def deliver(self) -> int:
        """Send until nothing is due or the channel is in trouble. Returns how many letters the server took."""
        if self._resting():
            return 0
        sent = 0
        while not self.stopping.is_set():
            self._held = self.db.write(outbox.claim, self.clock.now(), self._lease_end(), BATCH)
            if not self._held:
                break
            taken, healthy = self._send_held()
            sent += taken
            if not healthy:
                break
        return sent

    def renew_leases(self) -> None:
        """To be called well within the lease while letters are held: a slow server is no dead worker."""
        held = list(self._held)
        if held:
            self.db.write(outbox.extend_leases, held, self._lease_end())

    def stop(self) -> None:
        """Finish the mail at hand, give the others back."""
        self.stopping.set()

    def _send_held(self) -> tuple[int, bool]:
        sent, settled = 0, True
        ahead = self._compose_ahead()
        fresh_until = machine_now() + FRESH
        while self._held and settled and not self.stopping.is_set():
            draft = ahead.get(self._held[0]) if machine_now() < fresh_until else None
            frozen = self.db.write(outbox.freeze, self._held[0], self.composer, self.clock.now(), self._lease_end(), draft)
            if frozen is not None:
                answer = self.channel.hand_over(frozen.recipient, frozen.content)
                settled = self._settle(frozen, answer)
                sent += answer.phase == "dot" and 200 <= answer.code < 300
                self.stopping.wait(self.pace)
            self._held = self._held[1:]
        if self._held:
            self.db.write(outbox.release, self._held)
            self._held = []
        return sent, settled

    def _compose_ahead(self) -> dict[Claimed, Draft]:
        """Not where the channel is paced: there a draft would be old before its turn came."""
        if self.pace:
            return {}
        with self.db.read() as session:
            return drafts(session, self._held, self.composer, self.clock.now())

    def _settle(self, frozen: Frozen, answer: Answer) -> bool:
        """False when the channel itself is in trouble and must rest."""
        now = self.clock.now()
        verdict = self.db.write(outbox.settle, frozen.claimed, answer, now)
        if verdict.kind == "channel":
            self.db.write(note_channel, str(answer), (verdict.wait,) if verdict.wait else CHANNEL_AFTER, now)
            self._in_trouble = True
            return False
        if self._in_trouble:
            self.db.write(note_channel, "", CHANNEL_AFTER, now)
            self._in_trouble = False
        return True

    def _resting(self) -> bool:
        with self.db.read() as session:
            trouble = channel_trouble(session)
        now = self.clock.now()
        return trouble is not None and now < trouble.next_try <= now + timedelta(hours=1)  # further: the clock went back

    def _lease_end(self) -> datetime:
        return machine_now() + self.lease
