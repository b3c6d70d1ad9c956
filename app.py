"""Jiuniu: ``create_app()`` for a WSGI server, ``python app.py`` for everything in one process."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

import workflows  # noqa: F401  (makes the club's rules known)
from engine.schema import SchemaIsNewer
from engine.settings import Settings, SettingsError, load
from mailers.catcher import Catcher
from web import assets, commands, demo, desk, forgery, guard, health, logbook, setup, speak, trouble, typed
from web.case import case
from web.clubs import clubs
from web.forms import forms
from web.mailbox import mailbox
from web.member import member
from web.privacy import privacy
from web.reflections import reflections
from web.server import listen, serve, try_to_listen
from web.service import Service
from web.sessions import sessions
from web.ticker import Ticker

BLUEPRINTS = (
    assets.assets, health.health, setup.setup, clubs, mailbox, case, member, sessions, *desk.PAGES, reflections, privacy, forms,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Starts no thread, sweeps nothing, sends nothing."""
    settings = settings or _load_or_exit()
    logbook.keep(settings)
    app = Flask(__name__, static_folder=None)
    try:
        app.extensions["jiuniu"] = Service.build(settings)
        commands.init(app)
    except SettingsError as wrong:
        _exit(str(wrong))
    except (OSError, SQLAlchemyError, ImportError, SchemaIsNewer) as wrong:
        _exit(f"JIUNIU_DATABASE_URL: the database cannot be opened ({type(wrong).__name__}: {str(wrong).splitlines()[0]})")
    logbook.init(app)
    speak.init(app)
    assets.init(app)
    guard.init(app, settings)
    forgery.init(app)
    trouble.init(app)
    typed.init(app)
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
    try:
        try_to_listen(settings)
    except SettingsError as wrong:
        _exit(str(wrong))
    app = create_app(settings)
    service: Service = app.extensions["jiuniu"]
    catcher = Catcher(service.mailbox) if settings.built_in_mailbox else None
    if catcher:
        service.built_in = catcher.start()
    ticker = Ticker(service)
    ticker.start()
    if os.environ.get("DEMO") == "1" and demo.possible(service):
        demo.begin(service)
    try:
        server = listen(app, settings)
    except SettingsError as wrong:
        _exit(str(wrong))
    try:
        serve(server, settings)
    finally:
        ticker.stop()
        if catcher:
            catcher.stop()


def _exit(line: str) -> NoReturn:
    print(line, file=sys.stderr)  # noqa: T201
    sys.exit(2)


if __name__ == "__main__":
    main()
