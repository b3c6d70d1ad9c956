"""A member's record: a year of reading weeks at a glance, and other ended cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import g, request

from engine.declare.due_times import days_of_period
from engine.declare.registry import state_of, weekly_duty
from engine.reports.member_record import (
    ended_of,
    held_up_periods,
    not_opened_since,
    periods_of,
)
from engine.storage.models import Case, Club, Event, Person
from engine.text.i18n import marked as _
from engine.text.i18n import say_days, say_month
from web.app.services import services
from web.http.auth import link_for, read_token
from web.member.auth import Page, member, own, own_page

ENDED_SHOWN = 50
A_ROW = 13  # Weeks: a quarter of a year, so that a phone shows the year in four rows.

IN_TIME = "in_time"
LATE = "late"
EXCUSED = "excused"
MISSING = "missing"
OPEN = "open"
NONE = "none"
HELD_UP = "held_up"
NOT_OPENED = "not_opened"
WORDS = {
    IN_TIME: _("handed in on time"),
    LATE: _("handed in late"),
    EXCUSED: _("not asked for"),
    MISSING: _("not handed in"),
    OPEN: _("still open"),
    HELD_UP: _("did not begin: something was still to be handed in"),
    NOT_OPENED: _("did not begin for anybody"),
}

_BY_DUTY = {"open": OPEN, "excused": EXCUSED, "missed": MISSING}


@dataclass(frozen=True)
class Week:
    """A square; its position counts from 0.

    ``saturday`` names the reading week, ``said`` are its days in words.
    """

    number: int
    saturday: date
    said: str
    outcome: str
    url: str

    @property
    def column(self) -> int:
        return (self.number - 1) % A_ROW if self.number <= 4 * A_ROW else A_ROW

    @property
    def row(self) -> int:
        return min((self.number - 1) // A_ROW, 3)  # A 53rd week is at the end of the last row.


@member.get("/me/<token>/record")
def record_page(token: str) -> Page:
    link = read_token(token)
    with services().db.read() as session:
        met = own(session, link)
        duty = weekly_duty()
        reading = duty.key if duty else ""
        periods = periods_of(session, met.you, reading)
        why_not = Unopened(
            held_up_periods(session, met.you), not_opened_since(session, met.you, reading)
        )
        ended = ended_of(session, met.you, besides=reading, limit=ENDED_SHOWN)
    years = sorted({int(case.data["period"][:4]) for case, _first in periods})
    year = _year(years, met.club, services().clock.now())
    weeks = year_of(met.club, met.you, periods, year, why_not) if years else []
    return own_page(
        "record",
        token,
        year=year,
        years=years,
        weeks=weeks,
        words=WORDS,
        count=Counter(week.outcome for week in weeks),
        rows=[say_month(week.saturday, g.language) for week in weeks[: 4 * A_ROW : A_ROW]],
        ended=[(case, link_for(met.club, met.you, "case", case.id)) for case in ended],
    )


def outcome_of(case: Case, first: Event | None) -> str:
    """Return the outcome of a reading week.

    The first submission decides whether it was in time; one that did not stay accepted counts as
    none.
    """
    duty = state_of(case.workflow, case.state).duty
    if duty or case.state == "void":
        return _BY_DUTY.get(duty, NONE)
    if first is None:
        return MISSING
    return IN_TIME if state_of(case.workflow, first.from_state).duty == "open" else LATE


@dataclass(frozen=True)
class Unopened:
    """The weeks that did not begin: for one member, with the case in the way, or for all."""

    held_up: Mapping[str, Case]
    for_all: Collection[str]


def year_of(
    club: Club,
    you: Person,
    periods: Iterable[tuple[Case, Event | None]],
    year: int,
    why_not: Unopened,
) -> list[Week]:
    """Return each reading week of an ISO year with its outcome, or why it did not begin."""
    found = {case.data["period"]: (case, first) for case, first in periods}
    weeks = []
    for number in range(1, date(year, 12, 28).isocalendar().week + 1):
        name, saturday = f"{year}-W{number:02d}", date.fromisocalendar(year, number, 6)
        case, first = found.get(name, (None, None))
        outcome = outcome_of(case, first) if case else NONE
        if case is None and name in why_not.held_up:
            case, outcome = why_not.held_up[name], HELD_UP
        elif case is None and name in why_not.for_all:
            outcome = NOT_OPENED
        url = link_for(club, you, "case", case.id) if case and outcome != NONE else ""
        days = days_of_period(case.data if case and outcome != HELD_UP else {"period": name})
        said = say_days(*(days or (saturday, saturday)), g.language)
        weeks.append(Week(number, saturday, said, outcome, url))
    return weeks


def _year(years: list[int], club: Club, now: datetime) -> int:
    """Return the asked-for year if it exists, else this one, else the newest with a week in it."""
    asked = request.args.get("year", default=0, type=int)
    this = (
        (now.astimezone(ZoneInfo(club.zone)) + timedelta(days=1)).isocalendar().year
    )  # A reading week opens on a Sunday.
    return asked if asked in years else this if this in years or not years else years[-1]
