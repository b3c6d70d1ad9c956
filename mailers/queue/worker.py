"""The delivery cycle: claim, compose ahead, store, hand over, settle.

One commit between two mails.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.operations.database_clock import DatabaseClock
from engine.settings import MailServer
from engine.storage.database import Database, database_unavailable, lost_race
from engine.storage.heartbeats import channel_trouble, note_channel
from mailers.account.providers import PACED
from mailers.letters.compose import Composer
from mailers.queue import outbox
from mailers.queue.prepared import (
    Claimed,
    OutgoingMail,
    PreparedBatch,
    PreparedMail,
    prepare_ahead,
    store_prepared,
)
from mailers.smtp.connection import SmtpConnection, ehlo_name
from mailers.smtp.reply import CHANNEL_AFTER, TOO_FAST, SmtpReply, Verdict, is_unanswered, likeness

log = logging.getLogger(__name__)

BATCH = 20
# How long a claim is worked on, in seconds. Then newer letters get a chance: a sign-in link
# overtakes sixty welcomes on a slow server.
CLAIM_SECONDS = 1.0
LEASE = timedelta(seconds=30)
# After this many letters in a row with the same reply it is the account's, whatever it says, and
# the others need not ask.
ALIKE_IN_A_ROW = 3
# How long to wait for a database that takes nothing, in seconds.
SETTLE_AGAIN = 1.0


class DeliveryWorker:
    """A worker that sends what is due over one kept connection.

    Any number of processes may each have one.
    """

    def __init__(
        self,
        db: Database,
        composer: Composer,
        server: MailServer,
        clock: Clock,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self.db = db
        self.composer = composer
        self.clock = clock
        self.lease = lease
        self.channel = SmtpConnection(
            server, composer.sender, name=ehlo_name(composer.links.base_url)
        )
        self.pace = PACED.get(server.host, 0.0)
        self.database_clock = DatabaseClock(db)
        self.stopping = threading.Event()
        self._held: list[Claimed] = []
        self._claim_until = 0.0
        self._alike_in, self._alike = (
            "",
            dict[Claimed, None](),
        )  # The last reply, and the letters that got it.
        self._in_trouble = (
            True  # Until the first mail: it clears what an earlier process left behind.
        )

    def deliver(self) -> int:
        """Send until nothing is due or the channel is in trouble; return how many were sent."""
        if self._resting():
            return 0
        sent = 0
        while not self.stopping.is_set():
            self.database_clock.measure()
            size = 1 if self.pace else BATCH
            self._held = self.db.write(outbox.claim, self.clock.now(), self._lease_end(), size)
            self._claim_until = time.monotonic() + CLAIM_SECONDS
            if not self._held:
                break
            taken, healthy = self._send_held()
            sent += taken
            if not healthy:
                break
        return sent

    def renew_leases(self) -> None:
        """Renew the leases of claimed letters, so that a slow server is no dead worker.

        To be called well within the lease.
        """
        held = list(self._held)
        if held:
            self.db.write(outbox.extend_leases, held, self._lease_end())

    def stop(self) -> None:
        """Finish the mail in transmission, and release the others."""
        self.stopping.set()

    def _send_held(self) -> tuple[int, bool]:
        sent = 0
        healthy = True
        frozen = None
        first = True
        ahead = self._prepare_ahead()
        while self._held and (frozen or (healthy and self._may_go_on(first))):
            first = False
            frozen = frozen or self._freeze(self._held[0], ahead)
            if frozen is not None:
                answer = self.channel.hand_over(frozen.recipient, frozen.content)
                healthy, frozen = self._settle(frozen, answer, self._next_of(ahead))
                sent += answer.phase == "dot" and 200 <= answer.code < 300
                self.stopping.wait(self.pace)
            self._held = self._held[1:]
        if self._held:
            self.db.write(outbox.release, self._held)
            self._held = []
        return sent, healthy

    def _may_go_on(self, first: bool = False) -> bool:
        """True if the next letter of this claim may begin.

        The first one may, however long its composing took.
        """
        return not self.stopping.is_set() and (first or time.monotonic() < self._claim_until)

    def _prepare_ahead(self) -> PreparedBatch:
        """Compose the claim's letters ahead.

        Not on a paced channel: there a prepared mail would be old before its turn.
        """
        if self.pace:
            return PreparedBatch()
        try:
            with self.db.read() as session:
                return prepare_ahead(session, self._held, self.composer, self.clock.now())
        except Exception:  # One unreadable row among them: each is composed on its own.
            log.exception("a batch of letters could not be composed ahead")
            return PreparedBatch()

    def _freeze(self, claimed: Claimed, ahead: PreparedBatch) -> OutgoingMail | None:
        draft = ahead.of(claimed)
        kept = self.db.write(store_prepared, draft, self._lease_end()) if draft else None
        if kept:
            return kept
        try:
            return self.db.write(
                outbox.prepare_and_store,
                claimed,
                self.composer,
                self.clock.now(),
                self._lease_end(),
            )
        except Exception as fault:  # A row that cannot even be read: the others behind it go on.
            if database_unavailable(fault) or lost_race(fault):
                raise
            log.exception(
                "letter %s of club %s cannot be frozen", claimed.letter_id, claimed.club_id
            )
            self.db.write(
                outbox.give_up,
                claimed,
                f"compose: {type(fault).__name__}: {fault}",
                self.clock.now(),
            )
            return None

    def _next_of(self, ahead: PreparedBatch) -> PreparedMail | None:
        """Return the next prepared mail, None if the post is to stop, or may have to."""
        may_go_on = len(self._held) > 1 and not self._alike and self._may_go_on()
        return ahead.of(self._held[1]) if may_go_on else None

    def _settle(
        self, frozen: OutgoingMail, answer: SmtpReply, following: PreparedMail | None
    ) -> tuple[bool, OutgoingMail | None]:
        """Settle the letter; return False if the channel must wait, and the next stored mail."""
        now = self.clock.now()
        verdict, kept = self._write_down(frozen, answer, now, following)
        if verdict.kind == "sent":
            self._alike.clear()
        if verdict.kind == "channel":
            self._rest(answer, verdict.wait, now)
            return False, None
        if self._is_burst(frozen.claimed, answer):
            gentle = answer.code < 500 and verdict.kind != "slower" and not is_unanswered(answer)
            self.db.write(outbox.put_back, list(self._alike), now)
            self._rest(answer, None if gentle else TOO_FAST, now)
            return False, None
        if self._in_trouble and (verdict.kind == "sent" or not self._alike):
            self.db.write(note_channel, "", CHANNEL_AFTER, now)
            self._in_trouble = False
        return True, kept

    def _is_burst(self, claimed: Claimed, answer: SmtpReply) -> bool:
        """True if this letter and those before it were all refused in the same words."""
        what = likeness(answer) or ""
        if what != self._alike_in:
            self._alike_in, self._alike = what, {}
        if what:
            self._alike[claimed] = None
        return len(self._alike) >= ALIKE_IN_A_ROW

    def _rest(self, answer: SmtpReply, wait: timedelta | None, now: datetime) -> None:
        """Back off from the server, and store why for the desk and every process."""
        if not self.stopping.is_set():  # Else we may have cut the line ourselves.
            self.db.write(note_channel, str(answer), (wait,) if wait else CHANNEL_AFTER, now)
        self._in_trouble = True

    def _write_down(
        self, frozen: OutgoingMail, answer: SmtpReply, now: datetime, following: PreparedMail | None
    ) -> tuple[Verdict, OutgoingMail | None]:
        """Store the reply, retrying until the database takes it.

        It is known here alone: a sent mail would go again.
        """
        while True:
            try:
                return self.db.write(
                    outbox.record_reply_and_store_next,
                    frozen.claimed,
                    answer,
                    now,
                    following,
                    self._lease_end(),
                )
            except Exception as trouble:
                if not database_unavailable(trouble) or self.stopping.wait(SETTLE_AGAIN):
                    raise
                log.error("the answer to a letter cannot be written down yet: %s", trouble)

    def _resting(self) -> bool:
        with self.db.read() as session:
            trouble = channel_trouble(session)
        now = self.clock.now()
        return trouble is not None and now < trouble.next_try <= now + timedelta(
            hours=1
        )  # Further: the clock went back.

    def _lease_end(self) -> datetime:
        return self.database_clock.now() + self.lease
