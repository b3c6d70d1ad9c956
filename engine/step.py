"""One step of one case: what a declared effect, test or target gets to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engine.charter import Charter, Numbers
from engine.db import club_of
from engine.models import Case, Club, Event, Mark, Person
from engine.moments import Frame

Via = Literal["page", "mail", "clock", "command"]


@dataclass(frozen=True)
class Hand:
    """Who acts, and by what way. The clock has no person; ``on_behalf_of`` is the one who could not act themself."""

    person: Person | None
    via: Via
    on_behalf_of: Person | None = None


CLOCK = Hand(None, "clock")


@dataclass
class Step:
    """A case on its way through the door, with what declared effects and tests may need.

    ``event`` is the one being written; effects may add to the session but never touch the network.
    """

    session: Session
    case: Case
    hand: Hand
    now: datetime
    event: Event
    round: int

    def leading(self, among: Iterable[str]) -> str:
        """The choice with most marks, the one named first on a tie."""
        return max(among, key=lambda choice: self.count[choice])

    @cached_property
    def club(self) -> Club:
        return club_at_hand(self.session)

    @cached_property
    def numbers(self) -> Numbers:
        return numbers_of(self.club)

    @cached_property
    def person(self) -> Person:
        return self.session.get_one(Person, (self.case.club_id, self.case.person_id))

    @cached_property
    def frame(self) -> Frame:
        return frame_of(self.club, self.case)

    @cached_property
    def count(self) -> Counter[str]:
        """The marks by choice of the round that this step found."""
        marks = select(Mark.choice, func.count()).where(Mark.case_id == self.case.id, Mark.entered_version == self.round)
        return Counter(dict(self.session.execute(marks.group_by(Mark.choice)).tuples().all()))


def club_at_hand(session: Session) -> Club:
    return session.get_one(Club, club_of(session))


_parsed: dict[tuple[int, int, datetime], Charter] = {}


def charter_of(club: Club) -> Charter:
    """The club's charter, parsed once per version."""
    key = (club.id, club.charter_version, club.created_at)
    if key not in _parsed:
        _parsed[key] = Charter.parse(club.charter)
    return _parsed[key]


def numbers_of(club: Club) -> Numbers:
    return charter_of(club).numbers


def frame_of(club: Club, case: Case | None = None) -> Frame:
    return Frame(ZoneInfo(club.zone), numbers_of(club), dict(case.data) if case else {})


def chance_left(step: Step) -> bool:
    """Is the charter's second chance of this matter unused (clause 3.2)?"""
    return _chances_used(step, Event.case_id == step.case.id) < step.numbers.second_chances


def chance_left_this_month(step: Step) -> bool:
    """Has this person a second chance left in this calendar month, over all cases of this workflow (clause 5.4)?"""
    first = step.now.astimezone(step.frame.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    of_person = select(Case.id).where(Case.person_id == step.case.person_id, Case.workflow == step.case.workflow)
    return _chances_used(step, Event.case_id.in_(of_person), Event.at >= first.astimezone(UTC)) < step.numbers.second_chances


def _chances_used(step: Step, *where: ColumnElement[bool]) -> int:
    """Chances given, not counting an owner's extension, which gives the same chance more time."""
    entries = (
        select(func.count())
        .select_from(Event)
        .where(*where, Event.to_state == "overdue", Event.from_state != "overdue", Event.from_state != "removal_proposed")
    )
    return step.session.execute(entries).scalar_one()


def undo_ends(event: Event, numbers: Numbers) -> datetime:
    return event.at + timedelta(hours=numbers.undo_hours)
