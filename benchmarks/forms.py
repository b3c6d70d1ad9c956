"""Filled-in forms, ready to be sent.

Each page was opened by real HTTP, for its form token is signed and good once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import world
from benchmarks.client import Connection, Load, load
from web.http.security import LEAST_SECONDS


@dataclass
class Forms:
    """Forms for one side's processes: some connections spread over their ports, each with its
    cookie, its tokens and its requests.

    ``group`` keeps addresses apart.
    """

    ports: Sequence[int]
    path: str
    group: str
    size: int
    connections: list[Connection] = field(init=False)
    ready: list[list[tuple[str, bytes]]] = field(init=False)
    latencies: list[float] = field(default_factory=list)
    answers: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        self.connections = [
            Connection(self.ports[number % len(self.ports)]) for number in range(self.size)
        ]
        self.ready = [[] for _ in self.connections]

    def open_pages(self, each: int) -> None:
        """Open the page so many times on each connection."""
        for queue, connection in zip(self.ready, self.connections, strict=True):
            for _ in range(each):
                page = connection.get(self.path)
                fields = world.typed(self.number, self.group) | {
                    "csrf_token": page.field("csrf_token")
                }
                if page.has_field("form"):
                    fields["form"] = page.field("form")
                queue.append((fields["email"], connection.request("POST", self.path, fields)))
                self.number += 1

    def send(self, each: int) -> Load:
        """Send so many forms on each connection, all connections at once."""
        taken = [[request for _, request in queue[:each]] for queue in self.ready]
        self.ready = [queue[each:] for queue in self.ready]
        done = load(self.connections, taken)
        self.latencies += done.latencies
        self.answers += done.accepted(303)
        return done

    def send_one(self) -> str:
        """Send the next form of the first connection; the address in it."""
        address, request = self.ready[0].pop(0)
        self.answers += self.connections[0].ask(request).status == 303
        return address

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def wait_for_stamps() -> None:
    """A form that comes back sooner than a person can have filled it in is refused."""
    time.sleep(LEAST_SECONDS + 0.1)
