"""The month: a large club and a small one in New York, with all that goes wrong.

On the movable clock. Everything random comes from one seeded die.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.mail import Mail
from tests.month import people
from tests.month.arrivals import found
from tests.month.hands import Hands, Somebody, posted
from tests.month.people import Does, answers_to, decision
from tests.month.plan import END, Club, Plan
from tests.month.record import Posted, Record, rows_of
from tests.month.trouble import things_break
from tests.world import World
from web.app.background import Ticker

TICK = timedelta(hours=1)
DESK_HOURS = (9, 21)  # when a decider reads mail


@dataclass
class Life:
    world: World
    plan: Plan
    dice: Random = field(init=False)
    ticks: list[datetime] = field(default_factory=list)
    mails: list[Posted] = field(default_factory=list)
    strays: list[Posted] = field(default_factory=list)
    erased: list[tuple[int, int, str]] = field(default_factory=list)
    admins: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice, self.hands, self.ticker = (
            Random(self.plan.seed),
            Hands(self.world),
            Ticker(self.world.service),
        )
        self.clubs = (
            Club("jiuniu", "Asia/Shanghai", "zh-CN", self.plan.members),
            Club("hudson", "America/New_York", "en", 12),
        )
        self.addressed: dict[tuple[str, str], Somebody] = {}
        self.ids: dict[str, int] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order, self._read, self._next_tick = itertools.count(), 0, self.plan.begin
        self._off = self.plan.span(self.plan.worker_off)

    # Time

    def run(self) -> Record:
        """Live through the month; returns what is left of it."""
        self.world.set_clock(self.plan.begin)
        for club in self.clubs:
            found(self, club)
        things_break(self)
        while (moment := self._following()) < END:
            self.world.set_clock(max(moment, self.world.now))
            self._live(moment)
        self.world.set_clock(max(END, self.world.now))
        self.tick()
        return self._record()

    def _following(self) -> datetime:
        return min(self._next_tick, self._agenda[0][0]) if self._agenda else self._next_tick

    def _live(self, moment: datetime) -> None:
        if moment == self._next_tick:
            self._next_tick += TICK
            self.tick()
        else:
            heapq.heappop(self._agenda)[2]()
            if not self._is_off():
                self.ticker.post_now().deliver()  # in life a new letter wakes the post
        self._hand_out()

    def tick(self) -> None:
        if self._is_off():
            return
        self.ticks.append(self.world.now)
        self.ticker.once()
        if len(self.ticks) % 24 == 0:
            self.ticker.tick_housekeeping()

    def _is_off(self) -> bool:
        return self._off[0] <= self.world.now < self._off[1]

    def later(self, after: timedelta, what: Callable[[], object]) -> None:
        self.at(self.world.now + after, what)

    def at(self, moment: datetime, what: Callable[[], object]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), lambda: (what(), None)[1]))

    # Mail

    def _hand_out(self) -> None:
        """Everybody finds what came since, and makes up their mind."""
        fresh = [Mail(message) for message in self.world.sink.mails[self._read :]]
        self._read = len(self.world.sink.mails)
        for mail in fresh:
            seen = posted(mail, self.world.now)
            self.mails.append(seen)
            who = self.addressed.get((seen.club, seen.to))
            if who is None:
                self.strays.append(seen)
            else:
                self._reads(who, mail)

    def _reads(self, who: Somebody, mail: Mail) -> None:
        who.links.extend(url for url in mail.links if "/c/" in url)
        place, _, bare = mail.letter.partition(".")
        if bare == "your_link" or mail.letter == "club.sign_in":
            self.later(
                who.mood.hours(0.05, 0.6),
                lambda: self._follows_link(who, mail, place.replace("_", "-")),
            )
        elif who.decides and (
            bare in people.DECISIONS or mail.letter in ("club.daily", "club.receipt")
        ):
            self.at(self._desk_hour(who), lambda: self._decides(who, mail))
        else:
            for does in answers_to(mail.letter, who.mood):
                kind = "/me/" if does.action == "acknowledge" else "/c/"
                url = next((url for url in mail.links if kind in url), None)
                if url:
                    self.later(
                        does.after, lambda url=url, does=does: self.hands.press(who, url, does)
                    )

    def _follows_link(self, who: Somebody, mail: Mail, path: str) -> None:
        if mail.letter == "club.sign_in":
            self._signs_in(who, mail)
            return
        url = next((url for url in mail.links if "/c/" in url), None)
        if url is None or path not in who.wishes:
            return
        typed = who.wishes.pop(path)
        if "email" in typed:
            self.addressed[(who.club, typed["email"])] = who
        if "erase" in typed:
            link = self.world.service.links.read(url.rsplit("/", 1)[1])
            self.erased.append((link.club_id, link.person_id, who.name))
        self.hands.fill_own_form(who, url, typed, times=who.mood.dice.choice((1, 1, 2)))

    def _signs_in(self, who: Somebody, mail: Mail) -> None:
        self.hands.sign_in(who, mail)
        self.hands.look(who, f"/{who.club}/reflections")
        if "desk" in who.wishes:
            self.hands.go_away(who, who.wishes.pop("desk")["until"])

    # Deciders

    def _desk_hour(self, who: Somebody) -> datetime:
        """The next time this decider sits down, some minutes after the last thing that waits for
        it."""
        zone = ZoneInfo(next(club.zone for club in self.clubs if club.slug == who.club))
        local = self.world.now.astimezone(zone)
        days = (local.date() + timedelta(days=day) for day in range(2))
        hours = [
            datetime(day.year, day.month, day.day, hour, tzinfo=zone)
            for day in days
            for hour in DESK_HOURS
        ]
        return min(hour for hour in hours if hour > local).astimezone(UTC) + who.mood.hours(0, 0.7)

    def _decides(self, who: Somebody, mail: Mail) -> None:
        if mail.letter == "club.daily":
            self._works_through(who, mail)
        elif mail.letter == "club.receipt":
            for url in who.mood.dice.sample(
                case_links := [url for url in mail.links if "/c/" in url], min(1, len(case_links))
            ):
                if who.mood.chance(0.2):
                    self.hands.press(who, url, Does("undo", timedelta()))
        else:
            self._answers_ask(who, mail)

    def _answers_ask(self, who: Somebody, mail: Mail) -> None:
        does = decision(mail.letter, who.mood)
        if does is None or not self.hands.press(who, mail.link(), does):
            return
        if does.action == "remove" and who.mood.chance(0.5):
            self.later(
                who.mood.hours(24, 100),
                lambda: self.hands.press(who, mail.link(), Does("readmit", timedelta())),
            )

    def _works_through(self, who: Somebody, mail: Mail) -> None:
        """Some one by one with a word, the rest on one page; or nothing today."""
        links = [url for url in mail.links if "/c/" in url]
        if who.mood.chance(0.25) or not links:
            return
        for url in links[:-1]:
            if who.mood.chance(0.12):
                self.hands.press(
                    who,
                    url,
                    Does(
                        who.mood.dice.choice(("return", "decline")),
                        timedelta(),
                        {"note": who.mood.word("note")},
                    ),
                )
        if len(links) == 1:
            self.hands.press(
                who, links[0], Does("approve", timedelta(), times=who.mood.dice.choice((1, 2)))
            )
        else:
            self.hands.approve_many(who, links[-1], lambda: who.mood.chance(0.92))

    # What is left

    def _record(self) -> Record:
        self._hand_out()
        both = [
            (who.club, word) for who in self.addressed.values() for word in (who.name, who.address)
        ]
        shared = {
            word for _, word in both if len({club for club, other in both if other == word}) > 1
        }
        names = {
            club.slug: {word for slug, word in both if slug == club.slug and word not in shared}
            for club in self.clubs
        }
        rows = rows_of(self.world.service.db)
        whose = {case.id: case.person_id for case in rows["cases"]}
        elected = {whose[event.case_id] for event in rows["events"] if event.to_state == "elected"}
        return Record(
            begin=self.plan.begin,
            end=self.world.now,
            ticks=self.ticks,
            **rows,
            mails=self.mails,
            admins=self.admins | elected,
            votes=self.hands.votes,
            pokes=self.hands.pokes,
            names=names,
            erased=self.erased,
            strays=self.strays,
            faults=self.hands.faults,
        )
