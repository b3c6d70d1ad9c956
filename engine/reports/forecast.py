"""The days ahead if no one acts: which letters leave to whom, when and why.

The code that acts runs in a sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy import func, select, update

from engine.club.context import current_club
from engine.declare.registry import workflow
from engine.reports.sandbox import sandbox
from engine.scheduler.recurring import openings_round
from engine.scheduler.sweep import ROUND, sweep_round
from engine.setup.club_admin import apply_charter
from engine.storage.database import Database
from engine.storage.models import Case, Letter, Person, Schedule, new_id
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession


@dataclass(frozen=True)
class PlannedLetter:
    """A letter that would leave.

    ``state`` and ``clause`` say why, both empty for a letter without a case. ``to``: a name for
    people, if there is one; ``address``: the recipient's.
    """

    at: datetime
    letter: str
    to: str
    address: str
    person_id: int
    case_id: int | None
    state: str
    clause: str


@dataclass(frozen=True)
class LetterChange:
    """A letter that would leave at another time, be new, or not leave.

    New: ``before`` is None; not sent: ``after`` is None.
    """

    letter: str
    to: str
    before: datetime | None
    after: datetime | None


def forecast_letters(
    db: Database,
    club_id: int,
    now: datetime,
    until: datetime,
    *,
    change: Callable[[ClubSession], None] = lambda session: None,
) -> list[PlannedLetter]:
    """Return each letter that would leave by ``until``, in order.

    ``change``: applied first, such as another charter.
    """
    with sandbox(db, club_id) as session:
        change(session)
        found = _leaving(session, until)
        while (moment := _next_moment(session)) is not None and moment <= until:
            _simulate(session, max(moment, now))
            found += _leaving(session, until)
        return sorted(found, key=lambda item: item.at)


def with_charter(
    session: ClubSession, club_id: int, charter: Mapping[str, Any], now: datetime
) -> None:
    """Give the club of a sandbox this charter.

    Uses a fake version, so that the process-wide charter cache is not poisoned.
    """
    current_club(session).charter_version = new_id()
    apply_charter(session, club_id, charter, now)


def letter_changes(
    before: Sequence[PlannedLetter], after: Sequence[PlannedLetter]
) -> list[LetterChange]:
    """Return the differences of two forecasts.

    Of one kind of letter to one person, times in both forecasts cancel out.
    """
    known, wanted = _by_kind(before), _by_kind(after)
    found = []
    for key in known | wanted:
        old, new = known.get(key, []), wanted.get(key, [])
        gone, fresh = (
            [at for at in these if at not in others] for these, others in ((old, new), (new, old))
        )
        found += [LetterChange(key[0], key[2], *moments) for moments in zip_longest(gone, fresh)]
    return sorted(found, key=lambda item: min(at for at in (item.before, item.after) if at))


def _by_kind(foreseen: Sequence[PlannedLetter]) -> dict[tuple[str, int, str], list[datetime]]:
    found: dict[tuple[str, int, str], list[datetime]] = {}
    for item in foreseen:
        found.setdefault((item.letter, item.person_id, item.to), []).append(item.at)
    return found


def _next_moment(session: ClubSession) -> datetime | None:
    """Return the next time with work to do.

    A case whose step fails backs off again and again; it alone is no reason to look.
    """
    wakes = session.execute(select(func.min(Case.wake_at)).where(Case.trouble == "")).scalar_one()
    schedules = session.execute(select(func.min(Schedule.next_at))).scalar_one()
    return min((moment for moment in (wakes, schedules) if moment), default=None)


def _simulate(session: ClubSession, moment: datetime) -> None:
    while sweep_round(session, moment) >= ROUND:
        session.flush()
    session.flush()
    while openings_round(session, moment) is not None:
        session.flush()


def _leaving(session: ClubSession, until: datetime) -> list[PlannedLetter]:
    """Return the letters that are queued now, taken as sent when due."""
    rows = session.execute(
        select(
            Letter.next_at,
            Letter.name,
            Letter.case_id,
            Person.id,
            Person.name,
            func.coalesce(Letter.address, Person.address, ""),
            Case.workflow,
            Case.state,
        )
        .join(Person, (Person.club_id == Letter.club_id) & (Person.id == Letter.person_id))
        .outerjoin(Case, (Case.club_id == Letter.club_id) & (Case.id == Letter.case_id))
        .where(Letter.state == LetterState.QUEUED, Letter.next_at <= until)
    ).all()
    found = [
        PlannedLetter(
            at,
            letter,
            name or address,
            address,
            person_id,
            case_id,
            state or "",
            workflow(flow).clause_of(state) if flow else "",
        )
        for at, letter, case_id, person_id, name, address, flow, state in rows
    ]
    sent = (
        update(Letter)
        .where(Letter.state == LetterState.QUEUED)
        .values(state=LetterState.SENT, settled_at=Letter.next_at)
    )
    session.execute(sent, execution_options={"synchronize_session": False})
    return found
