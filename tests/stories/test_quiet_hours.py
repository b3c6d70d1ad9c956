"""No letter that the clock makes leaves at night, whatever made it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.outbox.queue import BY_CLOCK, DAILY_LETTER
from engine.scheduler.pause import pause, resume
from engine.storage.models import Letter
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, PLAN, House

CHINA = ZoneInfo("Asia/Shanghai")
NIGHT, MORNING = time(22, 45), time(7, 30)


def at_night(moment: datetime) -> bool:
    local = moment.astimezone(CHINA).time()
    return local >= NIGHT or local < MORNING


def sent_at_night(house: House) -> list[tuple[str, datetime]]:
    """The letters made by the clock that left in quiet hours."""
    return [
        (letter.name, letter.settled_at)
        for letter in house.letters()
        if letter.state == "sent" and letter.settled_at and at_night(letter.settled_at)
        if letter.priority == BY_CLOCK or letter.name in (DAILY_LETTER, "club.resumed")
    ]


def letter(house: House, name: str) -> Letter:
    return house.letters(name)[-1]


def test_b6_the_end_of_a_pause_at_midnight_is_told_in_the_morning(house: House) -> None:
    house.join()
    house.deliver()
    midnight = datetime.combine(house.now.astimezone(CHINA).date(), time(), CHINA) + timedelta(
        days=2
    )
    house.db.write(pause, house.club_id, house.now, midnight.astimezone(UTC))
    house.deliver()
    house.live(until=midnight.astimezone(UTC) + timedelta(hours=9), hours=0.25)
    told = letter(house, "club.resumed")
    assert (told.state, told.settled_at.astimezone(CHINA)) == (
        "sent",
        midnight + timedelta(hours=7.5),
    )  # type: ignore[union-attr]


def test_b6_a_press_at_night_is_told_at_once(house: House) -> None:
    house.join()
    house.db.write(pause, house.club_id, house.now, None)
    house.deliver()
    house.now = datetime(2026, 12, 2, 16, 3, tzinfo=UTC)  # 00:03 in Shanghai
    house.db.write(resume, house.club_id, house.now)
    house.deliver()
    assert letter(house, "club.resumed").settled_at == house.now


@pytest.mark.parametrize("minute", [0, 3])
def test_b6_weeks_of_a_club_send_nothing_of_the_clock_at_night(house: House, minute: int) -> None:
    """Joining, plans, second chances, removals, weeks, a nomination and its ballots, a handover that
    expires, an application that nobody decides, with a pause in between."""
    house.add(ADMIN, role="admin")
    house.add(MEIMEI)
    house.join(LILEI)
    house.apply("wang@gmail.com", "form-9")
    house.press("wang@gmail.com", "confirm", "wang@gmail.com")
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.open(MEIMEI, "handover")
    house.now += timedelta(minutes=minute)
    house.live(until=house.now + timedelta(days=9), hours=0.5)
    house.db.write(pause, house.club_id, house.now, house.now + timedelta(days=2, hours=14.5))
    house.live(until=house.now + timedelta(days=12), hours=0.5)
    assert sent_at_night(house) == []
    names = {letter.name for letter in house.letters() if letter.state == "sent"}
    assert {"club.resumed", DAILY_LETTER} <= names and OWNER not in names
