"""P5: decisions a second.

A reviewer opens an application's page and approves it, one after the other on one connection.
"""

from __future__ import annotations

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks import world
from benchmarks.client import Connection
from benchmarks.forms import Forms
from benchmarks.measure import Mark, Mismatch, Scale, alternate, same, say_latencies
from benchmarks.p1_forms import CONNECTIONS, WARM_UP
from benchmarks.servers import running_product, running_reference
from benchmarks.sink import running_sink
from engine.clock import machine_now
from engine.club.context import current_owner
from engine.security.links import Link
from engine.storage.models import Case, Event, Letter, Person
from web.app.services import Services


def run(scale: Scale) -> None:
    rounds, decisions, each = scale.of(5, 1), scale.of(60, 5), scale.of(16, 2)
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
        folder = Path(name)
        with world.open_service(folder) as service:
            club = world.found_club(service)
            total = rounds * decisions + 1
            cases = service.db.write(
                world.apply_many, club, range(total), machine_now(), confirm=True
            )
            tokens = _tokens(service, club, cases)
            times: dict[str, list[float]] = {"GET": [], "POST": []}
            with running_product(folder) as (port, _), running_reference(folder) as (other, _):
                reference = Forms((other,), "/join", "a", CONNECTIONS)
                reference.open_pages(rounds * each + WARM_UP)
                reference.send(WARM_UP)
                connection = Connection(port)
                _decide(connection, [tokens.pop()], {"GET": [], "POST": []})

                def product(_: int) -> float:
                    mine = [tokens.pop() for _ in range(decisions)]
                    return _decide(connection, mine, times)

                pair = alternate(rounds, "a second", product, lambda _: reference.send(each).rate)
                connection.close()
                reference.close()
            pair.say("decisions, one connection", f"reference forms, {CONNECTIONS}")
            say_latencies("GET of the page", times["GET"])
            say_latencies("POST of the decision", times["POST"])
            Mark(
                "decisions (on the machine of performance.md)", 400, "a second", at_least=True
            ).judge(sorted(pair.product)[rounds // 2])
            with running_sink(folder) as sink:
                # An hour later: the reviewer's gathered receipt has left too.
                world.deliver_all(
                    service, sink.port, world.FixedClock(machine_now() + timedelta(hours=1))
                )
                mails, _ = sink.counts()
            db = service.db
            same(
                decisions=total,
                events=world.count(db, Event, action="approve"),
                cases=world.count(db, Case, workflow="join", state="approved"),
                new_members=world.count(db, Person, role="member", status="member"),
                plans=world.count(db, Case, workflow="study_plan"),
                welcomes=world.count(db, Letter, name="join.welcome", state="sent"),
                asks=world.count(db, Letter, name="study_plan.please_write", state="sent"),
            )
            same(mails=mails, letters_sent=world.count(db, Letter, state="sent"))


def _tokens(service: Services, club_id: int, cases: list[int]) -> list[str]:
    """The links in the reviewer's mails."""
    with service.db.read(club_id) as session:
        owner = current_owner(session)
    return [
        service.links.token(Link("case", club_id, owner.id, owner.link_epoch, case, machine_now()))
        for case in cases
    ]


def _decide(connection: Connection, tokens: list[str], times: dict[str, list[float]]) -> float:
    """Decisions a second."""
    began = time.perf_counter()
    for token in tokens:
        opened = time.perf_counter()
        page = connection.get(f"/c/{token}?opened=1")  # a browser without cookies
        shown = time.perf_counter()
        fields = {
            "csrf_token": page.field("csrf_token"),
            "round": page.field("round"),
            "action": "approve",
            "note": "",
        }
        pressed = time.perf_counter()
        answer = connection.post(f"/c/{token}", fields)
        times["GET"].append(shown - opened)
        times["POST"].append(time.perf_counter() - pressed)
        if answer.status != 303:
            raise Mismatch(f"a decision was answered with {answer.status}")
    return len(tokens) / (time.perf_counter() - began)
