"""A club to measure in.

Its cases are made by transitions.act or, for many, by bulk inserts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

import workflows  # noqa: F401  (makes the club's rules known)
from benchmarks.processes import settings_of
from engine.cases.submissions import submit_application
from engine.cases.transitions import act
from engine.charter.model import shipped_charter
from engine.declare.registry import state_of
from engine.declare.transition import Actor
from engine.settings import MailServer, load
from engine.setup.club_admin import create_club
from engine.storage.database import Database
from engine.storage.models import Case, Event, Letter, Person, Row, new_id
from engine.storage.unit_of_work import ClubSession
from mailers.queue.worker import DeliveryWorker
from web.app.services import Services

SLUG = "bench"
ANSWERS = {
    "name": "李雷",
    "city": "武汉",
    "occupation": "大学三年级，法学",
    "about": "想认真读几本书，也想认识几位愿意一起坚持的人。上一年读得很散，没有留下笔记，希望在这里养成习惯。",
    "interests": "《活着》《乡土中国》《论自由》，还有读书笔记的写法。",
    "referrer": "韩梅梅",
}


class FixedClock:
    """Stands where a benchmark puts it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def address(number: int, group: str = "a") -> str:
    return f"{group}{number}@club-members.org"


def typed(number: int, group: str = "a") -> dict[str, str]:
    """The join form as a person fills it in."""
    return {**ANSWERS, "email": address(number, group), "accept_charter": "y"}


@contextlib.contextmanager
def open_service(folder: Path, port: int = 8000, smtp_port: int = 0) -> Iterator[Services]:
    """The product's database, clock and composer in this process, on the data that a product in
    ``folder`` uses."""
    service = Services.build(load(settings_of(folder, port, smtp_port)))
    try:
        yield service
    finally:
        service.db.dispose()


def found_club(service: Services, slug: str = SLUG) -> int:
    return service.db.write(
        create_club,
        slug=slug,
        name="九牛读书会",
        owner_email=f"owner-{slug}@club-members.org",
        owner_name="韩梅梅",
        zone="Asia/Shanghai",
        locale="zh-CN",
        charter=shipped_charter("zh-CN").plain(),
        now=service.clock.now(),
    )


def apply_many(
    session: ClubSession,
    club_id: int,
    numbers: range,
    now: datetime,
    *,
    confirm: bool = False,
    group: str = "a",
) -> list[int]:
    """Applications through the product's own intake (with their letters), confirmed if asked. The
    ids of their cases."""
    for number in numbers:
        answers = {**ANSWERS, "email": address(number, group), "accept_charter": True}
        submit_application(
            session,
            club_id,
            "join",
            answers,
            form_id=f"{group}-{number}",
            locale="zh-CN",
            now=now,
            limited=False,
        )
    forms = {f"{group}-{number}" for number in numbers}
    found = (
        session.execute(select(Case).where(Case.key.like(f"{group}-%")).order_by(Case.id))
        .scalars()
        .all()
    )
    cases = [case for case in found if case.key.partition(":")[0] in forms]
    if confirm:
        for case in cases:
            person = session.get_one(Person, (club_id, case.person_id))
            act(session, case, "confirm", by=Actor(person, "page"), now=now, proven=True)
    return [case.id for case in cases]


def many_owed(
    db: Database,
    club_ids: list[int],
    wakes: list[tuple[datetime, datetime]],
    entered: datetime,
    *,
    workflow: str = "study_plan",
    asked: bool = False,
) -> None:
    """Insert cases in *owed*, one per (due_at, wake_at), spread over the clubs; ``asked``: their
    asks were sent."""
    owed = state_of(workflow, "owed")
    turn, ask = str(owed.turn), owed.entry_letters[0].name
    people, cases, events, letters = [], [], [], []
    for number, (due, wake) in enumerate(wakes):
        club_id, person_id, case_id = club_ids[number % len(club_ids)], new_id(), new_id()
        people.append(
            {
                "club_id": club_id,
                "id": person_id,
                "address": address(case_id, "p"),
                "address_hash": f"hash of {case_id}",
                "locale": "zh-CN",
                "name": "李雷",
                "display_name": "武汉+李雷",
                "status": "member",
                "role": "member",
                "joined_at": entered,
            }
        )
        cases.append(
            {
                "club_id": club_id,
                "id": case_id,
                "workflow": workflow,
                "key": f"owed-{case_id}",
                "person_id": person_id,
                "state": "owed",
                "turn": turn,
                "version": 1,
                "entered_version": 1,
                "opened_at": entered,
                "entered_at": entered,
                "due_at": due,
                "wake_at": wake,
            }
        )
        events.append(
            {
                "club_id": club_id,
                "case_id": case_id,
                "version": 1,
                "at": entered,
                "via": "clock",
                "action": "open",
                "from_state": "",
                "to_state": "owed",
            }
        )
        if asked:
            letters.append(
                {
                    "club_id": club_id,
                    "key": f"{case_id}:1:{ask}::{person_id}",
                    "name": f"{workflow}.{ask}",
                    "case_id": case_id,
                    "version": 1,
                    "person_id": person_id,
                    "about_id": person_id,
                    "asks": True,
                    "state": "sent",
                    "created_at": entered,
                    "next_at": entered,
                    "settled_at": entered + timedelta(seconds=2),
                }
            )
    with db.writer.begin() as connection:
        for model, rows in ((Person, people), (Case, cases), (Event, events), (Letter, letters)):
            if rows:
                connection.execute(insert(model), rows)


def count(db: Database, model: type[Row], **equal: Any) -> int:
    """How many rows of the whole database have these values."""
    table = model.metadata.tables[model.__tablename__]
    with db.reader.connect() as connection:
        wanted = (
            select(func.count())
            .select_from(table)
            .where(*(table.c[name] == value for name, value in equal.items()))
        )
        return connection.execute(wanted).scalar_one()


def deliver_all(service: Services, smtp_port: int, clock: FixedClock | None = None) -> int:
    """Send whatever is due now; how many the server took."""
    post = DeliveryWorker(
        service.db,
        service.composer,
        MailServer("smtp", "127.0.0.1", smtp_port),
        clock or service.clock,
    )
    try:
        return post.deliver()
    finally:
        post.channel.close()
