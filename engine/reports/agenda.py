"""A club's calendar: openings to come and the deadlines of open cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select

from engine.club.context import current_club, time_context
from engine.declare.workflow import REMOVAL_PROPOSED
from engine.scheduler.schedules import calendars
from engine.storage.models import Case, Person, Schedule
from engine.storage.unit_of_work import ClubSession

MOST_NAMES = 60


@dataclass
class AgendaItem:
    """An entry of the calendar.

    ``kind``: opens (a period), falls_due (that period), due (open cases). ``count``: of open cases;
    ``who``: their persons, if the page names them (a vote, a removal).
    """

    at: datetime
    kind: str
    workflow: str
    state: str = ""
    turn: str = ""
    days: tuple[date, date] | None = None
    count: int = 1
    who: list[str] = field(default_factory=list)


def agenda(session: ClubSession, now: datetime, until: datetime) -> list[AgendaItem]:
    """Return the entries in order of time; empty while the club is paused.

    Cases of one state with the same deadline are one entry.
    """
    if current_club(session).paused_at:
        return []
    found = [*_openings(session, now, until), *_due(session, now, until)]
    return sorted(found, key=lambda entry: (entry.at, entry.kind, entry.workflow, entry.state))


def _openings(session: ClubSession, now: datetime, until: datetime) -> list[AgendaItem]:
    context, known = time_context(current_club(session)), calendars()
    entries = []
    for schedule in session.execute(select(Schedule).where(Schedule.rule.in_(known))).scalars():
        rule = known[schedule.rule].rule
        opening = schedule.next_at if schedule.next_at > now else rule.latest(now, context)
        while opening <= until:
            due, days = rule.due_of(opening, context), rule.days_of(opening, context)
            entries.append(AgendaItem(max(opening, now), "opens", schedule.rule, days=days))
            if due <= until:
                entries.append(AgendaItem(due, "falls_due", schedule.rule, days=days))
            opening = rule.following(opening, context)
    return entries


def _due(session: ClubSession, now: datetime, until: datetime) -> list[AgendaItem]:
    kind = (Case.due_at, Case.workflow, Case.state, Case.turn)
    open_now = (Case.turn != "") & (Case.due_at > now) & (Case.due_at <= until)
    rows = session.execute(select(*kind, func.count()).where(open_now).group_by(*kind)).all()
    names = _names(session, until)
    return [
        AgendaItem(at, "due", flow, state, turn, count=count, who=names.get((at, flow, state), []))
        for at, flow, state, turn, count in rows
        if at
    ]


def _names(
    session: ClubSession, until: datetime
) -> dict[tuple[datetime | None, str, str], list[str]]:
    """Return the candidates of open elections and the members whose removal is proposed."""
    of_person = (Person.club_id == Case.club_id) & (Person.id == Case.person_id)
    wanted = select(Case.due_at, Case.workflow, Case.state, Person.name).join(Person, of_person)
    wanted = wanted.where(
        Case.due_at <= until,
        (Case.turn == "members") | (Case.turn != "") & (Case.state == REMOVAL_PROPOSED),
    )
    found: dict[tuple[datetime | None, str, str], list[str]] = {}
    for at, flow, state, name in session.execute(
        wanted.order_by(Case.due_at, Case.id).limit(MOST_NAMES)
    ):
        found.setdefault((at, flow, state), []).append(name)
    return found
