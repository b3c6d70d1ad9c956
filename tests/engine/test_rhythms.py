"""Recurrences near the nights on which zones put their clocks forward or back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.charter.model import Numbers, WeekTime, charter
from engine.declare.due_times import (
    Daily,
    TimeContext,
    days_later,
    midnight_after,
    morning_after_quiet,
)
from engine.declare.workflow import weekly

NIGHTS = [
    (ZoneInfo(zone), datetime.fromisoformat(at).replace(tzinfo=UTC))
    for zone, at in [
        ("Europe/Berlin", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 01:00"),
        ("America/New_York", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 06:00"),
        ("Australia/Lord_Howe", "2026-04-04 15:00"),  # half an hour
        ("Australia/Lord_Howe", "2026-10-03 15:30"),
        ("America/Sao_Paulo", "2018-11-04 03:00"),  # no midnight
        ("America/Sao_Paulo", "2018-02-18 02:00"),  # the hour before midnight comes twice
        ("Asia/Beirut", "2026-03-28 22:00"),
        ("America/Nuuk", "2026-03-29 01:00"),  # 23:00 becomes the next day's 00:00
        ("Pacific/Apia", "2011-12-30 10:00"),  # no Friday at all
        ("Asia/Shanghai", "2027-12-31 16:00"),
        ("Asia/Shanghai", "2028-02-28 16:00"),
    ]
]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WEEK, EVERY_DAY = weekly(charter.week_opens, due=charter.week_due), Daily(charter.digest_hour)

nights = st.sampled_from(NIGHTS)
near = st.builds(
    lambda minutes, days: timedelta(minutes=minutes, days=days),
    st.integers(-200, 200),
    st.sampled_from([0, 0, 0, -7, -2, -1, 1, 7]),
)
awkward = st.sampled_from([0, 15, 30, 60, 90, 120, 135, 150, 180, 1380, 1410, 1439]).map(
    lambda n: time(n // 60, n % 60)
)
clock_times = st.one_of(
    awkward, st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))
)
weekdays = st.integers(1, 7)
thorough = settings(max_examples=200)


@thorough
@given(nights, near, weekdays, clock_times, st.integers(2, 7), clock_times)
def test_every_moment_lies_in_one_week_and_each_week_has_its_name(
    night: tuple[ZoneInfo, datetime],
    near: timedelta,
    weekday: int,
    opens: time,
    days: int,
    due: time,
) -> None:
    numbers = replace(
        Numbers(),
        week_opens=WeekTime(weekday, opens),
        week_due=WeekTime((weekday + days - 1) % 7 + 1, due),
    )
    now, context = night[1] + near, TimeContext(night[0], numbers, {})
    this, following = WEEK.latest(now, context), WEEK.following(now, context)
    assert this <= now < following
    assert (WEEK.latest(following, context), WEEK.latest(this, context)) == (following, this)
    assert WEEK.following(this, context) == following
    assert 6 * DAY - timedelta(hours=2) < following - this < 8 * DAY + timedelta(hours=2)
    assert WEEK.period(this, context) < WEEK.period(following, context)
    assert this < WEEK.due_of(this, context) < WEEK.due_of(following, context)


@thorough
@given(nights, near, clock_times)
def test_every_moment_lies_between_two_daily_letters(
    night: tuple[ZoneInfo, datetime], near: timedelta, at: time
) -> None:
    now, context = night[1] + near, TimeContext(night[0], replace(Numbers(), digest_hour=at), {})
    last, following = EVERY_DAY.latest(now, context), EVERY_DAY.following(now, context)
    assert last <= now < following <= last + DAY + timedelta(hours=1)
    assert EVERY_DAY.following(last, context) == following
    assert EVERY_DAY.period(last, context) <= EVERY_DAY.period(following, context)


@thorough
@given(nights, near, clock_times, clock_times)
def test_a_letter_waits_for_the_end_of_the_quiet_hours_and_no_longer(
    night: tuple[ZoneInfo, datetime], near: timedelta, start: time, end: time
) -> None:
    zone, now = night[0], night[1] + near
    leaves = morning_after_quiet(
        now, TimeContext(zone, replace(Numbers(), quiet_from=start, quiet_until=end), {})
    )
    assert now <= leaves <= now + DAY + timedelta(hours=1)
    local = now.astimezone(zone).time()
    is_quiet = start <= local < end if start <= end else not end <= local < start
    assert is_quiet or leaves == now


@thorough
@given(nights, near, st.integers(0, 40))
def test_n_days_end_with_the_last_instant_of_the_nth_day_after(
    night: tuple[ZoneInfo, datetime], near: timedelta, days: int
) -> None:
    zone, now = night[0], night[1] + near
    last_day, ends = now.astimezone(zone).date() + days * DAY, midnight_after(now, days, zone)
    assert ends.astimezone(zone).date() > last_day
    assert (ends - MINUTE).astimezone(zone).date() <= last_day
    assert ends > now + (days - 1) * DAY
    assert midnight_after(now, days + 1, zone) >= ends


@thorough
@given(nights, near, st.integers(0, 40))
def test_so_many_days_later_is_the_same_hour_where_there_is_that_hour(
    night: tuple[ZoneInfo, datetime], near: timedelta, days: int
) -> None:
    zone, now = night[0], night[1] + near
    before, after = now.astimezone(zone), days_later(now, days, zone).astimezone(zone)
    wall = before.replace(tzinfo=None, fold=0) + days * DAY
    there = wall.replace(tzinfo=zone)
    exists = there.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == wall
    assert not exists or after.replace(tzinfo=None, fold=0) == wall
    assert days_later(now, days + 1, zone) >= after


@pytest.mark.parametrize(
    ("zone", "from_minute", "to_minute"),
    [
        ("Asia/Shanghai", "2028-02-29T23:59", "2028-03-02T23:59"),
        ("Europe/Berlin", "2026-03-28T02:30", "2026-03-30T02:30"),
    ],
)
def test_days_are_counted_over_a_leap_day_and_over_a_night_with_a_gap(
    zone: str, from_minute: str, to_minute: str
) -> None:
    here = ZoneInfo(zone)
    start, end = (
        datetime.fromisoformat(text).replace(tzinfo=here).astimezone(UTC)
        for text in (from_minute, to_minute)
    )
    assert days_later(start, 2, here) == end
