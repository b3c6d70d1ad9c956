"""When the calendar's rules are next due: the openings, the daily letter, the end of a rest."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.at_hand import club_at_hand, frame_of, numbers_of
from engine.beginnings import Calendar
from engine.db import across_clubs, in_club
from engine.declare import Workflow
from engine.models import Club, Schedule
from engine.registry import all_workflows, workflow

DAILY, RESUME = "daily", "resume"


@across_clubs
def plan_every_club(session: Session, now: datetime) -> None:
    """For a worker that starts, and now and then."""
    for club in session.execute(select(Club)).scalars().all():
        with in_club(session, club.id):
            plan_schedules(session, now)


def plan_schedules(session: Session, now: datetime) -> None:
    """The club's schedules, for a new club or after a workflow was added: the first opening is the next one.

    Those that there are never lie further ahead than their next moment: they would, after a clock that ran ahead and was put right.
    """
    club = club_at_hand(session)
    have = set(session.execute(select(Schedule.rule)).scalars())
    if DAILY not in have:
        session.add(Schedule(club_id=club.id, rule=DAILY, next_at=_next_of(DAILY, club, now), not_opened=[]))
    for flow in all_workflows():
        if calendar_of(flow) and flow.key not in have:
            session.add(Schedule(club_id=club.id, rule=flow.key, next_at=_next_of(flow.key, club, now), not_opened=[]))
    replan_schedules(session, now)


def replan_schedules(session: Session, now: datetime) -> None:
    """After a change of the charter the calendar follows its new hours; an opening that is due already stays due."""
    club = club_at_hand(session)
    ahead = select(Schedule).where(Schedule.next_at > now, Schedule.rule.in_((*calendars(), DAILY)))
    for schedule in session.execute(ahead).scalars().all():
        schedule.next_at = _next_of(schedule.rule, club, now)


def pass_over(session: Session, schedule: Schedule, now: datetime) -> None:
    """What fell into the club's rest is not made up for; the next moment counts."""
    club = club_at_hand(session)
    if schedule.rule == DAILY:
        schedule.next_at = next_daily(club, now)
        return
    calendar, frame = calendar_of(workflow(schedule.rule)), frame_of(club)
    assert calendar is not None, "only what stands in the calendar has a schedule"
    while schedule.next_at <= now:
        schedule.not_opened = [*schedule.not_opened, calendar.rule.period(schedule.next_at, frame)]
        schedule.next_at = calendar.rule.following(schedule.next_at, frame)


def calendars() -> dict[str, Calendar]:
    """The workflows that the calendar opens."""
    return {flow.key: calendar for flow in all_workflows() if (calendar := calendar_of(flow))}


def calendar_of(flow: type[Workflow]) -> Calendar | None:
    return next((item for item in flow.openings if isinstance(item, Calendar)), None)


def _next_of(rule: str, club: Club, now: datetime) -> datetime:
    if rule == DAILY:
        return next_daily(club, now)
    calendar, frame = calendar_of(workflow(rule)), frame_of(club)
    assert calendar is not None, "only what stands in the calendar has a schedule"
    return calendar.rule.following(calendar.rule.latest(now, frame), frame)


def next_daily(club: Club, now: datetime) -> datetime:
    hour: time = numbers_of(club).digest_hour
    zone = ZoneInfo(club.zone)
    today = now.astimezone(zone).date()
    at = datetime.combine(today, hour, zone).astimezone(UTC)
    return at if at > now else datetime.combine(today + timedelta(days=1), hour, zone).astimezone(UTC)
