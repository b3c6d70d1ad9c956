"""A club in a world of its own: real app, real port, real mail server, movable clock."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache

from app import create_app
from engine.outbox.delivery_log import rows
from engine.security.links import Link
from engine.settings import load
from engine.storage.database import Database
from engine.storage.models import Case
from mailers.dev_mailbox import free_port
from tests import club
from tests.club import LILEI
from tests.databases import Databases, borrow, give_back
from tests.harness import MONDAY, ClubHarness, next_due
from tests.mail import Mail
from tests.page import Browser, Page, aged
from tests.sink import Sink
from web.app.background import Ticker
from web.app.server import listen
from web.app.services import Services

APPLICATION = club.APPLICATION | {"email": LILEI, "accept_charter": "y"}


class CompiledTemplates(BytecodeCache):
    """What the templates of this process compiled to: an app of its own for each world would
    compile all of them anew."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._kept[bucket.key, bucket.checksum] = bucket.code


TEMPLATES = CompiledTemplates()


@dataclass
class World(ClubHarness):
    folder: Path
    sink: Sink
    service: Services
    base: str
    server: Any
    slug: str = "jiuniu"
    club_id: int = 0
    _read: int = field(default=0)
    _phones: dict[str, Browser] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ticker = Ticker(self.service)

    @classmethod
    def begin(cls, folder: Path, databases: Databases, **environment: str) -> World:
        """Start the app on a free port, with an empty database."""
        sink, port = Sink(), free_port()
        clock = folder / "clock-file"
        data = folder / "data"
        data.mkdir()
        settings = load(
            databases.settings(data, f"world-{folder.name}")
            | {
                "JIUNIU_PORT": str(port),
                "JIUNIU_SMTP_URL": sink.url,
                "JIUNIU_CLOCK_FILE": str(clock),
                "JIUNIU_MAIL_FROM": "Jiuniu <club@jiuniu.example>",
            }
            | environment
        )
        app = create_app(settings, db=borrow(settings.database_url))
        app.jinja_env.bytecode_cache = TEMPLATES
        server = listen(app, settings)
        threading.Thread(target=server.run, daemon=True).start()
        world = cls(folder, sink, app.extensions["jiuniu"], f"http://127.0.0.1:{port}/", server)
        world.set_clock(MONDAY)
        return world

    def end(self) -> None:
        self.server.task_dispatcher.shutdown()  # else its threads would hold this world for ever
        self.server.close()
        if self.ticker.post is not None:
            self.ticker.post.channel.close()
        self.sink.stop()
        give_back(self.db)

    @property
    def db(self) -> Database:
        return self.service.db

    @property
    def same_data(self) -> dict[str, str]:
        """What another process on the same data is told."""
        settings = self.service.settings
        return {
            "JIUNIU_DATA_DIR": str(settings.data_dir),
            "JIUNIU_DATABASE_URL": settings.database_url,
            "JIUNIU_SECRET_KEY": settings.secret_keys[0],
        }

    # The club

    def found_club(self, slug: str = "jiuniu", locale: str = "zh-CN", **given: Any) -> int:
        self.slug, self.club_id = slug, self.found(slug=slug, locale=locale, **given)
        return self.club_id

    # Time

    @property
    def now(self) -> datetime:
        return self.service.clock.now()

    def set_clock(self, at: datetime) -> None:
        path = self.folder / "clock-file"
        fresh = path.with_suffix(".new")
        fresh.write_text(at.isoformat())
        os.replace(fresh, path)

    def pass_time(self, **span: float) -> None:
        """Let time pass in one leap, then one tick."""
        self.set_clock(self.now + timedelta(**span))
        self.tick()

    def live_until(self, at: datetime, step: timedelta = timedelta(hours=1)) -> None:
        """Let time pass, ticking whenever something is due; what stays due, as while a mail server
        is down, is tried again each ``step``."""
        while self.now < at:
            moment = next_due(self.db) or at
            self.set_clock(min(moment if moment > self.now else self.now + step, at))
            self.tick()

    def tick_what_is_due(self) -> None:
        moment = next_due(self.db)
        if moment is not None and moment <= self.now:
            self.tick()

    def tick(self) -> None:
        self.ticker.once()

    # Mail

    @property
    def mails(self) -> list[Mail]:
        return [Mail(message) for message in self.sink.mails]

    def new_mails(self) -> list[Mail]:
        """The mails that came since this was last asked."""
        self.tick_what_is_due()
        fresh = self.mails[self._read :]
        self._read = len(self.sink.mails)
        return fresh

    def new_letters(self) -> list[tuple[str, str]]:
        """(letter, recipient) of the mails that came since, sorted."""
        return sorted((mail.letter, mail.to) for mail in self.new_mails())

    def mail(self, letter: str, to: str | None = None) -> Mail:
        """The newest mail of this letter."""
        self.tick_what_is_due()
        for mail in reversed(self.mails):
            if mail.letter == letter and to in (None, mail.to):
                return mail
        raise AssertionError(
            f"no mail {letter} to {to}; there are {[(m.letter, m.to) for m in self.mails]}"
        )

    def ledger(self, **wanted: Any) -> list[dict[str, Any]]:
        with self.db.read(self.club_id) as session:
            return [
                row
                for row in rows(session)
                if all(row[key] == value for key, value in wanted.items())
            ]

    # People

    def browser(self, language: str = "zh-CN") -> Browser:
        return Browser(self.base, language)

    def apply(self, browser: Browser | None = None, **changed: str) -> Page:
        """Fill in the join form as a person would: not within two seconds of opening it."""
        page = (browser or self.browser()).get(f"/{self.slug}/join")
        return self.press_as_a_person(page, **(APPLICATION | changed))

    def press_as_a_person(self, page: Page, action: str | None = None, **typed: str) -> Page:
        data = page.fields(action) | {"form": self.aged_stamp(page.value("form"))} | typed
        return page.browser.post(page.response.url, data)

    def aged_stamp(self, stamp: str) -> str:
        return aged(self.service.form_stamps, stamp)

    def join(self, **changed: str) -> Mail:
        """A whole joining: apply, confirm, approve. Returns the welcome."""
        address = changed.get("email", APPLICATION["email"])
        self.apply(**changed)
        self.open(self.mail("join.confirm_address", address)).press("confirm")
        self.open(self.mail("join.please_decide")).press("approve")
        return self.mail("join.welcome", address)

    def add_member(
        self, address: str, name: str, *, role: str = "member", locale: str = "zh-CN"
    ) -> int:
        """Somebody who has been in the club for long and owes nothing."""

        return self.add(address, name, role=role, locale=locale, charter_version=1)

    def case(self, workflow: str, address: str) -> Case:
        """The newest case of this workflow about this person."""
        return self.newest_case(address, workflow)

    def form_page(self, path: str, address: str) -> Page:
        """A member asks for their link to a form and opens it."""
        page = self.browser().get(f"/{self.slug}/{path}")
        self.press_as_a_person(page, email=address)
        return self.open(self.mail(f"{path.replace('-', '_')}.your_link", address))

    def open_own_page(
        self, address: str, room: str = "", browser: Browser | None = None, **age: float
    ) -> Page:
        """A member's page, or a room of it, by a link that was mailed just now (or some time ago)."""
        you, made_at = self.person(address), self.now - timedelta(**age)
        token = self.service.links.token(
            Link("me", self.club_id, you.id, you.link_epoch, 0, made_at)
        )
        return (browser or self.browser()).get(f"{self.base}me/{token}{room and '/'}{room}")

    def sign_in(self, address: str) -> Browser:
        """A browser that is signed in as this person."""
        browser = self.browser()
        self.press_as_a_person(browser.get(f"/{self.slug}/desk"), email=address)
        self.open(self.mail("club.sign_in", address), browser).press("confirm")
        return browser

    def open(self, mail: Mail | str, browser: Browser | None = None) -> Page:
        """Open a mail's first link where its recipient reads mail; a bare address anywhere."""
        if isinstance(mail, str):
            return (browser or self.browser()).get(mail)
        return (browser or self.phone_of(mail.to)).get(mail.link())

    def phone_of(self, address: str) -> Browser:
        """Return the one browser in which somebody reads their mail."""
        return self._phones.setdefault(address, self.browser())
