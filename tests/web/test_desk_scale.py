"""The desk of a large club: no more queries than a small one's, and no slow page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event, insert

from engine.storage.database import enter_club
from engine.storage.models import Case, Event, Letter, Person, new_id
from engine.storage.unit_of_work import ClubSession
from tests.page import Browser
from tests.world import World

LARGEST = 40_000
PATHS = (
    "desk",
    "desk/waiting",
    "desk/waiting?page=2",
    "desk/late",
    "desk/people",
    "desk/people?q=李",
    "desk/people?status=applicant",
    "desk/people?status=all&page=2",
    "desk/letters?kind=failed",
    "desk/letters?kind=waiting",
    "desk/letters?kind=held",
    "desk/letters?kind=recent",
    "desk/offices",
    "sessions",
)
# State, whose turn, how it was entered: what a club is full of.
STATES = (
    ("review", "reviewer", "submit"),
    ("overdue", "person", "due"),
    ("owed", "person", "open"),
    ("accepted", "", "approve"),
    ("accepted", "", "approve"),
    ("let_off", "", "excuse"),
    ("removal_proposed", "owner", "due"),
)
REFLECTION = {
    "book": "活着",
    "author": "余华",
    "reflection": "人是为活着本身而活着的。" * 200,
    "share": True,
}


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that the pages read meanwhile."""
    said: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        said.append(statement)

    event.listen(world.service.db.reader, "before_cursor_execute", note)
    yield said
    event.remove(world.service.db.reader, "before_cursor_execute", note)


def people(world: World, number: int, first: int = 0) -> list[int]:
    """That many, most of them members; with names and addresses of every length."""
    chance, rows = random.Random(1), []
    for index in range(first, first + number):
        status = chance.choice(
            ("member", "member", "member", "member", "applicant", "departed", "removed")
        )
        address = f"member-{index}@students.example.org"
        rows.append(
            {
                "club_id": world.club_id,
                "id": new_id(),
                "version": 1,
                "address": address,
                "address_hash": f"hash {index}",
                "name": f"李{'雷' * (index % 4 + 1)}",
                "display_name": f"武汉+李{'雷' * (index % 4 + 1)}",
                "locale": "zh-CN",
                "status": status,
                "role": "member",
                "charter_version": index % 2,
                "link_epoch": 1,
                "fewer_reminders": False,
                "mail_trouble": "recipient: 550 5.1.1 user unknown" if index % 9 == 0 else "",
                "joined_at": world.now,
                "removed_at": world.now if status == "removed" else None,
            }
        )
    fill(world, Person, rows)
    return [row["id"] for row in rows]


def cases(world: World, whose: list[int], number: int, first: int = 0) -> None:
    chance, matters, events, letters = random.Random(2), [], [], []
    for index in range(first, first + number):
        state, turn, action = chance.choice(STATES)
        case, person, at = new_id(), chance.choice(whose), world.now - timedelta(hours=index)
        due = world.now + timedelta(hours=index % 90 + 1) if turn else None
        both = {"club_id": world.club_id}
        matters.append(
            both
            | {
                "id": case,
                "workflow": "reflection",
                "key": f"{index}",
                "person_id": person,
                "state": state,
                "turn": turn,
                "version": 2,
                "entered_version": 2,
                "opened_at": at,
                "entered_at": at,
                "due_at": due,
                "wake_at": due,
                "trouble": "unreachable" if turn == "person" and index % 50 == 0 else "",
                "answers": REFLECTION,
                "data": {"period": "2026-W49", "period_due": (due or at).isoformat()},
                "private": {},
            }
        )
        events += [
            both
            | {
                "case_id": case,
                "version": version,
                "at": at,
                "via": "page",
                "action": what,
                "from_state": "",
                "to_state": state,
                "note": "好。",
                "answers": {},
                "who_id": whose[0] if action != "due" else None,
            }
            for version, what in ((1, "open"), (2, action))
        ]
        letters.append(
            both
            | {
                "id": new_id(),
                "key": f"k{index}",
                "name": "reflection.please_read",
                "case_id": case,
                "version": 2,
                "person_id": person,
                "about_id": person,
                "asks": True,
                "priority": 5,
                "data": {},
                "state": chance.choice(("sent", "sent", "failed", "queued", "held", "dropped")),
                "created_at": at,
                "next_at": world.now + timedelta(days=9),
                "attempts": 3,
                "message_id": f"m{index}",
                "answer": "recipient: 550 5.1.1 user unknown, says the server in a long line of its own "
                * 2,
                "maybe_twice": False,
                "settled_at": at,
            }
        )
    for model, rows in ((Case, matters), (Event, events), (Letter, letters)):
        fill(world, model, rows)


def fill(world: World, model: Any, rows: list[dict[str, Any]]) -> None:
    def unit(session: ClubSession) -> None:
        enter_club(session, world.club_id)
        session.connection().execute(insert(model.__table__), rows)

    world.service.db.write(unit)


def look(
    world: World, browser: Browser, paths: tuple[str, ...]
) -> tuple[dict[str, int], dict[str, int]]:
    """How many statements each page takes, and how many bytes it has."""
    queries, sizes = {}, {}
    for path in paths:
        with counted(world) as said:
            page = browser.get(f"/jiuniu/{path}")
        assert page.status == 200, path
        queries[path], sizes[path] = len(said), len(page.response.content)
    return queries, sizes


def test_a_thousand_members_take_no_more_queries_than_ten(world: World) -> None:
    world.add_member("admin@qq.com", "周敏", role="admin")
    few = people(world, 10)
    cases(world, few, 60)
    one = f"desk/people/{few[0]}"
    seats = [
        (world.sign_in("owner@qq.com"), (*PATHS, one)),
        (world.sign_in("admin@qq.com"), (*(path for path in PATHS if "letters" not in path), one)),
    ]
    small = [look(world, browser, paths)[0] for browser, paths in seats]
    everybody = people(world, 990, first=10)
    # A good part of them one person's.
    cases(world, [*everybody, *[few[0]] * 300], 9_940, first=60)
    for (browser, paths), few_queries in zip(seats, small, strict=True):
        queries, sizes = look(world, browser, paths)
        assert queries == few_queries
        assert {path: size for path, size in sizes.items() if size > LARGEST} == {}
        assert max(queries.values()) <= 19
