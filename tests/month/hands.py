"""The actions of people through real pages: mailed links, forms, presses.

Also twice, also what is not theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import func, select

from engine.storage.models import Event, Letter, Mark
from tests.mail import Mail
from tests.month.people import Does, Mood
from tests.month.record import Poke, Posted, Vote
from tests.page import Browser, Page
from tests.world import World


@dataclass
class Somebody:
    """A person as life knows them; the club knows only what they typed."""

    club: str
    name: str
    address: str
    mood: Mood
    browser: Browser
    rank: str = "member"
    wishes: dict[str, dict[str, str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    @property
    def decides(self) -> bool:
        return self.rank in ("owner", "admin")


@dataclass
class Hands:
    """Every act of every person; what it saw that no person should see stands in ``faults``."""

    world: World
    pressed: dict[str, int] = field(default_factory=dict)
    votes: list[Vote] = field(default_factory=list)
    pokes: list[Poke] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def press(self, who: Somebody, url: str, does: Does) -> bool:
        """Open the link and press, if the page offers it. False where it does not."""
        page = self.look(who, url)
        if does.action not in page.actions:
            self._count(f"not offered: {does.action}")
            return False
        form = page.form_with(does.action)
        data = page.fields(does.action) | dict(does.typed) | {"action": does.action}
        data = {key: value for key, value in data.items() if form.select_one(f'[name="{key}"]')}
        for _ in range(does.times):
            answer = self._post(
                who, urljoin(page.response.url, str(form.get("action") or page.response.url)), data
            )
        self._count(does.action)
        if does.action == "vote" and answer.status == 200:
            self._note_vote(who, url, does.typed["choice"])
        return True

    def look(self, who: Somebody, url: str) -> Page:
        return self._watched(who.browser.get(url), "GET")

    def _post(self, who: Somebody, url: str, data: Mapping[str, Any]) -> Page:
        return self._watched(who.browser.post(url, dict(data)), str(data.get("action", "")))

    def _watched(self, page: Page, what: str) -> Page:
        if page.status >= 500:
            self.faults.append(
                f"{self.world.now.isoformat()} {what} {page.status}: {page.text[:200]}"
            )
        return page

    def _count(self, what: str) -> None:
        self.pressed[what] = self.pressed.get(what, 0) + 1

    def _note_vote(self, who: Somebody, url: str, choice: str) -> None:
        link = self.world.service.links.read(url.rsplit("/", 1)[1])
        self.votes.append(Vote(self.world.now, who.club, link.target, link.person_id, choice))

    # Forms

    def apply(self, who: Somebody, *, times: int = 1) -> None:
        """The join form, as a person would fill it in; twice the same POST where they press twice."""
        mood = who.mood
        self._fill(
            who,
            f"/{who.club}/join",
            times,
            name=who.name,
            email=who.address,
            city=mood.word("city"),
            about=mood.word("about"),
            accept_charter="y",
        )

    def ask_for_link(self, who: Somebody, path: str) -> None:
        """A member asks for the personal link to a form (or to the desk)."""
        self._fill(who, f"/{who.club}/{path}", 1, email=who.address)

    def fill_own_form(
        self, who: Somebody, url: str, typed: Mapping[str, str], *, times: int = 1
    ) -> None:
        self._fill(who, url, times, **typed)

    def _fill(self, who: Somebody, path: str, times: int, **typed: str) -> None:
        page = self.look(who, path)
        if page.status != 200 or not page.soup.select_one('form[method="post"] input[name="form"]'):
            self._count(f"no form: {page.status}")
            return
        data = page.fields() | {"form": self.world.aged_stamp(page.value("form"))} | typed
        for _ in range(times):
            self._post(who, page.response.url, data)
        self._count("handed in a form")

    # Deciders

    def approve_many(self, who: Somebody, url: str, keep: Callable[[], bool]) -> None:
        """The one page of the daily letter: approve what is ticked."""
        page = self.look(who, url)
        ticked = [str(box["value"]) for box in page.soup.select('input[name="case"]') if keep()]
        if not ticked:
            return
        self._post(
            who, page.response.url, page.fields("approve") | {"action": "approve", "case": ticked}
        )
        self._count("approve on one page")

    def sign_in(self, who: Somebody, mail: Mail) -> None:
        page = self.look(who, mail.link())
        if "confirm" in page.actions:
            page.press("confirm")

    def go_away(self, who: Somebody, until: str) -> None:
        page = self.look(who, f"/{who.club}/desk")
        if "away" in page.actions:
            page.press("away", until=until)
            self._count("away")

    # What is not theirs to press

    def poke(self, who: Somebody, url: str, way: str) -> None:
        """Fetch an old link, or post to it without having seen its page: nothing may come of it."""
        before = self._everything()
        if way == "POST":
            answer = who.browser.session.post(
                url,
                data={"action": who.mood.dice.choice(("approve", "confirm", "submit"))},
                timeout=20,
            )
        elif way == "own":
            page = self.look(who, url)
            forged = (
                page.forge("approve", note="x") if page.soup.select('form[method="post"]') else page
            )
            answer = forged.response
        else:
            answer = who.browser.session.request(way, url, timeout=20)
        if answer.status_code >= 500:
            self.faults.append(f"{self.world.now.isoformat()} {way} {answer.status_code}")
        self.pokes.append(
            Poke(self.world.now, f"{way} {answer.status_code}", before, self._everything())
        )
        self._count(f"poked: {way}")

    def _everything(self) -> tuple[int, ...]:
        with self.world.service.db.read() as session:
            connection = session.connection()
            tables = (Event.__table__, Mark.__table__, Letter.__table__)
            return tuple(
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables
            )


def posted(mail: Mail, at: Any) -> Posted:
    """A mail as the audit reads it."""
    slug = str(mail.message["List-Id"]).split()[0]
    message_id = str(mail.message["Message-ID"]).strip().strip("<>").partition("@")[0]
    return Posted(at, slug, mail.letter, mail.to, message_id, mail.subject, mail.text)
