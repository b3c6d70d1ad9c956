"""P3, after an outage: 100,000 cases due at once, while people submit forms.

The whole app, all in one process.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, select

from benchmarks import database, world
from benchmarks.forms import Forms, wait_for_stamps
from benchmarks.measure import Mark, Mismatch, Scale, percentile, same, say_latencies
from benchmarks.p3_sweep import CLUBS, DAY, NOON, BareTick
from benchmarks.servers import running_app
from engine.storage.database import Database
from engine.storage.models import Case, Event, Letter
from web.app.services import Services

# 23:00 in the clubs' zone: what the clock makes waits for the morning, so that the sweep alone is
# measured, not the post.
NIGHT = NOON + timedelta(hours=11)
CONNECTIONS, BETWEEN = 4, 0.05
MOST_SECONDS = 300.0


def run(scale: Scale) -> None:
    for what in ("reminders", "steps"):
        with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
            _measure(Path(name), what, scale.of(100_000, 500), scale.of(400, 80))


def _measure(folder: Path, what: str, due: int, pages: int) -> None:
    bare = BareTick(folder)
    with world.open_service(folder) as service:
        clubs = [world.found_club(service, f"bench{number}") for number in range(CLUBS)]
        wakes = [(NIGHT + (DAY if what == "reminders" else timedelta()), NIGHT)] * due
        world.many_owed(service.db, clubs, wakes, NIGHT - 3 * DAY, asked=what == "steps")
        bare.fill(wakes)
        database.analyze(folder, "product", "bare")
        _set_clock(service, NIGHT - timedelta(hours=1))
        with running_app(folder) as (port, _):
            forms = Forms((port,), "/bench0/join", "a", CONNECTIONS)
            forms.open_pages(pages)
            wait_for_stamps()
            quiet = _while(lambda: time.sleep(min(2.0, due / 1000)), forms)
            took: list[float] = []
            meanwhile = _while(lambda: took.append(_catch_up(service)), forms)
            forms.close()
        began = time.perf_counter()
        bare.tick(NIGHT)
        reference = time.perf_counter() - began
        print(f"  {due:,} {what} due at once")
        print(f"  {'product':<28}{took[0]:>9.2f} s   ({due / took[0]:,.0f} a second)")
        print(f"  {'bare tick':<28}{reference:>9.2f} s   (once; ratio {took[0] / reference:.1f} ×)")
        say_latencies("forms, nothing else going on", quiet)
        say_latencies("forms meanwhile", meanwhile)
        Mark("catch-up", 3, "s", at_least=False).judge(took[0])
        Mark("forms meanwhile, p99", 100, "ms", at_least=False).judge(
            percentile(meanwhile, 0.99) * 1000
        )
        if what == "reminders":
            done = {"letters": world.count(service.db, Letter, name="study_plan.due_soon")}
        else:
            done = {
                "steps": world.count(service.db, Event, action="due", to_state="overdue"),
                "letters": world.count(service.db, Letter, name="study_plan.second_chance"),
            }
        same(due=due, **done, bare_letters=bare.letters())
        same(
            forms=len(quiet) + len(meanwhile),
            answers=forms.answers,
            cases=world.count(service.db, Case, workflow="join"),
        )
    bare.close()


def _while(work: Callable[[], None], forms: Forms) -> list[float]:
    """The times, in seconds, of the forms that were sent while the work went on."""
    working = threading.Thread(target=work)
    before = len(forms.latencies)
    working.start()
    while working.is_alive():
        if not forms.ready[0]:
            raise Mismatch("there were not enough forms for so long a time")
        forms.send(1)
        time.sleep(BETWEEN)
    working.join()
    return forms.latencies[before:]


def _set_clock(service: Services, at: datetime) -> None:
    place = service.settings.data_dir / "clock"
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(".new")
    fresh.write_text(at.isoformat())
    fresh.replace(place)


def _catch_up(service: Services) -> float:
    """Seconds from the first round's commit to the last one's. It begins at a tick, up to two
    seconds after the clock moved."""
    _set_clock(service, NIGHT + timedelta(seconds=1))
    _wait_until(
        service.db,
        select(Letter.id).where(Letter.state == "queued", Letter.next_at > NIGHT),
        there=True,
    )
    began = time.perf_counter()
    _wait_until(service.db, select(Case.id).where(Case.wake_at <= NIGHT), there=False)
    return time.perf_counter() - began


def _wait_until(db: Database, wanted: Select[tuple[int]], *, there: bool) -> None:
    ends = time.monotonic() + MOST_SECONDS
    while True:
        with db.reader.connect() as connection:
            if (connection.execute(wanted.limit(1)).first() is not None) == there:
                return
        if time.monotonic() > ends:
            raise Mismatch(f"it was not done after {MOST_SECONDS:.0f} s")
        time.sleep(0.01)
