"""The demo club: a handful of people in different states, made by living through two weeks with the real engine and post.

It exists only beside no other club, its mails stay in the built-in mailbox, and its clock can be moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from engine.at_hand import owner_at_hand
from engine.charter import shipped_charter
from engine.clock import move_clock
from engine.clubs import all_clubs, create_club, remove_demo
from engine.db import enter_club
from engine.intake import hand_in
from engine.models import Case, Person
from engine.openings import open_due
from engine.people import by_address
from engine.run import act, open_case_of
from engine.settings import is_loopback
from engine.step import Hand
from engine.sweep import sweep
from mailers import catcher
from mailers.delivery import Post
from web.service import Service

SLUG = "demo"
STEP = timedelta(hours=1)
ABOUT = "想认真读几本书，也想认识几位愿意一起坚持的人。上一年读得很散，没有留下笔记，希望在这里养成习惯。"
GOALS = "一年后能把读过的二十本书讲给别人听，并且把每天早起读书变成习惯。"
PLAN = "第一周：定下书单，读完《活着》。\n第二周：读《乡土中国》前六章，每章写三百字。\n以后每周一本，周六交笔记，周日复盘。"


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
JIM = Newcomer("Jim Green", "jim@example.com", "上海", "Exchange student", "李雷")


class HandClock:
    """A clock that stands where the story is."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def possible(service: Service) -> bool:
    """A demo needs a mail server on this machine and no club beside it (an existing demo counts as possible)."""
    with service.db.read() as session:
        others = [club for club in all_clubs(session) if not club.is_demo]
    server = service.mail_server
    return not others and service.settings.is_local and (server is None or is_loopback(server.host))


def begin(service: Service) -> None:
    """Make the demo club and live through its first two weeks; pressing again starts it anew."""
    with service.sweeping, service.posting:
        end(service)
        catcher.empty(service.mailbox)
        _Story(service).tell()


def end(service: Service) -> bool:
    """Take the demo and its clock away, so that a real club begins on real time. True when there was one."""
    removed = service.db.write(remove_demo)
    if removed and service.demo_clock is not None:
        service.demo_clock.unlink(missing_ok=True)
        catcher.empty(service.mailbox)
    return removed


def pass_time(service: Service, clock_file: Path, span: timedelta) -> None:
    """Let the demo's clock run through a span hour by hour, with every reminder, due step and mail on the way.

    A single leap would be downtime to the engine: of several reminders only the last would leave.
    """
    with service.sweeping, service.posting:
        post = Post(service.db, service.composer, service.mail_server, service.clock) if service.mail_server else None
        for _hour in range(int(span / STEP)):
            move_clock(clock_file, STEP)
            _tick(service, service.clock.now(), post)


def _tick(service: Service, now: datetime, post: Post | None) -> None:
    open_due(service.db, now)
    sweep(service.db, now)
    if post is not None:
        post.deliver()


class _Story:
    def __init__(self, service: Service) -> None:
        self.service, self.db = service, service.db
        self.today = service.clock.now()
        self.clock = HandClock(self.today - timedelta(days=14))
        self.club_id = self.db.write(
            create_club, slug=SLUG, name="九牛读书会", owner_email="owner@example.com", owner_name="陈老师", zone="Asia/Shanghai",
            locale="zh-CN", charter=shipped_charter("zh-CN").plain(), now=self.clock.at, is_demo=True,
        )  # fmt: skip
        self.post = None
        if service.mail_server is not None:
            self.post = Post(self.db, service.composer, service.mail_server, self.clock)

    def tell(self) -> None:
        """Han Meimei is settled in, Lin Tao's plan is under review, Wei Hua is late, Gao Hui has just joined, two apply."""
        self._joins(HANMEIMEI, days_ago=13)
        self._hands_in_plan(HANMEIMEI, days_ago=12)
        self._at(11.8, self._decide(HANMEIMEI, "study_plan", "approve", "计划很实在，就按这个来。"))
        self._joins(WEIHUA, days_ago=5)
        self._joins(LINTAO, days_ago=2.5)
        self._joins(GAOHUI, days_ago=1.2)
        self._hands_in_plan(LINTAO, days_ago=0.4)
        self._applies(LILEI, days_ago=0.3)
        self._at(0.2, self._confirm(LILEI))
        self._applies(JIM, days_ago=0.1, locale="en")
        self._live_until(self.today)

    def _joins(self, who: Newcomer, *, days_ago: float) -> None:
        self._applies(who, days_ago=days_ago + 0.3)
        self._at(days_ago + 0.2, self._confirm(who))
        self._at(days_ago, self._decide(who, "join", "approve", "欢迎你来。"))

    def _applies(self, who: Newcomer, *, days_ago: float, locale: str = "zh-CN") -> None:
        self._live_until(self.today - timedelta(days=days_ago))
        answers = {
            "name": who.name, "email": who.address, "city": who.city, "occupation": who.occupation, "about": ABOUT,
            "interests": "文学、历史、一点点经济学", "referrer": who.referrer, "accept_charter": True,
        }  # fmt: skip
        self.db.write(hand_in, self.club_id, "join", answers, form_id=who.address, locale=locale, now=self.clock.at, limited=False)
        self._live_until(self.clock.at)

    def _confirm(self, who: Newcomer) -> Callable[[Session], None]:
        return lambda session: self._act(session, who, "join", "confirm", proven=True)

    def _hands_in_plan(self, who: Newcomer, *, days_ago: float) -> None:
        answers = {"goals": GOALS, "plan": PLAN}
        self._at(days_ago, lambda session: self._act(session, who, "study_plan", "submit", answers=answers))

    def _decide(self, who: Newcomer, workflow: str, action: str, note: str) -> Callable[[Session], None]:
        def unit(session: Session) -> None:
            case = self._case(session, who, workflow)
            act(session, case, action, by=Hand(owner_at_hand(session), "page"), now=self.clock.at, note=note)

        return unit

    def _act(self, session: Session, who: Newcomer, workflow: str, action: str, **given: Any) -> None:
        case = self._case(session, who, workflow)
        person = session.get_one(Person, (self.club_id, case.person_id))
        act(session, case, action, by=Hand(person, "page"), now=self.clock.at, **given)

    def _case(self, session: Session, who: Newcomer, workflow: str) -> Case:
        person = by_address(session, who.address)
        case = open_case_of(session, person, workflow) if person else None
        assert case is not None, "the story opened it"
        return case

    def _at(self, days_ago: float, unit: Callable[[Session], None]) -> None:
        self._live_until(self.today - timedelta(days=days_ago))

        def in_club(session: Session) -> None:
            enter_club(session, self.club_id)
            unit(session)

        self.db.write(in_club)
        self._live_until(self.clock.at)

    def _live_until(self, moment: datetime) -> None:
        """Let the days pass hour by hour, with everything that falls due and every mail that leaves."""
        while True:
            self.clock.at = min(self.clock.at + STEP, moment)
            _tick(self.service, self.clock.at, self.post)
            if self.clock.at >= moment:
                return
