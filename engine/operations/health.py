"""The health of the service: one reading, for /readyz, the desk, its banner and doctor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select

from engine.storage.database import across_clubs
from engine.storage.heartbeats import (
    ChannelTrouble,
    PostHold,
    channel_trouble,
    clock_skews,
    post_is_held,
)
from engine.storage.models import Heartbeat, Letter
from engine.storage.unit_of_work import ClubSession

# A sweep that ran longer ago is a dead worker: pages alone remind no one.
TICK_IS_OLD = timedelta(seconds=60)
LETTERS_ARE_LATE = timedelta(minutes=15)

Worker = Literal["ready", "starting", "worker"]


@dataclass(frozen=True)
class Health:
    """What runs and what does not.

    ``worker``: *worker* where no sweep has run lately, *starting* while one may still begin.
    ``late_since``: since when a letter that could leave waits longer than it should.
    ``skews``: hosts whose clock differs from the database's, by seconds.
    """

    worker: Worker
    last_tick: datetime | None
    tick_age: timedelta | None
    channel: ChannelTrouble | None
    hold: PostHold | None
    late_since: datetime | None
    skews: dict[str, float]

    @property
    def is_well(self) -> bool:
        """True if no part of the service needs attention."""
        troubles = (self.channel, self.hold, self.late_since, self.skews)
        return self.worker != "worker" and not any(troubles)


@across_clubs
def read_health(
    session: ClubSession, *, machine_now: datetime, now: datetime, started_at: datetime | None
) -> Health:
    """Read the signs of life. ``started_at``: when this process began, by the machine's clock."""
    beat = session.get(Heartbeat, "sweep")
    age = max(machine_now - beat.at, timedelta()) if beat else None
    begins = started_at is not None and machine_now - started_at <= TICK_IS_OLD
    worker: Worker = "starting" if begins else "worker"
    ready = (Letter.state == "queued") & (Letter.next_at <= now - LETTERS_ARE_LATE)
    return Health(
        worker="ready" if age is not None and age <= TICK_IS_OLD else worker,
        last_tick=beat.at if beat else None,
        tick_age=age,
        channel=channel_trouble(session),
        hold=post_is_held(session),
        late_since=session.execute(select(func.min(Letter.next_at)).where(ready)).scalar_one(),
        skews=clock_skews(session, machine_now),
    )
