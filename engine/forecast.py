"""The days ahead, assuming that nobody acts: what would be sent to whom, when and why.

The declarations are walked by the very code that acts, in a session whose writes are all taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.db import Database, enter_club
from engine.models import Case, Letter, Person, Schedule
from engine.openings import begin
from engine.registry import workflow
from engine.sweep import look_at_safely


@dataclass(frozen=True)
class Foreseen:
    """One letter that would leave. ``state`` and ``clause`` say why; both are empty for a letter without a case."""

    at: datetime
    letter: str
    to: str
    person_id: int
    case_id: int | None
    state: str
    clause: str


def foresee(db: Database, club_id: int, now: datetime, until: datetime) -> list[Foreseen]:
    """Every letter that would leave in this club up to ``until``, in order."""
    with db.rehearse() as session:
        enter_club(session, club_id)
        found = _leaving(session, until)
        while (moment := _next_moment(session)) is not None and moment <= until:
            _live_through(session, max(moment, now))
            found += _leaving(session, until)
        return sorted(found, key=lambda item: item.at)


def _next_moment(session: Session) -> datetime | None:
    wakes = session.execute(select(func.min(Case.wake_at))).scalar_one()
    schedules = session.execute(select(func.min(Schedule.next_at))).scalar_one()
    return min((moment for moment in (wakes, schedules) if moment), default=None)


def _live_through(session: Session, moment: datetime) -> None:
    for case in session.execute(select(Case).where(Case.wake_at <= moment).order_by(Case.wake_at)).scalars().all():
        look_at_safely(session, case, moment)
    due = select(Schedule).where(Schedule.next_at <= moment)
    while schedule := session.execute(due.limit(1)).scalar_one_or_none():
        begin(session, schedule, moment)
        session.flush()


def _leaving(session: Session, until: datetime) -> list[Foreseen]:
    """The letters that are queued now, taken as sent at their moment."""
    rows = session.execute(
        select(Letter, Person, Case)
        .join(Person, (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id))
        .outerjoin(Case, (Case.club_id == Letter.club_id) & (Case.id == Letter.case_id))
        .where(Letter.state == "queued", Letter.next_at <= until)
    ).all()
    found = [
        Foreseen(
            letter.next_at, letter.name, person.name or person.address or "", person.id, letter.case_id,
            case.state if case else "", workflow(case.workflow).clause_of(case.state) if case else "",
        )
        for letter, person, case in rows
    ]  # fmt: skip
    session.execute(update(Letter).where(Letter.state == "queued").values(state="sent", settled_at=Letter.next_at))
    return found
