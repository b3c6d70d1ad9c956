"""The notice: the system acts against a person only after its ask was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import bindparam, select, tuple_

from engine.cases.transitions import act
from engine.club.context import charter_numbers, current_club
from engine.declare.registry import state_of
from engine.declare.transition import CLOCK
from engine.declare.workflow import State
from engine.declare.workflow import person as the_person
from engine.storage.models import Case, Letter
from engine.storage.states import LetterState, PersonStatus
from engine.storage.unit_of_work import ClubSession

NoticeStatus = Literal["in time", "late", "not yet", "unreachable"]
# By case, recipient and letter's name: its state, and when it was settled.
Notices = Mapping[tuple[int, int, str], Any]


def load_notices(session: ClubSession, cases: Sequence[Case]) -> Notices:
    """Return the asks of these cases' entered versions to their persons, in one query."""
    keys = [(case.club_id, case.id, case.entered_version) for case in cases if _announcing(case)]
    found: dict[tuple[int, int, str], Any] = {}
    for row in session.connection().execute(_ASKS, {"rounds": keys}) if keys else ():
        found.setdefault((row.case_id, row.person_id, row.name), row)
    return found


def notice_status(session: ClubSession, case: Case, asks: Notices) -> NoticeStatus:
    """Return whether the current state's notice arrived: in time, late, not yet, unreachable.

    "in time" if no notice is required, as on a decider's turn.
    """
    names = _announcing(case)
    if not names:
        return "in time"
    letters = (asks.get((case.id, case.person_id, name)) for name in names)
    letter = next((letter for letter in letters if letter), None)
    if letter is None or letter.state in (LetterState.FAILED, LetterState.DROPPED):
        return "unreachable"
    if letter.state != LetterState.SENT or letter.settled_at is None:
        return "not yet"
    return "late" if _too_late(session, case, letter.settled_at) else "in time"


_letter = Letter.__table__.c
_ASKS = (
    select(_letter.case_id, _letter.person_id, _letter.name, _letter.state, _letter.settled_at)
    .where(
        tuple_(_letter.club_id, _letter.case_id, _letter.version).in_(
            bindparam("rounds", expanding=True)
        ),
        _letter.asks,
    )
    .order_by(_letter.id)
)


def waits_while_unreachable(case: Case) -> bool:
    """True for a member whom no mail reaches; an application without answer simply ends."""
    return case.person.status == PersonStatus.MEMBER


def renew_late_notice(session: ClubSession, case: Case, now: datetime) -> None:
    """Postpone the deadline, because the ask that announces it leaves too late."""
    with session.begin_nested():  # A failure here is this letter's alone.
        act(session, case, "postponed", by=CLOCK, now=now)


def is_too_late(session: ClubSession, case: Case, letter: Letter, now: datetime) -> bool:
    """True if this letter announces its person's deadline, and too late."""
    announces = letter.name in _announcing(case) and letter.person_id == case.person_id
    running = letter.asks and case.entered_version == letter.version and case.turn != ""
    return announces and running and _too_late(session, case, now)


def _announcing(case: Case) -> list[str]:
    """Return the letters that ask the person when their turn begins."""
    return _announcing_in(case.workflow, state_of(case.workflow, case.state))


@cache
def _announcing_in(workflow_name: str, state: State) -> list[str]:
    if state.turn != the_person:
        return []
    return [f"{workflow_name}.{letter.name}" for letter in state.entry_letters if letter.asks]


def _too_late(session: ClubSession, case: Case, left_at: datetime) -> bool:
    """True if less than ``remind_before``, or half of a shorter span, is left."""
    assert case.due_at is not None, "somebody's turn has a due time"
    margin = min(
        charter_numbers(current_club(session)).remind_before, (case.due_at - case.entered_at) / 2
    )
    return left_at > case.due_at - margin
