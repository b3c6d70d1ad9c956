"""The product's clock; a demo or a test moves it through a file.

Nothing else asks the machine for the date. Leases, heartbeats, rate limits and bot timing follow
``machine_now`` instead, so that a moved clock cannot upset them.
"""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_OFFSET = re.compile(r"([+-])(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def machine_now() -> datetime:
    """Return the machine's own time, aware UTC."""
    return datetime.now(UTC)


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the present instant of the club's life, aware UTC."""
        ...


class FileClock:
    """The machine's clock, moved by a file.

    The file holds an ISO time (read at the file's mtime, running on) or an offset (``+3d2h``). No
    file: real time. An empty or unreadable file keeps the last reading.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._shift = timedelta()

    def now(self) -> datetime:
        self._follow()
        return machine_now() + self._shift

    def _follow(self) -> None:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            self._seen, self._shift = None, timedelta()
            return
        except OSError:
            return
        stamp = (
            found.st_mtime_ns,
            found.st_ino,
            found.st_size,
        )  # A file replaced within one tick of mtime is new, too.
        if stamp == self._seen:
            return
        try:
            shift = read_shift(self.path.read_text(encoding="utf-8").strip(), found.st_mtime)
        except (OSError, ValueError, OverflowError):
            return
        self._seen, self._shift = stamp, shift


def read_shift(text: str, written_at: float) -> timedelta:
    """Return how far a clock file moves the clock.

    ``written_at``: its mtime in seconds.

    Raises: ValueError.
    """
    offset = _OFFSET.fullmatch(text)
    if offset and len(text) > 1:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in offset.groups()[1:])
        shift = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return _within_reach(-shift if offset[1] == "-" else shift)
    said = datetime.fromisoformat(text)
    if said.tzinfo is None:
        said = said.replace(tzinfo=UTC)
    return _within_reach(said - datetime.fromtimestamp(written_at, UTC))


def _within_reach(shift: timedelta) -> timedelta:
    if abs(shift) > timedelta(days=36_500):
        raise ValueError("further than a century")
    return shift


def move_clock(path: Path, by: timedelta) -> None:
    """Move a file clock by a span from its present reading, by replacing its file."""
    shift = FileClock(path).now() - machine_now() + by
    sign, seconds = ("-", -shift) if shift < timedelta() else ("+", shift)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w") as file:
        file.write(f"{sign}{round(seconds.total_seconds())}s")
    os.replace(name, path)
