"""The calendar when a club's zone or hours change: no period is lost, and none comes twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.reports.agenda import agenda
from engine.setup.club_admin import apply_charter, change_club
from engine.storage.models import Case, Club, Schedule
from tests.club import LILEI, House

pytestmark = pytest.mark.postgres

SUNDAY = datetime(
    2026, 12, 6, 0, 0, tzinfo=UTC
)  # 08:00 in Shanghai; in Auckland it has been 08:00 for five hours
IN_AUCKLAND = SUNDAY - timedelta(hours=5)


@pytest.fixture
def reading(house: House) -> House:
    house.add(LILEI, "李雷")
    return house


def moves_to(house: House, zone: str) -> None:
    house.db.write(change_club, house.club_id, name="九牛读书会", zone=zone, now=house.now)


def changes(house: House, **numbers: Any) -> None:
    [charter] = house.rows(select(Club.charter))
    house.db.write(
        apply_charter, house.club_id, charter | {"numbers": charter["numbers"] | numbers}, house.now
    )


def opened(house: House) -> list[tuple[str, datetime]]:
    """(week, due) of each reflection, oldest first."""
    cases = house.rows(select(Case).where(Case.workflow == "reflection").order_by(Case.id))
    return [(case.data["period"], case.due_at) for case in cases]


def next_of(house: House, rule: str) -> datetime:
    return house.rows(select(Schedule.next_at).where(Schedule.rule == rule))[0]


def test_a_club_that_moves_east_over_its_opening_opens_the_week_at_once(reading: House) -> None:
    reading.now = SUNDAY - timedelta(hours=4)
    reading.tick()
    assert opened(reading) == []
    moves_to(reading, "Pacific/Auckland")
    reading.tick()
    reading.tick(hours=4)  # the hour that was told before is none any more
    assert opened(reading) == [
        ("2026-W50", datetime(2026, 12, 12, 7, 0, tzinfo=UTC))
    ]  # Saturday, 20:00 in Auckland
    assert next_of(reading, "reflection") == IN_AUCKLAND + timedelta(days=7)


def test_a_club_that_moves_west_after_its_opening_opens_no_week_twice(reading: House) -> None:
    reading.tick(days=6)
    told = opened(reading)
    moves_to(reading, "America/New_York")
    reading.live(until=SUNDAY + timedelta(days=1))
    assert opened(reading) == told
    assert next_of(reading, "reflection") == datetime(2026, 12, 13, 13, 0, tzinfo=UTC)


def test_a_week_that_is_moved_to_an_hour_already_past_opens_at_once(reading: House) -> None:
    reading.now = SUNDAY - timedelta(days=1)
    reading.tick()
    changes(reading, week_opens="saturday 07:00", week_due="friday 20:00")  # 07:00 is an hour ago
    reading.tick()
    assert [week for week, _ in opened(reading)] == ["2026-W50"]


def test_a_week_that_was_opened_is_not_opened_again_by_another_day(reading: House) -> None:
    reading.tick(days=6)
    assert [week for week, _ in opened(reading)] == ["2026-W50"]
    reading.now = SUNDAY + timedelta(days=1, hours=3)
    changes(reading, week_opens="monday 08:00")  # three hours ago; this week is under way
    reading.tick()
    assert [week for week, _ in opened(reading)] == ["2026-W50"]
    assert next_of(reading, "reflection") == SUNDAY + timedelta(days=8)


def test_a_daily_letter_that_is_moved_to_an_hour_already_past_leaves_today(reading: House) -> None:
    changes(reading, digest_hour="18:00")
    reading.apply("wang@gmail.com")
    reading.press("wang@gmail.com", "confirm", "wang@gmail.com")
    changes(reading, digest_hour="09:00")  # it is 10:00
    reading.tick()
    reading.tick(hours=12)
    assert [letter.created_at for letter in reading.letters("club.daily")] == [
        reading.now - timedelta(hours=12)
    ]
    assert next_of(reading, "daily") == datetime(2026, 12, 1, 1, 0, tzinfo=UTC)


WEEK = (date(2026, 12, 6), date(2026, 12, 12))


def test_while_nobody_swept_the_agenda_names_the_week_that_is_running(reading: House) -> None:
    reading.now = SUNDAY + timedelta(days=1)
    with reading.read() as session:
        found = [
            (entry.kind, entry.at, entry.days)
            for entry in agenda(session, reading.now, SUNDAY + timedelta(days=6))
        ]
    assert found == [("opens", reading.now, WEEK)]
    with reading.read() as session:
        kinds = [
            (entry.kind, entry.at, entry.days)
            for entry in agenda(session, reading.now, SUNDAY + timedelta(days=7))
        ]
    assert kinds[1] == ("falls_due", datetime(2026, 12, 12, 12, 0, tzinfo=UTC), WEEK)
