"""P3, the sweep: 1,000 reminders, 1,000 due steps, and nothing due at all.

The reminders are due among many open cases; the steps are those of a study plan, and of a week's
reflections.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import database, world
from benchmarks.measure import Mark, Mismatch, Scale, alternate, same
from benchmarks.processes import resident_mib
from engine.scheduler.sweep import sweep
from engine.storage.models import Case, Event, Letter

# Noon in the clubs' zone: outside their quiet hours. The sweep is told the time, so the day does
# not matter.
NOON = datetime(2026, 6, 10, 4, tzinfo=UTC)
CLUBS = 10
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_TABLES = (
    "CREATE TABLE matter (id INTEGER PRIMARY KEY, club_id INTEGER NOT NULL, person_id INTEGER NOT NULL, state TEXT NOT NULL,"
    " due_at TEXT NOT NULL, wake_at TEXT)",
    "CREATE INDEX ix_matter_wake_at ON matter (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE TABLE letter (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, matter_id INTEGER NOT NULL,"
    " person_id INTEGER NOT NULL, state TEXT NOT NULL, message_id TEXT NOT NULL, next_at TEXT NOT NULL)",
    "CREATE INDEX ix_letter_next_at ON letter (next_at) WHERE state = 'queued'",
)


@dataclass
class BareTick:
    """One tick over one plain table with an index on ``wake_at``: what is due gets a letter row and
    its next moment."""

    folder: Path
    connection: Any = field(init=False)

    def __post_init__(self) -> None:
        self.connection = database.plain(self.folder, "bare")
        for statement in _TABLES:
            self.connection.execute(statement)

    def fill(self, wakes: list[tuple[datetime, datetime]]) -> None:
        rows = [
            (number % CLUBS, number, "owed", due.isoformat(), wake.isoformat())
            for number, (due, wake) in enumerate(wakes)
        ]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO matter (club_id, person_id, state, due_at, wake_at) VALUES (?, ?, ?, ?, ?)",
            rows,
        )
        self.connection.execute("COMMIT")

    def tick(self, now: datetime) -> int:
        moment = now.isoformat()
        due = self.connection.execute(
            "SELECT id, person_id FROM matter WHERE wake_at <= ? ORDER BY wake_at", (moment,)
        ).fetchall()
        if not due:
            return 0
        letters = [
            (
                f"{row}:due_soon:{moment}",
                "due_soon",
                row,
                person,
                "queued",
                secrets.token_hex(12),
                moment,
            )
            for row, person in due
        ]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO letter (key, name, matter_id, person_id, state, message_id, next_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            letters,
        )
        following = (now + DAY).isoformat()
        self.connection.executemany(
            "UPDATE matter SET wake_at = ? WHERE id = ?", [(following, row) for row, _ in due]
        )
        self.connection.execute("COMMIT")
        return len(due)

    def letters(self) -> int:
        found: int = self.connection.execute("SELECT count(*) FROM letter").fetchone()[0]
        return found

    def close(self) -> None:
        self.connection.close()


def run(scale: Scale) -> None:
    if database.on_postgresql():
        print("  performance.md has a bare tick on PostgreSQL at 27 ms, with nothing due at 0.4 ms")
    for cases in (1_000,) if scale.quick else (10_000, 100_000):
        with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
            _measure(Path(name), cases, scale.of(7, 1), scale.of(1_000, 50))


def _measure(folder: Path, cases: int, rounds: int, due: int) -> None:
    with world.open_service(folder) as service:
        db = service.db
        clubs = [world.found_club(service, f"bench{number}") for number in range(CLUBS)]
        bare = BareTick(folder)
        # Each round has cases of its own; a minute later the next ones' moment has come.
        moments = [NOON + timedelta(minutes=number) for number in range(rounds)]
        reminders = [(moment + DAY, moment) for moment in moments for _ in range(due)]
        steps = [(moment + DAY / 2, moment + DAY / 2) for moment in moments for _ in range(due)]
        later = [(NOON + 9 * DAY, NOON + 8 * DAY)] * (cases - len(reminders) - len(steps) * 2)
        weekly = [(due_at + HOUR, wake_at + HOUR) for due_at, wake_at in steps]
        world.many_owed(db, clubs, reminders + later, NOON - 2 * DAY)
        world.many_owed(db, clubs, steps, NOON - 2 * DAY, asked=True)
        world.many_owed(db, clubs, weekly, NOON - 2 * DAY, workflow="reflection", asked=True)
        bare.fill(reminders + later + steps + weekly)
        database.analyze(folder, "product", "bare")
        held = resident_mib()

        def product(moment: datetime) -> float:
            return _milliseconds(lambda: sweep(db, moment), due)

        def reference(moment: datetime) -> float:
            return _milliseconds(lambda: bare.tick(moment), due)

        print(f"  {due:,} reminders due of {cases:,} open cases")
        first = alternate(
            rounds,
            "ms",
            lambda number: product(moments[number]),
            lambda number: reference(moments[number]),
        )
        first.say("product, reminders", "bare tick")
        Mark("reminders, product : bare tick", 3, "×", at_least=False).judge(first.ratio)
        empty = alternate(
            rounds * 5,
            "ms",
            lambda _: _empty(lambda: sweep(db, moments[-1])),
            lambda _: _empty(lambda: bare.tick(moments[-1])),
        )
        empty.say("product, nothing due", "bare tick, nothing due")
        Mark("empty sweep", 1, "ms", at_least=False).judge(statistics.median(empty.product))
        # The reminded cases' second reminder comes later than the last of these moments.
        second = alternate(
            rounds,
            "ms",
            lambda number: product(moments[number] + DAY / 2),
            lambda number: reference(moments[number] + DAY / 2),
        )
        second.say("product, steps by the door", "bare tick")
        Mark("steps, product : bare tick", 10, "×", at_least=False).judge(second.ratio)
        # Where it leads depends on queries: a chance may have been used before, and each sees the
        # steps before it.
        third = alternate(
            rounds,
            "ms",
            lambda number: product(moments[number] + DAY / 2 + HOUR),
            lambda number: reference(moments[number] + DAY / 2 + HOUR),
        )
        third.say("product, weekly steps", "bare tick")
        print(
            f"  {'memory of this process':<28}{resident_mib() - held:>+9.1f} MiB since the cases were made ({resident_mib():.0f} MiB)"
        )
        done = rounds * due
        same(
            reminders_due=done,
            reminders_queued=world.count(db, Letter, name="study_plan.due_soon", state="queued"),
            half_of_steps=world.count(db, Event, action="due", to_state="overdue") // 2,
            half_of_overdue=world.count(db, Case, state="overdue") // 2,
            second_chances_queued=world.count(
                db, Letter, name="study_plan.second_chance", state="queued"
            ),
            third_of_bare_letters=bare.letters() // 3,
            weekly_chances_queued=world.count(
                db, Letter, name="reflection.second_chance", state="queued"
            ),
        )
        bare.close()


def _milliseconds(tick: Callable[[], int], expected: int) -> float:
    began = time.perf_counter()
    looked_at = tick()
    took = (time.perf_counter() - began) * 1000
    if looked_at != expected:
        raise Mismatch(f"{looked_at} cases were looked at, not {expected}")
    return took


def _empty(tick: Callable[[], int]) -> float:
    return _milliseconds(tick, 0)
