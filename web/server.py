"""The web server that comes along: waitress, in the process that also sweeps and sends."""

from __future__ import annotations

import logging
import signal
from typing import Any

from flask import Flask
from waitress.server import create_server

from engine.settings import Settings, SettingsError
from web.guard import REQUEST_BYTES

log = logging.getLogger("jiuniu")

# A phone keeps its line open for two minutes after the page has come; a whole club may read its mail at once.
MOST_LINES = 400


def listen(app: Flask, settings: Settings) -> Any:
    """It takes proxies' headers off unless their number is set, and ProxyFix reads them. Raises SettingsError."""
    try:
        return create_server(
            app, host=settings.host, port=settings.port, threads=8, max_request_body_size=REQUEST_BYTES * 2,
            clear_untrusted_proxy_headers=not settings.trusted_proxies, connection_limit=MOST_LINES, asyncore_use_poll=True,
        )  # fmt: skip
    except (OSError, ValueError, OverflowError) as trouble:
        where = f"{settings.host}:{settings.port}"
        raise SettingsError(f"JIUNIU_HOST, JIUNIU_PORT: cannot listen on {where} ({trouble})") from None


def serve(server: Any, settings: Settings) -> None:
    """Until a signal comes: waitress answers what is under way and returns."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    log.info("Jiuniu is at %s", settings.base_url)
    server.run()


def _leave(*_: object) -> None:
    raise SystemExit(0)
