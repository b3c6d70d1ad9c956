"""When things are due: pure functions over zones that are awkward in different ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.cases.deadlines import next_wake, reminders_of
from engine.charter.model import Numbers, charter
from engine.declare.due_times import TimeContext, midnight_after, morning_after_quiet
from engine.declare.workflow import (
    State,
    ask,
    before_due,
    due,
    end_of_day,
    later,
    moment,
    person,
    weekly,
)

SUNDAY_TO_SATURDAY = weekly(charter.week_opens, due=charter.week_due)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def context(zone: str = "Asia/Shanghai", **numbers: object) -> TimeContext:
    return TimeContext(ZoneInfo(zone), replace(Numbers(), **numbers), {})


@pytest.mark.parametrize(
    ("zone", "now", "days", "due"),
    [
        ("Asia/Shanghai", "2026-11-30 02:00", 3, "2026-12-03 16:00"),  # 24:00 of 3 December
        ("Asia/Shanghai", "2026-11-30 15:59", 3, "2026-12-03 16:00"),  # 23:59 is still the 30th
        ("Asia/Shanghai", "2026-11-30 16:00", 3, "2026-12-04 16:00"),  # 00:00 is the 1st
        ("Asia/Shanghai", "2026-12-30 02:00", 3, "2027-01-02 16:00"),  # over the year's end
        (
            "America/New_York",
            "2026-03-06 20:00",
            1,
            "2026-03-08 05:00",
        ),  # the day before the gap ends in winter time
        (
            "America/New_York",
            "2026-03-06 20:00",
            2,
            "2026-03-09 04:00",
        ),  # the day of the gap has 23 hours
        (
            "America/New_York",
            "2026-10-31 20:00",
            1,
            "2026-11-02 05:00",
        ),  # the day of the fold has 25 hours
        (
            "America/Havana",
            "2026-03-06 20:00",
            1,
            "2026-03-08 05:00",
        ),  # there is no 00:00 on 8 March: 24:00 of the 7th is 01:00
        (
            "America/Havana",
            "2026-10-30 20:00",
            1,
            "2026-11-01 04:00",
        ),  # 00:00 comes twice: the first one ends the day
        ("Africa/Cairo", "2026-04-22 20:00", 1, "2026-04-23 22:00"),  # no 00:00 on Friday 24 April
    ],
)
def test_n_days_end_at_midnight_of_the_nth_day_after_in_the_clubs_zone(
    zone: str, now: str, days: int, due: str
) -> None:
    assert midnight_after(utc(now), days, ZoneInfo(zone)) == utc(due)


def test_end_of_day_takes_its_days_from_the_charter_at_hand() -> None:
    assert end_of_day(charter.plan_days).resolve(
        utc("2026-11-30 02:00"), context(plan_days=10)
    ) == utc("2026-12-10 16:00")


@pytest.mark.parametrize("now", ["2026-03-08 06:30", "2026-11-01 05:30"])
def test_hours_are_elapsed_hours_across_gap_and_fold(now: str) -> None:
    assert later(charter.remind_last).resolve(utc(now), context("America/New_York")) == utc(
        now
    ) + timedelta(hours=3)


def test_a_named_moment_is_read_from_the_cases_data_and_never_lies_in_the_past() -> None:
    named = replace(context(), data={"session": "2026-12-01T21:30:00+08:00"})
    assert moment("session").resolve(utc("2026-11-30 02:00"), named) == utc("2026-12-01 13:30")
    assert moment("session", before=charter.topic_closes).resolve(
        utc("2026-11-30 02:00"), named
    ) == utc("2026-12-01 01:30")
    assert moment("session").resolve(utc("2026-12-02 00:00"), named) == utc("2026-12-02 00:00")


REMINDED = State(
    person,
    before_due(charter.remind_last, ask("last")),
    before_due(charter.remind_before, ask("early")),
    due(end_of_day(charter.plan_days), to="over"),
)


def test_reminders_come_in_the_order_of_their_moments_whatever_the_order_of_declaration() -> None:
    found = reminders_of(REMINDED, utc("2026-11-30 02:00"), utc("2026-12-03 16:00"), Numbers())
    assert [(at, letter.name) for at, letter in found] == [
        (utc("2026-12-02 16:00"), "early"),
        (utc("2026-12-03 13:00"), "last"),
    ]


def test_a_reminder_that_would_fall_before_the_entry_is_none() -> None:
    found = reminders_of(REMINDED, utc("2026-12-02 17:00"), utc("2026-12-03 16:00"), Numbers())
    assert [letter.name for _, letter in found] == ["last"]


@pytest.mark.parametrize(
    ("now", "wakes"),
    [
        ("2026-11-30 02:00", "2026-12-02 16:00"),
        ("2026-12-02 16:00", "2026-12-03 13:00"),
        ("2026-12-03 13:00", "2026-12-03 16:00"),
        ("2026-12-09 00:00", "2026-12-03 16:00"),
    ],
)
def test_the_next_wake_is_the_next_reminder_and_then_the_due_time(now: str, wakes: str) -> None:
    assert next_wake(
        REMINDED, utc("2026-11-30 02:00"), utc("2026-12-03 16:00"), utc(now), Numbers()
    ) == utc(wakes)


@pytest.mark.parametrize(
    ("zone", "now", "leaves"),
    [
        ("Asia/Shanghai", "2026-11-30 14:44", "2026-11-30 14:44"),  # 22:44
        ("Asia/Shanghai", "2026-11-30 14:45", "2026-11-30 23:30"),  # 22:45
        ("Asia/Shanghai", "2026-11-30 16:00", "2026-11-30 23:30"),  # midnight
        ("Asia/Shanghai", "2026-11-30 23:29", "2026-11-30 23:30"),  # 07:29
        ("Asia/Shanghai", "2026-11-30 23:30", "2026-11-30 23:30"),  # 07:30
        (
            "America/New_York",
            "2026-03-08 06:30",
            "2026-03-08 11:30",
        ),  # the night of the gap is an hour shorter
        (
            "America/New_York",
            "2026-11-01 05:30",
            "2026-11-01 12:30",
        ),  # the night of the fold an hour longer
    ],
)
def test_quiet_hours_last_across_midnight_until_the_morning(
    zone: str, now: str, leaves: str
) -> None:
    assert morning_after_quiet(utc(now), context(zone)) == utc(leaves)


@pytest.mark.parametrize(
    ("now", "leaves"),
    [("2026-11-30 03:59", "2026-11-30 03:59"), ("2026-11-30 04:30", "2026-11-30 06:00")],
)
def test_quiet_hours_may_lie_within_one_day(now: str, leaves: str) -> None:
    assert morning_after_quiet(utc(now), context(quiet_from=time(12), quiet_until=time(14))) == utc(
        leaves
    )


def test_quiet_hours_of_no_length_are_none() -> None:
    assert morning_after_quiet(
        utc("2026-11-30 04:00"), context(quiet_from=time(12), quiet_until=time(12))
    ) == utc("2026-11-30 04:00")


@pytest.mark.parametrize(
    ("now", "opening", "due", "period"),
    [
        (
            "2026-11-29 00:00",
            "2026-11-29 00:00",
            "2026-12-05 12:00",
            "2026-W49",
        ),  # Sunday 08:00 sharp
        ("2026-11-28 23:59", "2026-11-22 00:00", "2026-11-28 12:00", "2026-W48"),  # a minute before
        (
            "2026-12-05 13:00",
            "2026-11-29 00:00",
            "2026-12-05 12:00",
            "2026-W49",
        ),  # Saturday night: still that week's
        (
            "2026-12-28 00:00",
            "2026-12-27 00:00",
            "2027-01-02 12:00",
            "2026-W53",
        ),  # 2 January belongs to 2026's week 53
        ("2027-01-03 02:00", "2027-01-03 00:00", "2027-01-09 12:00", "2027-W01"),
    ],
)
def test_a_reading_week_opens_on_sunday_and_is_named_by_the_iso_week_of_its_saturday(
    now: str, opening: str, due: str, period: str
) -> None:
    rule, at = SUNDAY_TO_SATURDAY, context()
    found = rule.latest(utc(now), at)
    assert (found, rule.due_of(found, at), rule.period(found, at)) == (
        utc(opening),
        utc(due),
        period,
    )
    assert rule.following(found, at) == utc(opening) + timedelta(days=7)


def test_a_week_with_a_gap_opens_at_the_same_local_hour() -> None:
    rule, at = SUNDAY_TO_SATURDAY, context("America/New_York")
    before = utc("2026-03-01 13:00")  # 08:00 in winter
    assert rule.following(before, at) == utc("2026-03-08 12:00")  # 08:00 in summer
