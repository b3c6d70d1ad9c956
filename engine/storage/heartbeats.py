"""Heartbeats of the service's parts, and the trouble of the mail channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from engine.storage.bulk import insert_new
from engine.storage.models import Heartbeat
from engine.storage.unit_of_work import ClubSession


def beat(session: ClubSession, name: str, at: datetime) -> None:
    """Record that this part runs; ``at`` is the machine's own time."""
    insert_new(session, Heartbeat, name=name, at=at, data={})
    session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=at))


@dataclass(frozen=True)
class ChannelTrouble:
    """The mail server's last refusal, since when, and when the next try is."""

    answer: str
    since: datetime
    next_try: datetime


def channel_trouble(session: ClubSession) -> ChannelTrouble | None:
    """Return the channel's trouble, None while mail flows."""
    beat = session.get(Heartbeat, "channel")
    if beat is None or not beat.data:
        return None
    since, next_try = (datetime.fromisoformat(beat.data[key]) for key in ("since", "next_try"))
    return ChannelTrouble(beat.data["answer"], since, next_try)


@dataclass(frozen=True)
class PostHold:
    """Why no letter leaves (*restored*, *by hand*), and since when by the machine's clock."""

    why: str
    since: datetime


def hold_post(session: ClubSession, why: str, at: datetime) -> None:
    """Hold the post of the whole installation; only letters released one by one leave."""
    release_post(session)
    session.add(Heartbeat(name="rest", at=at, data={"why": why}))


def release_post(session: ClubSession) -> None:
    session.execute(delete(Heartbeat).where(Heartbeat.name == "rest"))


def post_is_held(session: ClubSession) -> PostHold | None:
    beat = session.get(Heartbeat, "rest")
    return PostHold(beat.data["why"], beat.at) if beat else None


def note_channel(
    session: ClubSession, trouble: str, waits: Sequence[timedelta], now: datetime
) -> None:
    """Store the channel's trouble for the desk and every process; none: mail flows again.

    ``waits``: how long to wait after the first, second, … trouble in a row.
    """
    beat = session.get(Heartbeat, "channel")
    if beat is None:
        beat = Heartbeat(name="channel", at=now, data={})
        session.add(beat)
    if not trouble:
        beat.at, beat.data = now, {}
        return
    tries = int(beat.data.get("tries", 0))
    next_try = now + waits[min(tries, len(waits) - 1)]
    since = beat.data.get("since", now.isoformat())
    beat.data = {
        "answer": trouble,
        "since": since,
        "tries": tries + 1,
        "next_try": next_try.isoformat(),
    }
    beat.at = now


# Clocks that differ by more are told; a host that has not measured for so long is not counted.
SKEW_TOLD, SKEW_FORGOTTEN = timedelta(seconds=5), timedelta(minutes=10)
_SKEW = "skew:"


def note_skew(session: ClubSession, host: str, skew: timedelta, at: datetime) -> None:
    """Keep by how much a host's clock is ahead of the database's, where that is worth telling."""
    name = f"{_SKEW}{host}"[:40]
    if abs(skew) <= SKEW_TOLD:
        session.execute(delete(Heartbeat).where(Heartbeat.name == name))
        return
    data = {"host": host, "seconds": round(skew.total_seconds(), 1)}
    insert_new(session, Heartbeat, name=name, at=at, data=data)
    session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=at, data=data))


def clock_skews(session: ClubSession, now: datetime) -> dict[str, float]:
    """Return the hosts whose clock was lately ahead of the database's, by seconds (or behind)."""
    wanted = select(Heartbeat).where(
        Heartbeat.name.startswith(_SKEW), Heartbeat.at > now - SKEW_FORGOTTEN
    )
    return {beat.data["host"]: beat.data["seconds"] for beat in session.execute(wanted).scalars()}
