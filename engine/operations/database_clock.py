"""The database's clock: leases and signs of life are counted by it, whatever each host believes.

A host whose clock ran 90 seconds ahead took back letters that another one was sending.
"""

from __future__ import annotations

import socket
from datetime import datetime, timedelta

from sqlalchemy import text

from engine.clock import machine_now
from engine.storage.database import Database
from engine.storage.heartbeats import SKEW_TOLD


class DatabaseClock:
    """What the database's clock reads; on SQLite that is this machine's own."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.skew = timedelta()  # by how much this machine is ahead

    def measure(self) -> timedelta:
        """Compare both clocks. Returns by how much this machine is ahead of the database."""
        if not self.db.is_sqlite:
            with self.db.reader.connect() as connection:
                connection.execute(text("SELECT 1"))  # connecting and beginning take their time
                before = machine_now()
                there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
                self.skew = before + (machine_now() - before) / 2 - there
        return self.skew

    def now(self) -> datetime:
        """Return the database's time by the last comparison."""
        return machine_now() - self.skew

    @property
    def told(self) -> dict[str, float]:
        """Return this host's name and by how many seconds it is ahead; empty if it is close."""
        far = abs(self.skew) > SKEW_TOLD
        return {host_name(): round(self.skew.total_seconds(), 1)} if far else {}


def host_name() -> str:
    """Return this machine's own name for itself, for people who look after several."""
    return socket.gethostname() or "this machine"
