"""P6: the time from start to first answer, and the memory of an idle process."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks import world
from benchmarks.client import Connection
from benchmarks.database import on_postgresql
from benchmarks.measure import Mark, Mismatch, Pair, Scale
from benchmarks.processes import resident_mib
from benchmarks.servers import running_app, running_reference

Runner = Callable[[Path], AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]]


def run(scale: Scale) -> None:
    rounds, settle = scale.of(5, 1), 0.2 if scale.quick else 1.5
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
        folder = Path(name)
        first, _ = _start(running_app, folder, 0)
        with world.open_service(folder) as service:
            world.found_club(service)
        mine, others = [], []
        for _ in range(rounds):
            mine.append(_start(running_app, folder, settle))
            others.append(_start(running_reference, folder, settle))
    starts = Pair(
        "s to the first 200", tuple(start for start, _ in mine), tuple(start for start, _ in others)
    )
    starts.say(other="plain Flask in waitress")
    Mark("start", 1.5, "s", at_least=False).judge(statistics.median(starts.product))
    memory = Pair("MiB idle", tuple(held for _, held in mine), tuple(held for _, held in others))
    memory.say("app.py, mailbox built in", "plain Flask in waitress")
    Mark("memory", 110, "MiB", at_least=False).judge(statistics.median(memory.product))
    if on_postgresql():
        print("  memory of the web alone: PostgreSQL's own processes are not counted")
    print(f"  the very first start, which makes the database: {first:.2f} s")


def _start(running: Runner, folder: Path, settle: float) -> tuple[float, float]:
    """Seconds to the first 200, and MiB some moments later."""
    began = time.monotonic()
    with running(folder) as (port, process):
        connection = Connection(port)
        answer = connection.get("/healthz")
        took = time.monotonic() - began
        connection.close()
        if answer.status != 200:
            raise Mismatch(f"/healthz said {answer.status}")
        time.sleep(settle)
        return took, resident_mib(process)
