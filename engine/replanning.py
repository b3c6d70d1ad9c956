"""After a change of the charter the calendar follows its new hours, from now on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.beginnings import Calendar
from engine.models import Schedule
from engine.openings import DAILY, plan_schedules
from engine.registry import all_workflows


def calendars() -> dict[str, Calendar]:
    """The workflows that the calendar opens."""
    return {flow.key: item for flow in all_workflows() for item in flow.openings if isinstance(item, Calendar)}


def replan_schedules(session: Session, now: datetime) -> None:
    """What lies ahead is planned anew. An opening that is due already stays due, and what was not opened stays on record."""
    ahead = select(Schedule).where(Schedule.next_at > now, Schedule.rule.in_([DAILY, *calendars()]))
    not_opened = {}
    for schedule in session.execute(ahead).scalars().all():
        not_opened[schedule.rule] = schedule.not_opened
        session.delete(schedule)
    session.flush()
    plan_schedules(session, now)
    session.flush()
    for schedule in session.execute(select(Schedule).where(Schedule.rule.in_(not_opened))).scalars():
        schedule.not_opened = not_opened[schedule.rule]
