"""A cache of the forecast: the same one is not computed twice while nothing happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from engine.reports.forecast import PlannedLetter, forecast_letters
from engine.storage.database import Database
from engine.storage.models import Case, Club, Letter, Person, Schedule
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession
from web.app.services import Services

DAYS = 14
_KEPT = timedelta(minutes=10)
_MOST_CLUBS = 100


@dataclass(frozen=True)
class Sending:
    """A kind of letter that leaves at one time. ``who``: one name per letter."""

    at: datetime
    letter: str
    clause: str
    who: list[str]


def cached_forecast(here: Services, club: Club, now: datetime) -> list[PlannedLetter]:
    """Return the letters of the next days in order, from the cache if nothing changed.

    Computed again after each change of the club's rows, and now and then.
    """
    db, cached = here.db, here.forecasts
    with db.read(club.id) as session:
        state = club.charter_version, club.zone, _traces(session)
    found = cached.get(club.id)
    if found is None or found[1] != state or not now - _KEPT <= found[0] <= now:
        while len(cached) >= _MOST_CLUBS:
            cached.pop(next(iter(cached)), None)
        found = cached[club.id] = (
            now,
            state,
            forecast_letters(db, club.id, now, now + timedelta(days=DAYS)),
        )
    return found[2]


def gathered(letters: Iterable[PlannedLetter]) -> list[Sending]:
    """Group letters of one kind and time, in order."""
    found: dict[tuple[datetime, str, str], list[str]] = {}
    for item in letters:
        found.setdefault((item.at, item.letter, item.clause), []).append(item.to)
    return [Sending(*key, who) for key, who in sorted(found.items())]


def trial(
    db: Database, club: Club, now: datetime, change: Callable[[ClubSession], None]
) -> list[PlannedLetter]:
    """Forecast the same days with a change of the club."""
    return forecast_letters(db, club.id, now, now + timedelta(days=DAYS), change=change)


def _traces(session: ClubSession) -> Any:
    """Return figures of which each event changes one.

    A case moves, a letter is queued or settled, an opening passes, a person comes, goes or changes.
    """
    cases = select(func.count(), func.sum(Case.version), func.max(Case.wake_at)).where(
        Case.turn != ""
    )
    queued = select(func.count(), func.max(Letter.id)).where(Letter.state == LetterState.QUEUED)
    return tuple(
        tuple(session.execute(asked).one())
        for asked in (
            cases,
            queued,
            select(func.min(Schedule.next_at)),
            select(func.count(), func.sum(Person.version)),
        )
    )
