"""What one process of the service holds together: settings, database, clock, links, the composer of
mails."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import cast

from flask import current_app
from itsdangerous import URLSafeTimedSerializer

from engine.clock import Clock, FileClock, machine_now
from engine.operations.mail_account import Outgoing, outgoing
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
        """Open the database, bringing its schema up to date. Raises SettingsError where its files
        may not be written."""
        db = db or Database(settings.database_url)
        if db.is_sqlite and (part := out_of_bounds(db.url)) is not None:
            where = (
                "JIUNIU_DATA_DIR"
                if Path(db.url.database or "").parent == settings.data_dir
                else "JIUNIU_DATABASE_URL"
            )
            raise SettingsError(
                f"{where}: {part} cannot be written; give this account the right to (or is the disk read-only?)"
            )
        if schema.upgrade(db):
            log.info("the database was brought to schema %s", schema.newest())
        if db.is_sqlite:
            log.debug("SQLite %s", sqlite_module().sqlite_version)
        return cls(settings, db, FileClock(settings.clock_file or settings.data_dir / "clock"))

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
        """Signs the hidden field of forms that are open to anyone: which form this is and when it
        was opened."""
        return URLSafeTimedSerializer(
            [key.encode() for key in reversed(self.settings.secret_keys)], salt=b"jiuniu.form"
        )

    @property
    def mailbox(self) -> Path:
        return self.settings.data_dir / "mailbox"

    @property
    def demo_clock(self) -> Path | None:
        """The file that the demo's clock buttons move; None where somebody else's file moves the
        clock."""
        return None if self.settings.clock_file else self.settings.data_dir / "clock"

    # Each held by its tick while it runs, both by the demo while it lives through weeks of its own.
    sweeping: threading.Lock = field(default_factory=threading.Lock)
    posting: threading.Lock = field(default_factory=threading.Lock)

    # When this process began, by the machine's clock.
    started_at: datetime = field(default_factory=machine_now)

    # Set by ``python app.py`` when it starts the built-in mailbox.
    built_in: MailServer | None = None

    def outgoing(self) -> Outgoing:
        """How mail leaves now; an account that was set on a page a moment ago holds for every
        process."""
        with self.db.read() as session:
            way = outgoing(session, self.settings, self.encryption)
        return replace(way, server=self.built_in) if way.origin == "mailbox" else way

    @property
    def mail_server(self) -> MailServer | None:
        return self.outgoing().server


def services() -> Services:
    """The service of the application at hand."""
    return cast(Services, current_app.extensions["jiuniu"])
