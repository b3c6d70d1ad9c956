"""Jiuniu: ``create_app()`` for a WSGI server, ``python app.py`` for everything in one process."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from waitress.server import create_server

import workflows  # noqa: F401  (makes the club's rules known)
from engine.schema import SchemaIsNewer
from engine.settings import Settings, SettingsError, load
from mailers.catcher import Catcher
from web import commands, demo, desk, guard, health, logbook, setup, speak
from web.case import case
from web.clubs import clubs
from web.forms import forms
from web.mailbox import mailbox
from web.member import member
from web.privacy import privacy
from web.reflections import reflections
from web.service import Service
from web.sessions import sessions
from web.ticker import Ticker

# A phone keeps its line open for two minutes after the page has come; a whole club may read its mail at once.
MOST_LINES = 400
BLUEPRINTS = (
    health.health, setup.setup, clubs, mailbox, case, member, sessions, *desk.PAGES, reflections, privacy, forms,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Starts no thread, sweeps nothing, sends nothing."""
    settings = settings or _load_or_exit()
    logbook.keep(settings)
    app = Flask(__name__, static_folder="web/static", static_url_path="/static")
    try:
        app.extensions["jiuniu"] = Service.build(settings)
    except (OSError, SQLAlchemyError, ImportError, SchemaIsNewer) as trouble:
        _exit(f"JIUNIU_DATABASE_URL: the database cannot be opened ({type(trouble).__name__}: {str(trouble).splitlines()[0]})")
    logbook.init(app)
    speak.init(app)
    guard.init(app, settings)
    health.init(app)
    commands.init(app)
    desk.init(app)
    setup.init(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _load_or_exit() -> Settings:
    try:
        return load()
    except SettingsError as wrong:
        _exit(str(wrong))


def main() -> None:
    """Web, sweep, post and, without a mail server, the built-in mailbox, until a signal comes."""
    logbook.tell_all()
    settings = _load_or_exit()
    _try_to_listen(settings)
    app = create_app(settings)
    service: Service = app.extensions["jiuniu"]
    catcher = Catcher(service.mailbox) if settings.built_in_mailbox else None
    if catcher:
        service.built_in = catcher.start()
    ticker = Ticker(service)
    ticker.start()
    if os.environ.get("DEMO") == "1" and demo.possible(service):
        demo.begin(service)
    server = listen(app, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    logging.getLogger("jiuniu").info("Jiuniu is at %s", settings.base_url)
    try:
        server.run()  # until _leave: waitress answers what is under way and returns
    finally:
        ticker.stop()
        if catcher:
            catcher.stop()


def listen(app: Flask, settings: Settings) -> Any:
    """waitress; it takes proxies' headers off unless their number is set, and ProxyFix reads them."""
    try:
        return create_server(
            app, host=settings.host, port=settings.port, threads=8, max_request_body_size=guard.REQUEST_BYTES * 2,
            clear_untrusted_proxy_headers=not settings.trusted_proxies, connection_limit=MOST_LINES, asyncore_use_poll=True,
        )  # fmt: skip
    except (OSError, ValueError) as trouble:
        _cannot_listen(settings, trouble)


def _try_to_listen(settings: Settings) -> None:
    """Before anything else begins and speaks, so that a wrong address is told in one line."""
    try:
        family, _type, _protocol, _name, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except (OSError, ValueError) as trouble:
        _cannot_listen(settings, trouble)


def _cannot_listen(settings: Settings, trouble: Exception) -> NoReturn:
    _exit(f"JIUNIU_HOST, JIUNIU_PORT: cannot listen on {settings.host}:{settings.port} ({trouble})")


def _exit(line: str) -> NoReturn:
    print(line, file=sys.stderr)  # noqa: T201
    sys.exit(2)


def _leave(*_: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
