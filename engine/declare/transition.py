"""One transition of one case: the input of declared effects, tests and targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from sqlalchemy import select

from engine.charter.model import Numbers
from engine.declare.due_times import TimeContext
from engine.declare.roles import Proof
from engine.security.ballots import open_choice
from engine.storage.models import Case, Club, Event, Mark, Person
from engine.storage.unit_of_work import ClubSession, NewEvent

Channel = Literal["page", "mail", "clock", "command"]


@dataclass(frozen=True)
class Actor:
    """A person and a channel.

    The clock has no person; ``on_behalf_of`` is the person who could not act.
    """

    person: Person | None
    via: Channel
    on_behalf_of: Person | None = None
    proof: Proof = Proof.NONE
    device: str = ""


CLOCK = Actor(None, "clock")


@dataclass
class Transition:
    """A case and the event being written, for declared effects and tests.

    Effects may add rows to the session but never touch the network.
    """

    session: ClubSession
    case: Case
    actor: Actor
    now: datetime
    event: NewEvent
    entered_version: int
    club: Club
    context: TimeContext

    def leading(self, among: Iterable[str]) -> str:
        """Return the choice with most votes; of equals the one declared first."""
        return max(among, key=lambda choice: self.count[choice])

    @property
    def numbers(self) -> Numbers:
        return self.context.numbers

    @property
    def person(self) -> Person:
        return self.case.person

    @cached_property
    def count(self) -> Counter[str]:
        """Count the votes by choice of the entered version before this transition."""
        votes = select(Mark.choice).where(
            Mark.case_id == self.case.id, Mark.entered_version == self.entered_version
        )
        session, data = self.session, self.case.data
        return Counter(
            open_choice(session, data, choice) for choice in session.execute(votes).scalars()
        )


def undo_ends(event: Event, numbers: Numbers) -> datetime:
    return event.at + timedelta(hours=numbers.undo_hours)
