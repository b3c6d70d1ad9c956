"""The background jobs, called by APScheduler; the rows say what is due.

Any number of processes may tick: rows are claimed, so each effect happens once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from engine.cases.drafts import forget_old_drafts
from engine.cases.erasure import BYTES_KEPT, forget_bytes
from engine.cases.member_links import (
    forget_ended_sessions,
    forget_known_browsers,
    forget_spent_links,
)
from engine.clock import machine_now
from engine.operations.database_clock import host_name
from engine.operations.mail_account import Outgoing, reencrypt
from engine.scheduler.recurring import open_due
from engine.scheduler.schedules import plan_every_club
from engine.scheduler.sweep import LONGEST, forget_old, sweep, wake_unscheduled
from engine.security.rate_limits import delete_old_rates
from engine.storage.heartbeats import beat, note_channel, note_skew
from mailers.queue.outbox import requeue_expired_leases
from mailers.queue.worker import DeliveryWorker
from web.app.services import Services

log = logging.getLogger(__name__)

TICK_SECONDS = 2
LEASE_SECONDS = 5
HOUSEKEEPING_SECONDS = 3600
# How long a stop waits for a slow mail server.
STOP_SECONDS = 15.0


class Ticker:
    """The sweep, openings, post and housekeeping of one process."""

    def __init__(self, service: Services) -> None:
        self.service = service
        self.post: DeliveryWorker | None = None
        self._way: Outgoing | None = None
        self._letters = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        self.service.db.write(plan_every_club, self.service.clock.now())
        self._every(TICK_SECONDS, self.tick_sweep, "sweep")
        self._every(TICK_SECONDS, self.tick_post, "post")
        self._every(LEASE_SECONDS, self.tick_leases, "leases")
        self._every(HOUSEKEEPING_SECONDS, self.tick_housekeeping, "housekeeping")
        self.service.db.on_letters = lambda count: self.wake_post()
        self._scheduler.start()

    def stop(self) -> None:
        """Stop the jobs: settle the mail in transmission, and release the other letters."""
        self._scheduler.pause()  # Else a job that is due in this moment finds its threads gone.
        if self.post is None:
            self._scheduler.shutdown(wait=True)
            return
        self.post.stop()
        cut = threading.Timer(STOP_SECONDS, self.post.channel.abort)
        cut.start()
        self._scheduler.shutdown(wait=True)
        cut.cancel()
        self.post.channel.close()

    def once(self) -> dict[str, int]:
        """Run one sweep and one delivery (``flask tick``)."""
        self._requeue_expired_leases()
        self.service.db.write(plan_every_club, self.service.clock.now())
        seen = self.tick_sweep()
        post = self.post_now()
        return {"cases": seen, "letters": post.deliver() if post else 0}

    def wake_post(self) -> None:
        """Deliver a new letter without waiting for the next tick."""
        self._letters.set()
        if self._scheduler.running:
            self._scheduler.modify_job("post", next_run_time=datetime.now(UTC))

    def tick_sweep(self) -> int:
        with self.service.sweeping:
            now = self.service.clock.now()
            seen = open_due(self.service.db, now) + sweep(self.service.db, now)
        self.service.db.write(beat, "sweep", self.service.database_clock.now())
        return seen

    def tick_post(self) -> None:
        self._letters.set()
        while (
            self._letters.is_set()
        ):  # A letter queued while the last ones left would else wait for the next tick.
            self._letters.clear()
            with self.service.posting:
                post = self.post_now()
                if post is not None:
                    post.deliver()

    def post_now(self) -> DeliveryWorker | None:
        """Return the worker for the current account, None without one: letters wait."""
        way = self.service.outgoing()
        if way != self._way:
            self._change_to(way)
        return self.post

    def _change_to(self, way: Outgoing) -> None:
        if self.post is not None:
            self.post.channel.close()
            self.service.db.write(
                note_channel, "", (), self.service.clock.now()
            )  # The trouble was the old account's.
        here, self._way = self.service, way
        self.post = (
            DeliveryWorker(here.db, here.composer_for(way), way.server, here.clock)
            if way.server
            else None
        )

    def tick_leases(self) -> None:
        if self.post:
            self.post.renew_leases()
        self._requeue_expired_leases()

    def _requeue_expired_leases(self) -> None:
        """Requeue by the database's clock; a host whose own differs says so."""
        clock, db = self.service.database_clock, self.service.db
        skew = clock.measure()
        db.write(requeue_expired_leases, clock.now())
        if not db.is_sqlite:
            db.write(note_skew, host_name(), skew, clock.now())

    def tick_housekeeping(self) -> None:
        db, now = self.service.db, self.service.clock.now()
        db.write(plan_every_club, now)
        db.write(wake_unscheduled, now)
        while db.write(forget_old, now, longest=LONGEST):
            pass  # Forms that wait are written between the commits.
        while db.write(forget_bytes, now - BYTES_KEPT):
            pass
        db.write(forget_old_drafts, now)
        db.write(forget_ended_sessions, now)
        db.write(forget_spent_links, now)
        db.write(forget_known_browsers, now)
        db.write(delete_old_rates, machine_now())
        db.write(reencrypt, self.service.encryption)
        db.truncate_log()

    def _every(self, seconds: int, job: Callable[[], Any], name: str) -> None:
        self._scheduler.add_job(
            _safely(job, name),
            "interval",
            seconds=seconds,
            id=name,
            next_run_time=datetime.now(UTC),
        )


def _safely(job: Callable[[], Any], name: str) -> Callable[[], None]:
    """Run a job; log its failure, and run it again at the next tick."""

    def run() -> None:
        try:
            job()
        except Exception:
            log.exception("the %s tick failed; it comes again", name)

    return run
