"""P1: join forms a second, by real HTTP.

Csrf check, form token, validation, case + event + letter in one commit.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from benchmarks import database, world
from benchmarks.forms import Forms, wait_for_stamps
from benchmarks.measure import Mark, Scale, alternate, percentile, same, say_latencies
from benchmarks.servers import running_product, running_reference
from benchmarks.sink import running_sink
from engine.storage.models import Case, Event, Letter, Person

CONNECTIONS = 16
WARM_UP = 2


def run(scale: Scale) -> None:
    rounds, each = scale.of(5, 1), scale.of(16, 2)
    processes = 2 if database.on_postgresql() else 1
    print(f"  {processes} web process{'es' * (processes > 1)} each for product and reference")
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
        folder = Path(name)
        with world.open_service(folder) as service:
            world.found_club(service)
            with contextlib.ExitStack() as running:
                # Each is waited for: the first of the references makes their tables.
                ports = [
                    running.enter_context(running_product(folder))[0] for _ in range(processes)
                ]
                others = [
                    running.enter_context(running_reference(folder))[0] for _ in range(processes)
                ]
                product, reference = (
                    Forms(ports, f"/{world.SLUG}/join", "a", CONNECTIONS),
                    Forms(others, "/join", "a", CONNECTIONS),
                )
                for side in (product, reference):
                    side.open_pages(rounds * each + WARM_UP)
                wait_for_stamps()
                for side in (product, reference):
                    side.send(WARM_UP)
                    side.latencies.clear()
                pair = alternate(
                    rounds,
                    "forms/s",
                    lambda _: product.send(each).rate,
                    lambda _: reference.send(each).rate,
                )
                product.close()
                reference.close()
            pair.say()
            say_latencies("product POST", product.latencies)
            say_latencies("reference POST", reference.latencies)
            Mark("forms, product : reference", 1.0, "×", at_least=True, on_postgresql=True).judge(
                pair.ratio
            )
            Mark("product p99", 50, "ms", at_least=False).judge(
                percentile(product.latencies, 0.99) * 1000
            )
            with running_sink(folder) as sink:
                world.deliver_all(service, sink.port)
                mails, recipients = sink.counts()
            db, forms = service.db, CONNECTIONS * (rounds * each + WARM_UP)
            same(
                forms=forms,
                answers=product.answers,
                people=world.count(db, Person, status="applicant"),
                cases=world.count(db, Case),
                events=world.count(db, Event),
                letters_sent=world.count(db, Letter, state="sent"),
                mails=mails,
                recipients=recipients,
            )
            same(
                reference_forms=forms,
                reference_answers=reference.answers,
                reference_rows=_reference_rows(folder),
            )


def _reference_rows(folder: Path) -> int:
    with contextlib.closing(database.plain(folder, "reference")) as connection:
        people, applications = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("person", "application")
        )
    return int(people) if people == applications else -1
