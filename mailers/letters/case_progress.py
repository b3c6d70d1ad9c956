"""The progress of a case and its deadline, as far as its letters speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from engine.cases.open_cases import open_cases_of
from engine.club.context import charter_numbers, current_officers, current_owner
from engine.club.history import changed_since_last, events_of
from engine.declare.registry import workflow
from engine.storage.models import Case, Club, Event
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession


@dataclass(frozen=True)
class CaseProgress:
    """The history of a case up to a letter.

    ``version``: that of the event which the letter is about.
    """

    session: ClubSession
    case: Case
    version: int
    club: Club
    now: datetime

    @cached_property
    def _events(self) -> Sequence[Event]:
        return events_of(self.session, self.case)

    def times(self, action: str) -> int:
        """Count the events of this action, the letter's own included."""
        return sum(
            event.action == action for event in self._events if event.version <= self.version
        )

    @property
    def before(self) -> Event | None:
        """Return the event that entered the state which the letter's event left.

        None if the case was opened there.
        """
        left = next(event.from_state for event in self._events if event.version == self.version)
        earlier = [event for event in self._events if event.version < self.version]
        return next(
            (event for event in reversed(earlier) if event.to_state == left != event.from_state),
            None,
        )

    @property
    def unchanged(self) -> bool:
        """True if a resubmission is word for word the earlier one."""
        return not changed_since_last(self.session, self.case, self.version)

    @property
    def moved(self) -> bool:
        """True if the deadline moved because the letter that announces it left late."""
        if self.case.version == self.case.entered_version:
            return False
        return any(
            event.action == "postponed"
            for event in self._events
            if event.version > self.case.entered_version
        )

    @property
    def due_on(self) -> str:
        """Return ``today`` or ``tomorrow`` in the club's zone, else "".

        Midnight ends a day.
        """
        if self.case.due_at is None:
            return ""
        zone = ZoneInfo(self.club.zone)
        last = (self.case.due_at - timedelta(seconds=1)).astimezone(zone).date()
        return {0: "today", 1: "tomorrow"}.get((last - self.now.astimezone(zone).date()).days, "")

    @property
    def closing(self) -> bool:
        """True if so little time is left that this is the last reminder."""
        return (
            self.case.due_at is not None
            and self.case.due_at - self.now <= charter_numbers(self.club).remind_last
        )

    @property
    def several_admins(self) -> bool:
        """True if other admins get the same letter."""
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

    @property
    def stands_for_admin(self) -> bool:
        """True if a case of the person is open that a proposed removal holds."""
        mine = open_cases_of(self.session, self.case.person)
        return any(workflow(case.workflow).held_by_removal for case in mine)
