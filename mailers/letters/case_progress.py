"""How a case came to where it stands, and how soon it is due, as far as its letters speak of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from engine.club.context import charter_numbers, current_officers, current_owner
from engine.club.history import changed_since_last, events_of
from engine.storage.models import Case, Club, Event
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession


@dataclass(frozen=True)
class CaseProgress:
    """``version``: that of the event which the letter is about."""

    session: ClubSession
    case: Case
    version: int
    club: Club
    now: datetime

    @cached_property
    def _events(self) -> Sequence[Event]:
        return events_of(self.session, self.case)

    def times(self, action: str) -> int:
        """How often this was done, the letter's event included."""
        return sum(
            event.action == action for event in self._events if event.version <= self.version
        )

    @property
    def before(self) -> Event | None:
        """How the case came into the state that the letter's event left; None when it was opened
        there."""
        left = next(event.from_state for event in self._events if event.version == self.version)
        earlier = [event for event in self._events if event.version < self.version]
        return next(
            (event for event in reversed(earlier) if event.to_state == left != event.from_state),
            None,
        )

    @property
    def unchanged(self) -> bool:
        """Is what was sent again word for word what the decider saw before?"""
        return not changed_since_last(self.session, self.case, self.version)

    @property
    def moved(self) -> bool:
        """Has the due time of the present round moved because the letter that announces it left
        late?"""
        if self.case.version == self.case.entered_version:
            return False
        return any(
            event.action == "postponed"
            for event in self._events
            if event.version > self.case.entered_version
        )

    @property
    def due_on(self) -> str:
        """``today`` or ``tomorrow``, in the club's zone, else empty. Midnight ends a day."""
        if self.case.due_at is None:
            return ""
        zone = ZoneInfo(self.club.zone)
        last = (self.case.due_at - timedelta(seconds=1)).astimezone(zone).date()
        return {0: "today", 1: "tomorrow"}.get((last - self.now.astimezone(zone).date()).days, "")

    @property
    def closing(self) -> bool:
        """Is so little time left that this is the last reminder?"""
        return (
            self.case.due_at is not None
            and self.case.due_at - self.now <= charter_numbers(self.club).remind_last
        )

    @property
    def several_admins(self) -> bool:
        """Do other admins get the same letter?"""
        return (
            sum(
                person.role == PersonRole.ADMIN and person.id != self.case.person_id
                for person in current_officers(self.session)
            )
            > 1
        )

    @property
    def owner_is_away(self) -> bool:
        return current_owner(self.session).away_until is not None
