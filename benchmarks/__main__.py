"""``python -m benchmarks``: all benchmarks; ``python -m benchmarks forms``: one.

Ends with an error only when counts disagree.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module

from benchmarks import database
from benchmarks.machine import say_machine
from benchmarks.measure import Mismatch, Scale

BENCHMARKS = {
    "forms": ("P1 forms/s, 16 connections", "p1_forms"),
    "letters": ("P2 letters/s, queue to mail server", "p2_letters"),
    "sweep": ("P3 the sweep", "p3_sweep"),
    "catch-up": ("P3 after an outage: 100,000 due at once", "p3_catch_up"),
    "delay": ("P4 from POST to the mail in the sink, idle", "p4_delay"),
    "decisions": ("P5 decisions/s, one connection", "p5_decisions"),
    "start": ("P6 start and idle memory", "p6_start"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "name",
        nargs="*",
        metavar="NAME",
        help=f"which: {', '.join(BENCHMARKS)} (all of them if left out)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run: do they work, not how fast"
    )
    parser.add_argument(
        "--database",
        choices=database.KINDS,
        default="sqlite",
        help="product and reference alike; default: %(default)s",
    )
    given = parser.parse_args()
    unknown = set(given.name) - set(BENCHMARKS)
    if unknown:
        parser.error(
            f"there is no benchmark named {min(unknown)}; there are {', '.join(BENCHMARKS)}"
        )
    try:
        database.choose(given.database)
    except ImportError as missing:
        parser.error(
            f"--database {given.database}: {missing}; python -m pip install -r requirements-dev.txt"
        )
    say_machine()
    wrong = [name for name in given.name or BENCHMARKS if not _run(name, Scale(given.quick))]
    if wrong:
        print(f"\nwrong: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def _run(name: str, scale: Scale) -> bool:
    title, module = BENCHMARKS[name]
    where = ", on PostgreSQL" if database.on_postgresql() else ""
    print(
        f"\n{title}{where}{' (smoke run: the figures mean nothing)' if scale.quick else ''}",
        flush=True,
    )
    began = time.monotonic()
    try:
        import_module(f"benchmarks.{module}").run(scale)
    except Mismatch as mismatch:
        print(f"  MISMATCH: {mismatch}", flush=True)
        return False
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
