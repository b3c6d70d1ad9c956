"""``make month`` (SEED=, MEMBERS=, DAYS=): a club's month, and its audit as a table.

Lived through real pages and real mail.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import workflows  # noqa: F401
from tests.databases import databases
from tests.month import counts
from tests.month.audit import findings
from tests.month.life import Life
from tests.month.plan import Plan
from tests.month.record import Record
from tests.world import World


def lived(plan: Plan, kind: str) -> Record:
    with tempfile.TemporaryDirectory() as folder:
        world = World.begin(Path(folder), databases(kind), JIUNIU_RATE_LIMITS="off")
        try:
            return Life(world, plan).run()
        finally:
            world.end()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.month", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what chance decides (default 1)")
    parser.add_argument(
        "--members", type=int, default=100, help="how many members the large club comes to have"
    )
    parser.add_argument("--days", type=float, default=35, help="how long")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    began = time.monotonic()
    record = lived(Plan(given.seed, given.members, given.days), given.database)
    found = findings(record)
    for table in (counts.rows_in_all(record), counts.per_week(record), counts.owners_day(record)):
        print(counts.shown(table), end="\n\n")
    print(
        counts.shown(
            [
                ("the audit", "findings"),
                *((said, str(len(faults))) for said, faults in found.items()),
            ]
        )
    )
    for said, faults in found.items():
        print("".join(f"\n{said}: {fault}" for fault in faults), end="")
    print(
        f"\nseed {given.seed}, {given.members} members, {given.days:g} days on {given.database}: {time.monotonic() - began:.0f} s"
    )
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
