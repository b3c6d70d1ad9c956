"""The last warning says so, every ask knows of a draft, and a pause is everybody's news."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.cases.drafts import form_of, keep_draft
from engine.scheduler.pause import pause, resume
from engine.storage.models import Case, Person
from tests.club import LILEI, MEIMEI, OWNER, House
from tests.databases import databases
from tests.mail import text_of

READ = {"book": "边城", "author": "沈从文", "reflection": "翠翠一直在等。", "share": True}
SATURDAY = datetime(2026, 12, 12, 12, 0, tzinfo=UTC)
WEEK, DAY = timedelta(weeks=1), timedelta(days=1)
NONE_LEFT = "这个月没有补交机会了"


@pytest.fixture
def house() -> Iterator[House]:
    house = House(databases("sqlite"))
    house.add(LILEI, "李雷")
    house.tick(days=6)
    house.deliver()
    yield house
    house.end()


def test_d8_whoever_has_no_chance_left_reads_it_in_every_ask_of_the_week(house: House) -> None:
    house.live(until=SATURDAY - timedelta(hours=1))
    first = [text_of(house.mail(f"reflection.{name}")) for name in ("please_read", "due_soon")]
    assert not any(NONE_LEFT in text for text in first)
    house.live(until=SATURDAY + timedelta(hours=2))
    house.press(LILEI, "submit", workflow="reflection", answers=READ)
    house.live(until=SATURDAY + WEEK - timedelta(hours=1))
    asks = [text_of(house.mail(f"reflection.{name}")) for name in ("please_read", "due_soon")]
    assert all(NONE_LEFT in text for text in asks)


def test_a_week_that_is_due_in_the_next_month_has_its_own_chance(house: House) -> None:
    house.live(until=SATURDAY + timedelta(hours=2))
    for week in (0, 1, 2):
        house.press(LILEI, "submit", workflow="reflection", answers=READ)
        house.live(until=SATURDAY + (week + 1) * WEEK - timedelta(hours=1), hours=3)
    assert NONE_LEFT not in text_of(house.mail("reflection.due_soon"))  # due on 2 January


@pytest.mark.parametrize("letter", ["second_chance", "last_call"])
def test_b9_every_ask_says_that_there_is_a_draft(house: House, letter: str) -> None:
    case = house.case(LILEI, "reflection")

    def save(session) -> None:  # type: ignore[no-untyped-def]
        who = session.get_one(Person, (house.club_id, case.person_id))
        keep_draft(session, who, form_of("case", case.id), {"reflection": "翠翠"}, house.now)

    house.write(save)
    house.live(until=SATURDAY + 2 * DAY)
    assert "12月6日（周日）存过草稿" in text_of(house.mail(f"reflection.{letter}"))


def test_b14_all_members_hear_of_a_pause_and_of_its_end(house: House) -> None:
    house.add(MEIMEI, "韩梅梅")
    house.db.write(pause, house.club_id, house.now)
    assert sorted(house.deliver()) == [("club.paused", MEIMEI), ("club.paused", LILEI)]
    assert "你什么都不用做" in text_of(house.mail("club.paused", MEIMEI))
    house.now += DAY
    house.db.write(resume, house.club_id, house.now)
    told = [item for item in sorted(house.deliver()) if item[0] == "club.resumed"]
    assert told == [("club.resumed", MEIMEI), ("club.resumed", LILEI)]
    assert OWNER not in {to for _name, to in told}
    assert house.rows(select(Case).where(Case.wake_at.is_(None), Case.turn != "")) == []
