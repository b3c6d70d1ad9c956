"""The languages of the product: catalogues, and times as people say them."""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, get_timezone_name
from babel.messages.pofile import read_po

LANGUAGES = ("zh-CN", "en")
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"

_PATTERN = {"zh-CN": "M月d日（EEE）HH:mm", "en": "EEEE d MMMM, HH:mm"}
_DAY_PATTERN = {"zh-CN": "M月d日（EEE）", "en": "EEEE d MMMM"}
_DATE_PATTERN = {"zh-CN": "y年M月d日", "en": "d MMMM y"}
_ZONE_NAME = {
    ("Asia/Shanghai", "zh-CN"): "北京时间",
    ("Asia/Shanghai", "en"): "Beijing time",
    ("UTC", "zh-CN"): "协调世界时",
    ("UTC", "en"): "UTC",
}
_OF_WEEK = {"zh-CN": "{week}{matter}", "en": "{matter} for {week}"}
_THIS_WEEK, _LAST_WEEK = {"zh-CN": "本周", "en": "this week"}, {"zh-CN": "上周", "en": "last week"}
_BRACKETS = {"zh-CN": "（{}）", "en": " ({})"}
# Bidirectional classes that turn the text around them. Marks of isolation also end an outer
# isolation.
_TURNING = ("R", "AL", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI", "FSI", "PDI", "PDF")
_ISOLATES = re.compile("[\u2066-\u2069]")


def marked(text: str) -> str:
    """Mark a text for the catalogue; it is translated where it is shown.

    Import it as ``_``.
    """
    return text


def best_language(wanted: str | None, default: str = LANGUAGES[0]) -> str:
    """Return the supported language of a tag (``zh_Hans``, ``en-GB``), else ``default``."""
    short = (wanted or "").replace("_", "-").lower().partition("-")[0]
    return next((tag for tag in LANGUAGES if tag.lower().partition("-")[0] == short), default)


@functools.cache
def _catalogue(language: str) -> dict[str, str]:
    path = TEMPLATES / "locale" / language.replace("-", "_") / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {
            str(entry.id): str(entry.string) for entry in read_po(file) if entry.id and entry.string
        }


def translate(text: str, language: str) -> str:
    """Translate a text; English is the source and the fallback."""
    return _catalogue(language).get(text, text)


def say_moment(moment: datetime, zone: str, language: str) -> str:
    """Format an aware instant with weekday, date, time and zone.

    Midnight ends a day in the club's rules: it is shown as 23:59 of the day that ends.
    """
    return _format(moment, zone, language, _PATTERN[language]) + _BRACKETS[language].format(
        _zone_name(zone, language)
    )


def say_short(moment: datetime, zone: str, language: str) -> str:
    """Format an instant without its zone, for subjects and for pages that name the zone."""
    return _format(moment, zone, language, _PATTERN[language])


def say_day(moment: datetime, zone: str, language: str) -> str:
    return _format(moment, zone, language, _DAY_PATTERN[language])


def say_date(moment: datetime, zone: str, language: str) -> str:
    """Format a date with its year, without weekday and time, for the distant past."""
    return _format(moment, zone, language, _DATE_PATTERN[language])


def say_clock(moment: datetime, zone: str, language: str) -> str:
    """Format hour and minute alone, for lists below a heading that names the day."""
    return _format(moment, zone, language, "HH:mm")


def say_month(day: date, language: str) -> str:
    return format_date(day, "LLL", locale=_locale(language))


def of_week(matter: str, week: str, language: str) -> str:
    """Add the words for the week to a case's title, if it has one."""
    return _OF_WEEK[language].format(matter=matter, week=week) if week else matter


def say_week(first: date, last: date, today: date, language: str) -> str:
    """Return the words for a week: this week, last week, else its days.

    Its number is for case keys only.
    """
    words = {0: _THIS_WEEK, 7: _LAST_WEEK}
    found = (words[ago] for ago in words if first <= today - timedelta(days=ago) <= last)
    return next((word[language] for word in found), say_days(first, last, language))


def say_days(first: date, last: date, language: str) -> str:
    """Return a span of days: 12月6日—12日, "6–12 December", with years where it crosses one."""
    if language == "en":
        end = "d MMMM" if first.year == last.year else "d MMMM y"
        begin = "d" if (first.year, first.month) == (last.year, last.month) else end
        dash = "–" if begin == "d" else " – "
    else:
        end = "d日" if (first.year, first.month) == (last.year, last.month) else "M月d日"
        begin, dash = "M月d日", "—"
        if first.year != last.year:
            begin = end = "y年M月d日"
    locale = _locale(language)
    return format_date(first, begin, locale=locale) + dash + format_date(last, end, locale=locale)


def as_said(moment: datetime, zone: str) -> datetime:
    """Convert an instant to the zone, with midnight as 23:59 of the day that ends."""
    local = moment.astimezone(ZoneInfo(zone))
    before = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    if (
        before.date() != local.date()
    ):  # The clocks may go forward at midnight: 00:00 is missing then.
        return before.replace(second=0)
    return local


@functools.lru_cache(maxsize=4096)
def _format(moment: datetime, zone: str, language: str, pattern: str) -> str:
    return format_datetime(as_said(moment, zone), pattern, locale=_locale(language))


@functools.cache
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


@functools.cache
def _zone_name(zone: str, language: str) -> str:
    known = _ZONE_NAME.get((zone, language))
    return known or get_timezone_name(
        ZoneInfo(zone), width="long", locale=language.replace("-", "_")
    )


def isolate(text: str) -> str:
    """Wrap a name in bidi isolates, so that it cannot turn the sentence around it."""
    if any(unicodedata.bidirectional(character) in _TURNING for character in text):
        return f"\u2068{_ISOLATES.sub('', text)}\u2069"  # A PDI would end our isolation.
    return text
