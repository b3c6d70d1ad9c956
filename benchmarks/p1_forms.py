"""P1: join forms a second, by real HTTP: forgery check, signed stamp, validation, case + event + letter in one commit."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import world
from benchmarks.client import Connection, Load, load
from benchmarks.measure import Mark, Scale, alternate, same, say_latencies
from benchmarks.servers import running_server
from benchmarks.sink import running_sink
from engine.models import Case, Event, Letter, Person
from web.guard import LEAST_SECONDS

CONNECTIONS = 16


@dataclass
class Forms:
    """Filled-in forms for one server: 16 connections, each with its cookie, its tokens and requests ready to be sent."""

    port: int
    path: str
    group: str
    connections: list[Connection] = field(init=False)
    ready: list[list[bytes]] = field(init=False)
    latencies: list[float] = field(default_factory=list)
    sent: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        self.connections = [Connection(self.port) for _ in range(CONNECTIONS)]
        self.ready = [[] for _ in self.connections]

    def open_pages(self, forms: int) -> None:
        """Open the page once for each form, as people do: its stamp is signed, and good once."""
        for position, connection in enumerate(self.connections):
            for _ in range(forms // CONNECTIONS):
                page = connection.get(self.path)
                fields = world.typed(self.number, self.group) | {
                    "csrf_token": page.hidden("csrf_token"),
                    "form": _stamp(page.body, page.hidden),
                }
                self.ready[position].append(connection.request("POST", self.path, fields))
                self.number += 1

    def send(self, forms: int) -> Load:
        each = forms // CONNECTIONS
        taken = [queue[:each] for queue in self.ready]
        self.ready = [queue[each:] for queue in self.ready]
        done = load(self.connections, taken)
        self.latencies += done.latencies
        self.sent += done.accepted(303)
        return done

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def _stamp(body: bytes, hidden: object) -> str:
    return hidden("form") if b'name="form"' in body else ""  # type: ignore[operator]


def run(scale: Scale) -> None:
    rounds, forms = scale.of(5, 1), scale.of(320, 32)
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
        folder = Path(name)
        with world.open_service(folder) as service:
            world.found_club(service)
            with running_server("product", folder) as port, running_server("reference", folder) as other:
                product, reference = Forms(port, f"/{world.SLUG}/join", "a"), Forms(other, "/join", "a")
                warm_up = CONNECTIONS * 2
                for side in (product, reference):
                    side.open_pages(forms * rounds + warm_up)
                time.sleep(LEAST_SECONDS + 0.1)
                for side in (product, reference):
                    side.send(warm_up)
                    side.latencies.clear()
                pair = alternate(rounds, "forms/s", lambda _: product.send(forms).rate, lambda _: reference.send(forms).rate)
                product.close()
                reference.close()
            pair.say()
            say_latencies("product POST", product.latencies)
            say_latencies("reference POST", reference.latencies)
            Mark("forms, product : reference", 1.0, "×", at_least=True).judge(pair.ratio)
            Mark("product p99", 50, "ms", at_least=False).judge(
                sorted(product.latencies)[int(len(product.latencies) * 0.99)] * 1000
            )
            with running_sink(folder) as sink:
                world.deliver_all(service, sink.port)
                mails, recipients = sink.counts()
            db, sent = service.db, (rounds * forms + warm_up)
            same(
                forms=sent, answers=product.sent, people=world.count(db, Person, status="applicant"), cases=world.count(db, Case),
                events=world.count(db, Event), letters_sent=world.count(db, Letter, state="sent"), mails=mails, recipients=recipients,
            )  # fmt: skip
            same(reference_forms=sent, reference_answers=reference.sent)
