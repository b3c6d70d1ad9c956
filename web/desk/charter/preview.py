"""The effects of another charter or time zone before it is saved.

Which letters of the next days change, and which announced deadlines stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import func, select

from engine.charter.diff import charter_diff
from engine.charter.model import CITED, KINDS, Number
from engine.declare.openings import Calendar
from engine.declare.registry import all_workflows, workflow
from engine.declare.workflow import EndOfDay, Later, NamedMoment, When, Workflow
from engine.reports.forecast import LetterChange, letter_changes, with_charter
from engine.setup.club_admin import change_club
from engine.storage.models import Case, Club
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app.services import services
from web.desk.charter.diff_view import Amended, describe_diff
from web.desk.forecast_cache import cached_forecast, trial
from web.forms.club_form import ZONES
from web.http.i18n import gettext

MOST = 20
_NAME, _ZONE = _("Name of the club"), _("Time zone")
_NAME_MEANS = _("Pages and letters carry it from now on. The club's address on the web stays.")
_ZONE_MEANS = _(
    "What members were told stays as it is. The hours of the club, and everything that "
    "begins from now on, follow the new time"
    " zone. The times below are still in the old one."
)


@dataclass(frozen=True)
class Change:
    """A kind of letter with another time, or new (``before`` None), or gone (``after`` None)."""

    letter: str
    before: datetime | None
    after: datetime | None
    who: list[str]


@dataclass(frozen=True)
class Kept:
    """The open cases of one state whose announced deadline stays."""

    workflow: str
    state: str
    count: int
    first: datetime
    last: datetime

    @property
    def label(self) -> str:
        return workflow(self.workflow).label


@dataclass
class Preview:
    """The effects of a change.

    ``rest``: the number of further changed letters. ``without``: clauses that letters cite and that
    would be missing. ``walked``: True if the days ahead were computed.
    """

    amended: list[Amended]
    changes: list[Change] = field(default_factory=list)
    rest: int = 0
    walked: bool = False
    kept: list[Kept] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    numbers: bool = False


def preview(club: Club, old: Mapping[str, Any], new: Mapping[str, Any]) -> Preview:
    found = charter_diff(old, new)
    made = Preview(describe_diff(found, g.language))
    made.without = sorted(
        {item.name for item in found if item.part == "clauses" and item.new is None} & _cited()
    )
    if any(item.part in ("numbers", "deputies", "in_daily_letter") for item in found):
        _look_ahead(
            made, club, lambda session: with_charter(session, club.id, new, services().clock.now())
        )
        numbers = {item.name for item in found if item.part == "numbers"}
        made.numbers, made.kept = bool(numbers), _kept(club, numbers)
    return made


def preview_of_club(club: Club, name: str, zone: str) -> Preview:
    """Preview another name or time zone."""
    made = Preview([])
    if name != club.name:
        made.amended.append(Amended(gettext(_NAME), club.name, name, means=gettext(_NAME_MEANS)))
    if zone != club.zone:
        old, new = (gettext(ZONES.get(key, key)) for key in (club.zone, zone))
        made.amended.append(Amended(gettext(_ZONE), old, new, means=gettext(_ZONE_MEANS)))
        now = services().clock.now()
        _look_ahead(
            made, club, lambda session: change_club(session, club.id, name=name, zone=zone, now=now)
        )
        made.kept = _kept(club, set(KINDS))
    return made


def _look_ahead(made: Preview, club: Club, change: Callable[[ClubSession], None]) -> None:
    here, now = services(), services().clock.now()
    different = _gathered(
        letter_changes(cached_forecast(here, club, now), trial(here.db, club, now, change))
    )
    made.walked = True
    made.changes, made.rest = different[:MOST], sum(len(change.who) for change in different[MOST:])


def _gathered(found: list[LetterChange]) -> list[Change]:
    together: dict[tuple[str, datetime | None, datetime | None], list[str]] = {}
    for item in found:
        together.setdefault((item.letter, item.before, item.after), []).append(item.to)
    return [Change(*key, who) for key, who in together.items()]


def _kept(club: Club, numbers: set[str]) -> list[Kept]:
    """Return the open cases whose present deadline came from one of these numbers."""
    states = {
        (flow.key, state.name)
        for flow in all_workflows()
        for state in flow.states.values()
        if state.due and _rests_on(flow, state.due.when) & numbers
    }
    with services().db.read(club.id) as session:
        rows = session.execute(
            select(
                Case.workflow,
                Case.state,
                func.count(),
                func.min(Case.due_at),
                func.max(Case.due_at),
            )
            .where(Case.turn != "", Case.due_at.is_not(None))
            .group_by(Case.workflow, Case.state)
            .order_by(Case.workflow, Case.state)
        ).all()
    return [
        Kept(flow, state, count, first, last)
        for flow, state, count, first, last in rows
        if (flow, state) in states and first and last
    ]


def _rests_on(flow: type[Workflow], when: When) -> set[str]:
    """Return the numbers behind a deadline; a calendar's case has those of its recurrence."""
    if isinstance(when, EndOfDay):
        return {when.days.key}
    if isinstance(when, Later):
        return {when.span.key}
    if not isinstance(when, NamedMoment):
        return set()
    rules = [item.rule for item in flow.openings if isinstance(item, Calendar)]
    numbers: list[Number | None] = [
        when.before,
        when.after,
        *(rule.opens for rule in rules),
        *(rule.due for rule in rules),
    ]
    return {number.key for number in numbers if number is not None}


def _cited() -> set[str]:
    of_states = {flow.clause_of(state) for flow in all_workflows() for state in flow.states}
    return of_states | set(vars(CITED).values())
