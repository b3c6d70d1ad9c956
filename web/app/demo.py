"""The demo club: people in different states, made by two weeks of the real engine and post.

It exists only beside no other club, its mails stay in the built-in mailbox, and its clock can be
moved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from engine.cases.open_cases import open_case_of
from engine.cases.submissions import submit_application
from engine.cases.transitions import act, open_case
from engine.charter.model import shipped_charter
from engine.clock import Clock, move_clock
from engine.club.context import all_clubs, by_slug, current_owner
from engine.club.people import by_address
from engine.declare.roles import Proof
from engine.declare.transition import Actor
from engine.scheduler.recurring import open_due
from engine.scheduler.sweep import sweep
from engine.settings import is_loopback
from engine.setup.club_admin import create_club, remove_demo
from engine.setup.member_import import import_members, read_roster
from engine.storage.database import enter_club
from engine.storage.models import Case, Club, Person, WebSession
from engine.storage.unit_of_work import ClubSession
from mailers import dev_mailbox
from mailers.queue.worker import DeliveryWorker
from web.app.services import Services

SLUG = "demo"
ZONE = ZoneInfo("Asia/Shanghai")
STEP = timedelta(hours=1)
ABOUT = (
    "想认真读几本书，也想认识几位愿意一起坚持的人。"
    "上一年读得很散，没有留下笔记，希望在这里养成习惯。"
)
GOALS = "一年后能把读过的二十本书讲给别人听，并且把每天早起读书变成习惯。"
PLAN = (
    "第一周：定下书单，读完《活着》。\n第二周：读《乡土中国》前六章，每章写三百字。\n"
    "以后每周一本，周六交笔记，周日复盘。"
)


@dataclass(frozen=True)
class Newcomer:
    name: str
    address: str
    city: str
    occupation: str
    referrer: str


LILEI = Newcomer("李雷", "lilei@example.com", "武汉", "大学三年级，法学", "韩梅梅")
HANMEIMEI = Newcomer("韩梅梅", "hanmeimei@example.com", "荆州", "中学语文老师", "林涛")
LINTAO = Newcomer("林涛", "lintao@example.com", "成都", "独立开发者", "")
WEIHUA = Newcomer("魏华", "weihua@example.com", "广州", "咖啡店店主", "韩梅梅")
GAOHUI = Newcomer("高慧", "gaohui@example.com", "西安", "研究生一年级，历史", "李雷")
ZHOUMIN = Newcomer("周敏", "zhoumin@example.com", "南京", "图书管理员", "")
REFLECTION = {
    "book": "活着",
    "author": "余华",
    "share": True,
    "reflection": (
        "福贵把牛叫作福贵。\n"
        "一个人失去了能失去的一切，还能和一头牛慢慢地说话，我想这就是书名的意思。"
    ),
}
ANOTHER = {
    "book": "边城",
    "author": "沈从文",
    "share": True,
    "reflection": "翠翠一直在等。最后一句话，让我合上书又坐了很久。",
}
NOMINATION = {
    "why": "我每天都在群里，也愿意帮新人。",
    "plan": "每周日更新书架，每周四帮忙主持讨论。",
}
JIM = Newcomer("Jim Green", "jim@example.com", "上海", "Exchange student", "李雷")


class HandClock:
    """A clock that the story moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def possible(service: Services) -> bool:
    """True if there is a local mail server and no real club.

    An existing demo counts as possible.
    """
    with service.db.read() as session:
        others = [club for club in all_clubs(session) if not club.is_demo]
    server = service.mail_server
    return not others and service.settings.is_local and (server is None or is_loopback(server.host))


def begin(service: Services) -> None:
    """Create the demo club and run its first two weeks; a second press starts again."""
    with service.sweeping, service.posting:
        end(service)
        dev_mailbox.empty(service.mailbox)
        _Story(service).tell()


def end(service: Services) -> bool:
    """Remove the demo and its clock, so that a real club begins on real time.

    True if there was one.
    """
    removed = service.db.write(remove_demo)
    if removed and service.demo_clock is not None:
        service.demo_clock.unlink(missing_ok=True)
        dev_mailbox.empty(service.mailbox)
    return removed


def pass_time(service: Services, clock_file: Path, span: timedelta) -> None:
    """Run the demo's clock through a span hour by hour, with all it brings.

    To the engine a single leap is downtime: of several reminders only the last would leave.
    """
    with service.sweeping, service.posting:
        service.db.write(_stay_signed_in, span)
        post = _post(service, service.clock)
        for _hour in range(int(span / STEP)):
            move_clock(clock_file, STEP)
            _tick(service, service.clock.now(), post)


def _stay_signed_in(session: ClubSession, span: timedelta) -> None:
    """Extend the visitor's sign-in, which the moved clock would end."""
    club = by_slug(session, SLUG)
    assert club is not None, "only a demo's clock is moved"
    enter_club(session, club.id)
    for browser in session.execute(select(WebSession)).scalars():
        browser.started_at, browser.ends_at = browser.started_at + span, browser.ends_at + span


def _post(service: Services, clock: Clock) -> DeliveryWorker | None:
    way = service.outgoing()
    return (
        DeliveryWorker(service.db, service.composer_for(way), way.server, clock)
        if way.server
        else None
    )


def _tick(service: Services, now: datetime, post: DeliveryWorker | None) -> None:
    open_due(service.db, now)
    sweep(service.db, now)
    if post is not None:
        post.deliver()


class _Story:
    def __init__(self, service: Services) -> None:
        self.service, self.db = service, service.db
        self.today = service.clock.now()
        self.clock = HandClock(self.today - timedelta(days=14))
        self.club_id = self.db.write(
            create_club,
            slug=SLUG,
            name="九牛读书会",
            owner_email="owner@example.com",
            owner_name="陈老师",
            zone=ZONE.key,
            locale="zh-CN",
            charter=shipped_charter("zh-CN").plain(),
            now=self.clock.at,
            is_demo=True,
        )
        self.post = _post(service, self.clock)

    def tell(self) -> None:
        """Tell the story of the demo club.

        Han Meimei is settled in and stood for admin, Zhou Min is one, Lin Tao's plan is under
        review, Wei Hua is late, Gao Hui has just joined, two apply; the weeks' reflections came in
        between.
        """
        self._brings_in(ZHOUMIN)
        chapters: list[tuple[float, Callable[[], None]]] = [
            (13, lambda: self._joins(HANMEIMEI, days_ago=13)),
            (12, lambda: self._hands_in_plan(HANMEIMEI, days_ago=12)),
            (
                11.8,
                lambda: self._at(
                    11.8,
                    self._decide(HANMEIMEI, "study_plan", "approve", "计划很实在，就按这个来。"),
                ),
            ),
            *[(days, functools.partial(self._reflect, days)) for days in self._days_of_reading()],
            (5, lambda: self._joins(WEIHUA, days_ago=5)),
            (2.5, lambda: self._joins(LINTAO, days_ago=2.5)),
            (2, lambda: self._stands_for_admin(HANMEIMEI, days_ago=2)),
            (1.2, lambda: self._joins(GAOHUI, days_ago=1.2)),
            (0.4, lambda: self._hands_in_plan(LINTAO, days_ago=0.4)),
            (0.3, lambda: self._applies(LILEI, days_ago=0.3)),
            (0.2, lambda: self._at(0.2, self._confirm(LILEI))),
            (0.1, lambda: self._applies(JIM, days_ago=0.1, locale="en")),
        ]
        for _days_ago, chapter in sorted(chapters, key=lambda item: -item[0]):
            chapter()
        self._live_until(self.today)

    def _days_of_reading(self) -> list[float]:
        """Return how many days ago the readers submitted.

        A day and a half after each Sunday of the two weeks.
        """
        local = self.today.astimezone(ZONE)
        sunday = (local - timedelta(days=local.isoweekday() % 7)).replace(
            hour=20, minute=0, second=0, microsecond=0
        )
        handed_in = [sunday + timedelta(days=1) - timedelta(weeks=weeks) for weeks in range(3)]
        return [
            days
            for days in ((local - moment) / timedelta(days=1) for moment in handed_in)
            if 0 < days < 11.5
        ]

    def _joins(self, who: Newcomer, *, days_ago: float) -> None:
        self._applies(who, days_ago=days_ago + 0.3)
        self._at(days_ago + 0.2, self._confirm(who))
        self._at(days_ago, self._decide(who, "join", "approve", "欢迎你来。"))

    def _brings_in(self, who: Newcomer) -> None:
        """Import an admin from before this service."""
        text = f"姓名,邮箱,城市,角色\n{who.name},{who.address},{who.city},管理员\n"
        with self.db.read() as session:
            club = session.get_one(Club, self.club_id)
        self.db.write(
            import_members, self.club_id, read_roster(text, club, self.clock.at), self.clock.at
        )

    def _reflect(self, days_ago: float) -> None:
        """Submit the punctual members' reflections, shared and read by the owner at once."""

        def unit(session: ClubSession) -> None:
            for who, text in ((HANMEIMEI, REFLECTION), (ZHOUMIN, ANOTHER)):
                person = by_address(session, who.address)
                case = open_case_of(session, person, "reflection") if person else None
                if case is not None:
                    act(
                        session,
                        case,
                        "submit",
                        by=Actor(person, "page"),
                        now=self.clock.at,
                        answers=text,
                    )
                    act(
                        session,
                        case,
                        "approve",
                        by=Actor(current_owner(session), "page"),
                        now=self.clock.at,
                        note="写得真好。",
                    )

        self._at(days_ago, unit)

    def _stands_for_admin(self, who: Newcomer, *, days_ago: float) -> None:
        """Nominate a member and let the owner agree: the members vote now."""

        def unit(session: ClubSession) -> None:
            person = by_address(session, who.address)
            assert person is not None, "they joined"
            case = open_case(
                session,
                "nomination",
                person,
                by=Actor(person, "page"),
                now=self.clock.at,
                answers=NOMINATION,
            )
            act(
                session,
                case,
                "approve",
                by=Actor(current_owner(session), "page"),
                now=self.clock.at,
            )

        self._at(days_ago, unit)

    def _applies(self, who: Newcomer, *, days_ago: float, locale: str = "zh-CN") -> None:
        self._live_until(self.today - timedelta(days=days_ago))
        answers = {
            "name": who.name,
            "email": who.address,
            "city": who.city,
            "occupation": who.occupation,
            "about": ABOUT,
            "interests": "文学、历史、一点点经济学",
            "referrer": who.referrer,
            "accept_charter": True,
        }
        self.db.write(
            submit_application,
            self.club_id,
            "join",
            answers,
            form_id=who.address,
            locale=locale,
            now=self.clock.at,
            limited=False,
        )
        self._live_until(self.clock.at)

    def _confirm(self, who: Newcomer) -> Callable[[ClubSession], None]:
        return lambda session: self._act(session, who, "join", "confirm", proof=Proof.ADDRESS)

    def _hands_in_plan(self, who: Newcomer, *, days_ago: float) -> None:
        answers = {"goals": GOALS, "plan": PLAN}
        self._at(
            days_ago,
            lambda session: self._act(session, who, "study_plan", "submit", answers=answers),
        )

    def _decide(
        self, who: Newcomer, workflow: str, action: str, note: str
    ) -> Callable[[ClubSession], None]:
        def unit(session: ClubSession) -> None:
            case = self._case(session, who, workflow)
            act(
                session,
                case,
                action,
                by=Actor(current_owner(session), "page"),
                now=self.clock.at,
                note=note,
            )

        return unit

    def _act(
        self,
        session: ClubSession,
        who: Newcomer,
        workflow: str,
        action: str,
        *,
        proof: Proof = Proof.NONE,
        **given: Any,
    ) -> None:
        case = self._case(session, who, workflow)
        person = session.get_one(Person, (self.club_id, case.person_id))
        act(
            session, case, action, by=Actor(person, "page", proof=proof), now=self.clock.at, **given
        )

    def _case(self, session: ClubSession, who: Newcomer, workflow: str) -> Case:
        person = by_address(session, who.address)
        case = open_case_of(session, person, workflow) if person else None
        assert case is not None, "the story opened it"
        return case

    def _at(self, days_ago: float, unit: Callable[[ClubSession], None]) -> None:
        self._live_until(self.today - timedelta(days=days_ago))

        def in_club(session: ClubSession) -> None:
            enter_club(session, self.club_id)
            unit(session)

        self.db.write(in_club)
        self._live_until(self.clock.at)

    def _live_until(self, moment: datetime) -> None:
        """Run the days hour by hour, with every deadline and every mail."""
        while True:
            self.clock.at = min(self.clock.at + STEP, moment)
            _tick(self.service, self.clock.at, self.post)
            if self.clock.at >= moment:
                return
