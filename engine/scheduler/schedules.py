"""The next times of the calendar: openings, daily letter, end of a pause."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.charter.model import charter
from engine.club.context import current_club, time_context
from engine.declare.due_times import Daily, Recurrence, TimeContext
from engine.declare.openings import Calendar
from engine.declare.registry import all_workflows
from engine.declare.workflow import Workflow
from engine.storage.database import across_clubs, in_club
from engine.storage.models import Club, Schedule
from engine.storage.unit_of_work import ClubSession

DAILY, RESUME = "daily", "resume"
_DAILY_LETTER = Daily(charter.digest_hour)


@across_clubs
def plan_every_club(session: ClubSession, now: datetime) -> None:
    """Plan the schedules of all clubs, when a worker starts and now and then."""
    for club in session.execute(select(Club)).scalars().all():
        with in_club(session, club.id):
            plan_schedules(session, now)


def plan_schedules(session: ClubSession, now: datetime) -> None:
    """Add the club's missing schedules, for a new club or workflow.

    The first opening is the next one. Existing ones are never further ahead than their next time:
    they would be, after a clock that ran ahead and was put right.
    """
    club = current_club(session)
    have, context = set(session.execute(select(Schedule.rule)).scalars()), time_context(club)
    for rule in (DAILY, *calendars()):
        if rule not in have:
            session.add(
                Schedule(
                    club_id=club.id,
                    rule=rule,
                    next_at=rhythm_of(rule).following(now, context),
                    not_opened=[],
                )
            )
    replan_schedules(session, now, before=context)


def replan_schedules(session: ClubSession, now: datetime, *, before: TimeContext) -> None:
    """Move the schedules to the new hours of a charter or zone.

    ``before``: the old context. A due opening stays due; one that was ahead and is past by the new
    hours is due at once.
    """
    context = time_context(current_club(session))
    ahead = select(Schedule).where(Schedule.next_at > now, Schedule.rule.in_((*calendars(), DAILY)))
    for schedule in session.execute(ahead).scalars().all():
        rhythm = rhythm_of(schedule.rule)
        begun, expected = rhythm.latest(now, context), rhythm.period(schedule.next_at, before)
        schedule.next_at = (
            begun if rhythm.period(begun, context) == expected else rhythm.following(now, context)
        )


def pass_over(session: ClubSession, schedule: Schedule, now: datetime) -> None:
    """Skip what fell into the club's pause, and set the next time."""
    rhythm, context = rhythm_of(schedule.rule), time_context(current_club(session))
    while schedule.next_at <= now and schedule.rule != DAILY:
        schedule.not_opened = [*schedule.not_opened, rhythm.period(schedule.next_at, context)]
        schedule.next_at = rhythm.following(schedule.next_at, context)
    schedule.next_at = rhythm.following(now, context)


def rhythm_of(rule: str) -> Recurrence:
    """Return the recurrence of a schedule: its times and their names."""
    return _DAILY_LETTER if rule == DAILY else calendars()[rule].rule


def calendars() -> dict[str, Calendar]:
    """Return the workflows that the calendar opens."""
    return {flow.key: calendar for flow in all_workflows() if (calendar := calendar_of(flow))}


def calendar_of(flow: type[Workflow]) -> Calendar | None:
    return next((item for item in flow.openings if isinstance(item, Calendar)), None)
