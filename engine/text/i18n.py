"""The languages the product speaks: words from the catalogues, moments the way a person says them."""

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
_OF_WEEK = {"zh-CN": "第 {week} 周{matter}", "en": "{matter} for week {week}"}
_BRACKETS = {"zh-CN": "（{}）", "en": " ({})"}
# Bidirectional classes that turn the text around them; marks of isolation end that of somebody
# else, too.
_TURNING = ("R", "AL", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI", "FSI", "PDI", "PDF")
_ISOLATES = re.compile("[\u2066-\u2069]")


def marked(text: str) -> str:
    """Mark a text for the catalogue; it is translated where it is shown. Import it as ``_``."""
    return text


def best_language(wanted: str | None, default: str = LANGUAGES[0]) -> str:
    """The supported language for a tag such as ``zh_Hans`` or ``en-GB``, else ``default``."""
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
    """The text in this language; English is the source, a missing entry falls back to it."""
    return _catalogue(language).get(text, text)


def say_moment(moment: datetime, zone: str, language: str) -> str:
    """An aware instant with weekday, date, time and zone, as the club's people say it.

    Midnight ends a day in the club's rules, so it is said as 23:59 of the day that ends.
    """
    return _format(moment, zone, language, _PATTERN[language]) + _BRACKETS[language].format(
        _zone_name(zone, language)
    )


def say_short(moment: datetime, zone: str, language: str) -> str:
    """As ``say_moment``, without the zone: for subjects and lists whose page names the zone."""
    return _format(moment, zone, language, _PATTERN[language])


def say_day(moment: datetime, zone: str, language: str) -> str:
    return _format(moment, zone, language, _DAY_PATTERN[language])


def say_date(moment: datetime, zone: str, language: str) -> str:
    """With its year, without weekday and time: for what lies long ago."""
    return _format(moment, zone, language, _DATE_PATTERN[language])


def say_clock(moment: datetime, zone: str, language: str) -> str:
    """Hour and minute alone, for lists whose headings name the day."""
    return _format(moment, zone, language, "HH:mm")


def say_month(day: date, language: str) -> str:
    return format_date(day, "LLL", locale=_locale(language))


def of_week(matter: str, week: int | None, language: str) -> str:
    """A matter with the number of its week, where it has one."""
    return matter if week is None else _OF_WEEK[language].format(matter=matter, week=week)


def as_said(moment: datetime, zone: str) -> datetime:
    """The moment in this zone as it is said: midnight, which ends a day in the club's rules, as
    23:59 of that day."""
    local = moment.astimezone(ZoneInfo(zone))
    before = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    if (
        before.date() != local.date()
    ):  # also where the clocks go forward at midnight and 00:00 is missing
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
    """A name from a person, kept from turning the sentence around it (right-to-left scripts)."""
    if any(unicodedata.bidirectional(character) in _TURNING for character in text):
        return f"\u2068{_ISOLATES.sub('', text)}\u2069"  # one of its own would end ours
    return text
