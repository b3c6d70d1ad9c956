"""Connections of the built-in server, limited in number and time.

Waitress alone closes a connection after two minutes without a byte and stops accepting at its
limit: a few hundred clients that drip half a request each keep everybody out. Here a request has to
arrive in time. When connections run short, the address with the most loses the one that has waited
longest without a whole request.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import MultiSocketServer, TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from engine.security.client_networks import networks_of

# A phone keeps its connection open for two minutes after the page has come, and a whole club may
# read its mail at once, behind one address of its school. Most systems allow 1,024 open files.
MOST_CONNECTIONS = 400
MOST_OF_ONE = 200
# For the head of a request, and for all of it: eight mebibytes at 70 kB a second.
HEAD_SECONDS = 15
BODY_SECONDS = 120
# For a client to take its answer.
ANSWER_SECONDS = 300
HEAD_BYTES = 32 * 1024


class Connection(HTTPChannel):  # type: ignore[misc]
    """A connection with the time since which the server waits for its request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waits_since: float | None = self.creation_time
        self.answers_since: float | None = None
        self.network = networks_of(str(self.addr[0]))[0]

    def received(self, data: bytes) -> bool:
        before = self.request
        taken = bool(super().received(data))
        if self.request is not before or self.requests:
            self.waits_since = None if self.request is None else self.last_activity
        return taken

    def is_late(self, now: float) -> bool:
        """True if the request, or the taking of its answer, has lasted longer than it may."""
        if self.total_outbufs_len:
            self.answers_since = self.answers_since or now
            return now - self.answers_since > ANSWER_SECONDS
        self.answers_since = None
        if self.requests or self.waits_since is None:
            return False
        in_head = self.request is None or not self.request.headers_finished
        return now - self.waits_since > (HEAD_SECONDS if in_head else BODY_SECONDS)

    def rank(self) -> tuple[bool, float]:
        """Return the order of closing: unfinished requests, then idle connections, oldest first."""
        return self.waits_since is None, self.waits_since or self.last_activity


class GuardedServer(TcpWSGIServer):  # type: ignore[misc]
    """A server that closes connections which keep others out.

    ``by_address``: each address has at most ``MOST_OF_ONE``; off behind a proxy.
    """

    channel_class = Connection
    by_address = True

    def handle_accept(self) -> None:
        """Accept a connection; make room for it before."""
        self.make_room()
        super().handle_accept()

    def make_room(self) -> None:
        """Close one connection if there are too many in all, or of one address."""
        open_now = [
            line
            for line in self._map.values()
            if isinstance(line, Connection) and not line.will_close
        ]
        counted = Counter(line.network for line in open_now)
        network = max(counted, key=counted.__getitem__, default="")
        most_of_one = MOST_OF_ONE if self.by_address else MOST_CONNECTIONS
        if len(open_now) < MOST_CONNECTIONS and counted[network] < most_of_one:
            return
        idle = [line for line in open_now if line.network == network and not line.requests]
        if idle:
            min(idle, key=Connection.rank).will_close = True

    def maintenance(self, now: float) -> None:
        """Close what is late; waitress calls this every ``cleanup_interval`` seconds."""
        super().maintenance(now)
        for line in self.active_channels.values():
            if line.is_late(now):
                line.will_close = True


def open_server(app: Flask, *, by_address: bool, **given: Any) -> Any:
    """Open the port as ``waitress.create_server`` does, with the guard.

    Raises: OSError, ValueError, OverflowError.
    """
    settings = Adjustments(
        connection_limit=MOST_CONNECTIONS + 50,
        cleanup_interval=2,
        max_request_header_size=HEAD_BYTES,
        asyncore_use_poll=True,
        **given,
    )
    dispatcher = ThreadedTaskDispatcher()
    sockets: dict[int, Any] = {}
    dispatcher.set_thread_count(settings.threads)
    servers = [
        GuardedServer(app, sockets, dispatcher=dispatcher, adj=settings, sockinfo=address)
        for address in settings.listen
    ]
    for server in servers:
        server.by_address = by_address
    if len(servers) == 1:
        return servers[0]
    names = [(server.effective_host, server.effective_port) for server in servers]
    return MultiSocketServer(sockets, settings, names, dispatcher, servers[-1].log_info)
