"""Jiuniu: ``create_app()`` for a WSGI server, ``python app.py`` for everything in one process."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

import workflows  # noqa: F401  (makes the club's rules known)
from engine.settings import Settings, SettingsError, load
from engine.storage.database import Database
from engine.storage.schema import SchemaIsNewer
from mailers.dev_mailbox import DevMailbox
from web import commands, desk, setup
from web.app import demo, health, request_limits
from web.app.background import Ticker
from web.app.server import listen, serve, try_to_listen
from web.app.services import Services
from web.cases.case import case
from web.cases.public_form import forms
from web.http import assets, csrf, errors, i18n, request_log, security, unsaved_input
from web.member import member
from web.public.home import clubs
from web.public.mailbox import mailbox
from web.public.privacy import privacy
from web.public.reflections import reflections
from web.public.sessions import sessions

BLUEPRINTS = (
    assets.assets,
    health.health,
    setup.setup,
    clubs,
    mailbox,
    case,
    member,
    sessions,
    *desk.PAGES,
    reflections,
    privacy,
    forms,
)


def create_app(settings: Settings | None = None, *, db: Database | None = None) -> Flask:
    """Build the web application.

    It starts no thread, sweeps nothing and sends nothing.
    """
    settings = settings or _load_or_exit()
    request_log.install(settings)
    app = Flask(__name__, static_folder=None)
    try:
        app.extensions["jiuniu"] = Services.build(settings, db)
        commands.init(app)
    except SettingsError as wrong:
        _exit(str(wrong))
    except (OSError, SQLAlchemyError, ImportError, SchemaIsNewer) as wrong:
        _exit(
            f"JIUNIU_DATABASE_URL: the database cannot be opened ({type(wrong).__name__}: "
            f"{str(wrong).splitlines()[0]})"
        )
    request_log.init(app)
    i18n.init(app)
    assets.init(app)
    request_limits.init(app)
    security.init(app, settings)
    csrf.init(app)
    errors.init(app)
    unsaved_input.init(app)
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
    """Serve pages, sweep and send mail until a signal comes.

    Without a mail server the built-in mailbox takes the mail.
    """
    request_log.set_level()
    settings = _load_or_exit()
    try:
        try_to_listen(settings)
    except SettingsError as wrong:
        _exit(str(wrong))
    app = create_app(settings)
    service: Services = app.extensions["jiuniu"]
    catcher = DevMailbox(service.mailbox) if settings.built_in_mailbox else None
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
