"""A member's record: their submissions, and the letters they got and why."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import defer

from engine.cases.held_up import held_up_by
from engine.declare.due_times import days_of_period
from engine.storage.models import Case, Event, Letter, Person, Schedule
from engine.storage.unit_of_work import ClubSession

HAND_INS = ("submit", "resubmit")


@dataclass(frozen=True)
class LetterToPerson:
    """A letter with its case and the event that caused it, if any."""

    letter: Letter
    case: Case | None
    event: Event | None


def letters_to(session: ClubSession, person: Person, limit: int) -> list[LetterToPerson]:
    """Return the newest letters to a person, without their bytes, in one query."""
    wanted = (
        select(Letter, Case, Event)
        .options(defer(Letter.bytes))
        .outerjoin(Case, (Case.club_id == Letter.club_id) & (Case.id == Letter.case_id))
        .outerjoin(
            Event,
            (Event.club_id == Case.club_id)
            & (Event.case_id == Case.id)
            & (Event.version == Letter.version),
        )
        .where(Letter.person_id == person.id)
        .order_by(Letter.id.desc())
        .limit(limit)
    )
    return [LetterToPerson(letter, case, event) for letter, case, event in session.execute(wanted)]


def periods_of(
    session: ClubSession, person: Person, workflow: str
) -> list[tuple[Case, Event | None]]:
    """Return the cases that the calendar opened for a person, with first submissions.

    Oldest first, in two queries.
    """
    mine = (Case.person_id == person.id) & (Case.workflow == workflow)
    cases = (
        session.execute(select(Case).where(mine).order_by(Case.opened_at, Case.id)).scalars().all()
    )
    handed_in = select(Event).join(
        Case, (Case.club_id == Event.club_id) & (Case.id == Event.case_id)
    )
    newest_first = handed_in.where(mine, Event.action.in_(HAND_INS)).order_by(Event.version.desc())
    first = {event.case_id: event for event in session.execute(newest_first).scalars()}
    return [(case, first.get(case.id)) for case in cases if "period" in case.data]


def ended_of(session: ClubSession, person: Person, *, besides: str, limit: int) -> list[Case]:
    """Return a person's ended cases, newest first, without those of one workflow."""
    mine = (Case.person_id == person.id) & (Case.turn == "") & (Case.workflow != besides)
    return list(
        session.execute(
            select(Case).where(mine).order_by(Case.opened_at.desc(), Case.id.desc()).limit(limit)
        ).scalars()
    )


def held_up_periods(session: ClubSession, person: Person) -> dict[str, Case]:
    """Return the periods that did not open for a person, by name, each with the case in the way."""
    cases = session.execute(select(Case).where(Case.person_id == person.id)).scalars()
    return {period.name: case for case in cases for period in held_up_by(case)}


def not_opened_since(session: ClubSession, person: Person, workflow: str) -> set[str]:
    """Return the periods that opened for no member, since the person is known as a member."""
    wanted = select(Schedule.not_opened).where(Schedule.rule == workflow)
    names = session.execute(wanted).scalar_one_or_none() or []
    since = person.registered_at or person.joined_at
    days = {name: days_of_period({"period": name}) for name in names}
    return {name for name, span in days.items() if span and (not since or span[0] >= since.date())}
