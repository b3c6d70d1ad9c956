"""The built-in web server: waitress, in the process that also sweeps and sends."""

from __future__ import annotations

import logging
import signal
import socket
from typing import Any

from flask import Flask

from engine.settings import Settings, SettingsError
from web.app.connections import open_server
from web.app.request_limits import REQUEST_BYTES

log = logging.getLogger("jiuniu")


def listen(app: Flask, settings: Settings) -> Any:
    """Open the port.

    Proxies' headers are removed unless their number is set; then ProxyFix reads them.

    Raises: SettingsError.
    """
    try:
        return open_server(
            app,
            by_address=not settings.trusted_proxies,
            host=settings.host,
            port=settings.port,
            threads=8,
            max_request_body_size=REQUEST_BYTES * 2,
            clear_untrusted_proxy_headers=not settings.trusted_proxies,
        )
    except (OSError, ValueError, OverflowError) as trouble:
        raise _cannot_listen(settings, trouble) from None


def try_to_listen(settings: Settings) -> None:
    """Check the address before anything else begins, to report it in one line.

    Raises: SettingsError.
    """
    try:
        family, _type, _protocol, _name, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        socket.create_server(address[:2], family=family).close()
    except (OSError, ValueError) as trouble:
        raise _cannot_listen(settings, trouble) from None


def _cannot_listen(settings: Settings, trouble: Exception) -> SettingsError:
    return SettingsError(
        f"JIUNIU_HOST, JIUNIU_PORT: cannot listen on {settings.host}:{settings.port} ({trouble})"
    )


def serve(server: Any, settings: Settings) -> None:
    """Serve until a signal comes; waitress then finishes open requests and returns."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    log.info("Jiuniu is at %s", settings.base_url)
    server.run()


def _leave(*_: object) -> None:
    raise SystemExit(0)
