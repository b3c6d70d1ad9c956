"""Moments the way a person says them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.text.i18n import best_language, say_day, say_moment, say_short, translate


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "language", "said"),
    [
        ("2026-12-04 02:05", "Asia/Shanghai", "zh-CN", "12月4日（周五）10:05（北京时间）"),
        ("2026-12-04 02:05", "Asia/Shanghai", "en", "Friday 4 December, 10:05 (Beijing time)"),
        ("2026-12-04 16:00", "Asia/Shanghai", "zh-CN", "12月4日（周五）23:59（北京时间）"),
        ("2026-12-04 16:00", "Asia/Shanghai", "en", "Friday 4 December, 23:59 (Beijing time)"),
        ("2026-12-31 16:00", "Asia/Shanghai", "en", "Thursday 31 December, 23:59 (Beijing time)"),
        ("2026-12-04 16:01", "Asia/Shanghai", "en", "Saturday 5 December, 00:01 (Beijing time)"),
        ("2026-12-04 00:00", "UTC", "en", "Thursday 3 December, 23:59 (UTC)"),
        ("2026-12-04 10:00", "UTC", "zh-CN", "12月4日（周五）10:00（协调世界时）"),
        ("2026-12-04 10:00", "America/New_York", "en", "Friday 4 December, 05:00 (Eastern Time)"),
    ],
)
def test_a_moment_is_said_with_weekday_date_time_and_zone(
    moment: str, zone: str, language: str, said: str
) -> None:
    assert say_moment(at(moment), zone, language) == said


@pytest.mark.parametrize(
    ("moment", "zone", "said"),
    [
        (
            "2026-03-08 05:00",
            "America/Havana",
            "Saturday 7 March, 23:59",
        ),  # the night without 00:00: the day ends at 01:00
        (
            "2026-11-01 04:00",
            "America/Havana",
            "Saturday 31 October, 23:59",
        ),  # the first 00:00 of two
        (
            "2026-11-01 05:00",
            "America/Havana",
            "Sunday 1 November, 00:00",
        ),  # the second one ends no day
    ],
)
def test_the_end_of_a_day_is_said_as_2359_also_where_midnight_is_missing_or_comes_twice(
    moment: str, zone: str, said: str
) -> None:
    assert say_short(at(moment), zone, "en") == said


def test_a_short_moment_leaves_the_zone_out_and_a_day_the_time() -> None:
    assert say_short(at("2026-12-04 16:00"), "Asia/Shanghai", "zh-CN") == "12月4日（周五）23:59"
    assert say_day(at("2026-12-04 16:00"), "Asia/Shanghai", "zh-CN") == "12月4日（周五）"
    assert say_day(at("2026-12-04 02:00"), "Asia/Shanghai", "en") == "Friday 4 December"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("zh_Hans", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("fr", "zh-CN"),
        ("", "zh-CN"),
        (None, "zh-CN"),
    ],
)
def test_a_language_tag_finds_the_nearest_supported_language(
    wanted: str | None, found: str
) -> None:
    assert best_language(wanted) == found


def test_what_the_catalogue_does_not_know_stays_english() -> None:
    assert translate("No such words in any catalogue", "zh-CN") == "No such words in any catalogue"
    assert translate("Study plan", "en") == "Study plan"
