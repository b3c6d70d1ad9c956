"""P4: the delay from a press to the mail in the mail server, with nothing else going on.

The whole app with its ticker.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import world
from benchmarks.forms import Forms, wait_for_stamps
from benchmarks.measure import Mark, Scale, alternate, same, say_latencies
from benchmarks.servers import running_app, running_reference
from benchmarks.sink import SinkClient, running_sink
from engine.storage.models import Case, Letter

# Between two forms: never in step with the ticker's two seconds.
IDLE_SECONDS = (0.05, 0.25)


def run(scale: Scale) -> None:
    rounds, each = scale.of(5, 1), scale.of(12, 3)
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
        folder = Path(name)
        with running_sink(folder) as sink:
            with world.open_service(folder) as service:
                world.found_club(service)
            with (
                running_app(folder, sink.port) as (port, _),
                running_reference(folder, sink.port) as (other, _),
            ):
                product, reference = (
                    Forms((port,), f"/{world.SLUG}/join", "a", 1),
                    Forms((other,), "/join", "b", 1),
                )
                seconds: dict[str, list[float]] = {"a": [], "b": []}
                for side in (product, reference):
                    side.open_pages(rounds * each + 1)
                wait_for_stamps()
                for side in (product, reference):
                    _delay(side, sink)
                pair = alternate(
                    rounds,
                    "ms",
                    lambda _: _median(product, sink, each, seconds["a"]),
                    lambda _: _median(reference, sink, each, seconds["b"]),
                )
                mails, recipients = sink.counts()
                product.close()
                reference.close()
            pair.say(other="mail within the request")
            say_latencies("product POST → sink", seconds["a"])
            Mark("POST → sink, p50", 15, "ms", at_least=False).judge(
                statistics.median(seconds["a"]) * 1000
            )
            # The app has left, so every letter is settled.
            with world.open_service(folder) as service:
                same(
                    forms=rounds * each + 1,
                    answers=product.answers,
                    cases=world.count(service.db, Case),
                    letters_sent=world.count(service.db, Letter, state="sent"),
                    mails=mails - reference.answers,
                    recipients=recipients - reference.answers,
                )


def _delay(side: Forms, sink: SinkClient) -> float:
    time.sleep(random.uniform(*IDLE_SECONDS))
    began = time.monotonic()
    address = side.send_one()
    return sink.arrival(address) - began


def _median(side: Forms, sink: SinkClient, forms: int, seconds: list[float]) -> float:
    """The round's p50 in milliseconds."""
    taken = [_delay(side, sink) for _ in range(forms)]
    seconds += taken
    return statistics.median(taken) * 1000
