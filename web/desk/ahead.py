"""The days ahead: the club's calendar, and the letters that leave if no one acts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template
from werkzeug.wrappers import Response

from engine.declare.registry import workflow
from engine.reports.agenda import AgendaItem, agenda
from engine.storage.models import Club
from engine.text.i18n import marked as _
from engine.text.i18n import of_week, say_days
from web.app.services import services
from web.desk.forecast_cache import DAYS, cached_forecast, gathered
from web.http.auth import officer_here
from web.http.i18n import gettext, state_word

ahead = Blueprint("ahead", __name__)

T = TypeVar("T")

# The page shows this many kinds of letters, and this many names of each; it counts the others.
MOST_ROWS, MOST_NAMES = 80, 12

OPENS = _("begins: each member is asked")
FALLS_DUE = _("is due for everybody")
DUE = _("%(what)s (%(state)s) is due")
VOTE_CLOSES = _("the vote closes")
REMOVAL = _("removal to be decided")


@dataclass
class AheadRow:
    at: datetime
    what: str
    who: list[str] = field(default_factory=list)
    count: int = 1


@ahead.get("/<slug>/desk/ahead")
def ahead_page(slug: str) -> str | Response:
    now = services().clock.now()
    with services().db.read() as session:
        club, _you = officer_here(session, slug)
        entries = agenda(session, now, now + timedelta(days=DAYS))
    sendings = gathered(cached_forecast(services(), club, now))
    return render_template(
        "pages/desk/ahead.html",
        calendar=_by_day([_row(entry) for entry in entries], club, lambda row: row.at),
        sendings=_by_day(sendings[:MOST_ROWS], club, lambda sending: sending.at),
        letters=sum(len(sending.who) for sending in sendings),
        rest=sum(len(sending.who) for sending in sendings[MOST_ROWS:]),
        most=MOST_NAMES,
        days=DAYS,
    )


def _row(entry: AgendaItem) -> AheadRow:
    label = gettext(workflow(entry.workflow).label)
    if entry.kind != "due":
        word = OPENS if entry.kind == "opens" else FALLS_DUE
        days = say_days(*entry.days, g.language) if entry.days else ""
        return AheadRow(entry.at, of_week(label, days, g.language) + gettext(": ") + gettext(word))
    named = {"members": VOTE_CLOSES, "owner": REMOVAL}.get(entry.turn) if entry.who else None
    if named:
        return AheadRow(entry.at, label + gettext(": ") + gettext(named), entry.who)
    return AheadRow(
        entry.at,
        gettext(DUE, what=label, state=state_word(entry.workflow, entry.state)),
        count=entry.count,
    )


def _by_day(
    items: Iterable[T], club: Club, moment: Callable[[T], datetime]
) -> list[tuple[datetime, list[T]]]:
    """Group by day; midnight belongs to the day that ends, as in the club's rules."""
    zone = ZoneInfo(club.zone)
    found: dict[date, tuple[datetime, list[T]]] = {}
    for item in items:
        at = moment(item)
        found.setdefault((at - timedelta(seconds=1)).astimezone(zone).date(), (at, []))[1].append(
            item
        )
    return list(found.values())
