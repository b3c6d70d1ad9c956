"""The services of one process: settings, database, clock, links, composer."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from flask import current_app
from itsdangerous import URLSafeTimedSerializer

from engine.clock import Clock, FileClock, machine_now
from engine.operations.database_clock import DatabaseClock
from engine.operations.mail_account import Outgoing, outgoing
from engine.reports.forecast import PlannedLetter
from engine.security.encryption import Encryption
from engine.security.links import Links
from engine.settings import MailServer, Settings, SettingsError
from engine.storage import schema
from engine.storage.database import Database
from engine.storage.engines import out_of_bounds, sqlite_module
from mailers.letters.compose import Composer

log = logging.getLogger(__name__)


@dataclass
class Services:
    settings: Settings
    db: Database
    clock: Clock

    @classmethod
    def build(cls, settings: Settings, db: Database | None = None) -> Services:
        """Open the database and upgrade its schema.

        Raises: SettingsError if its files are not writable.
        """
        db = db or Database(settings.database_url)
        if db.is_sqlite and (part := out_of_bounds(db.url)) is not None:
            where = (
                "JIUNIU_DATA_DIR"
                if Path(db.url.database or "").parent == settings.data_dir
                else "JIUNIU_DATABASE_URL"
            )
            raise SettingsError(
                f"{where}: {part} cannot be written; give this account the right to (or is "
                "the disk read-only?)"
            )
        if schema.upgrade(db):
            log.info("the database was brought to schema %s", schema.newest())
        if db.is_sqlite:
            log.debug("SQLite %s", sqlite_module().sqlite_version)
        db.keys = Encryption(settings.secret_keys)
        return cls(settings, db, FileClock(settings.clock_file or settings.data_dir / "clock"))

    @cached_property
    def database_clock(self) -> DatabaseClock:
        return DatabaseClock(self.db)

    @cached_property
    def links(self) -> Links:
        return Links(self.settings.secret_keys, self.settings.base_url)

    @cached_property
    def encryption(self) -> Encryption:
        return Encryption(self.settings.secret_keys)

    @property
    def composer(self) -> Composer:
        return self.composer_for(self.outgoing())

    def composer_for(self, way: Outgoing) -> Composer:
        return Composer(self.links, way.sender)

    @cached_property
    def form_stamps(self) -> URLSafeTimedSerializer:
        """Return the signer of form tokens: which form, and when it was opened."""
        return URLSafeTimedSerializer(
            [key.encode() for key in reversed(self.settings.secret_keys)], salt=b"jiuniu.form"
        )

    @property
    def mailbox(self) -> Path:
        return self.settings.data_dir / "mailbox"

    @property
    def demo_clock(self) -> Path | None:
        """Return the file that the demo's clock buttons move.

        None if another file moves the clock.
        """
        return None if self.settings.clock_file else self.settings.data_dir / "clock"

    # Each is locked by its tick while it runs, both by the demo while it runs its weeks.
    sweeping: threading.Lock = field(default_factory=threading.Lock)
    posting: threading.Lock = field(default_factory=threading.Lock)

    # The forecast of each club with its time and what it was computed from, of some clubs.
    forecasts: dict[int, tuple[datetime, Any, list[PlannedLetter]]] = field(default_factory=dict)

    # When this process began, by the machine's clock.
    started_at: datetime = field(default_factory=machine_now)

    # Set by ``python app.py`` when it starts the built-in mailbox.
    built_in: MailServer | None = None

    def outgoing(self) -> Outgoing:
        """Return how mail leaves now, by the account that any process saved last."""
        with self.db.read() as session:
            way = outgoing(session, self.settings, self.encryption)
        return replace(way, server=self.built_in) if way.origin == "mailbox" else way

    @property
    def mail_server(self) -> MailServer | None:
        return self.outgoing().server


def services() -> Services:
    """Return the services of the current application."""
    return cast(Services, current_app.extensions["jiuniu"])
