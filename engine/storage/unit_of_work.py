"""A session with its club, its cached rows and its pending writes.

Nothing about a unit is kept anywhere else: not in ``session.info``, not in a global.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from sqlalchemy import Executable, Table, event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors

from engine.storage import bulk
from engine.storage.models import Case, Club, ClubRow, Event, Person


class OutsideClub(RuntimeError):
    """A query on a club's rows in a session without a club."""


class _All(enum.Enum):
    CLUBS = "all clubs"


ALL_CLUBS: Final = _All.CLUBS
# A club's id, every club, or (None) the rows that belong to no club.
Scope = int | Literal[_All.CLUBS] | None


class Sealer(Protocol):
    """What seals and opens a text by the service's own key."""

    def encrypt(self, text: str) -> bytes: ...

    def decrypt(self, sealed: bytes) -> str: ...


@dataclass
class NewEvent:
    """The columns of an Event to be written; effects of the entered state may still add some."""

    club_id: int
    case_id: int
    version: int
    at: datetime
    who_id: int | None
    on_behalf_of_id: int | None
    via: str
    action: str
    from_state: str
    to_state: str
    note: str
    answers: dict[str, Any]
    device: str


@dataclass
class ClubContext:
    """The rows that every step needs, cached for the session by the club's id."""

    clubs: dict[int, Club] = field(default_factory=dict)
    owners: dict[int, Person] = field(default_factory=dict)
    officers: dict[int, list[Person]] = field(default_factory=dict)

    def forget_officers(self) -> None:
        """Clear the cached officers after a change of office."""
        self.owners.clear()
        self.officers.clear()


@dataclass
class UnitOfWork:
    """The caches and pending writes of one unit.

    ``letters``: whole rows of the table. ``letters_queued``: how many were written or queued again.
    ``history``: the events of a case by club, case and version.
    """

    context: ClubContext = field(default_factory=ClubContext)
    history: dict[tuple[int, int, int], Sequence[Event]] = field(default_factory=dict)
    events: list[NewEvent] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    letters_queued: int = 0

    def discard_pending(self) -> None:
        """Drop the pending writes after a rollback."""
        self.events.clear()
        self.letters.clear()
        self.history.clear()
        self.context.forget_officers()


class ClubSession(Session):
    """A session on one club, every club, or (at first) no club's rows.

    It writes its unit in a fixed order.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope: Scope = None
        self.unit = UnitOfWork()
        self.keys: Sealer | None = None

    @property
    def sealer(self) -> Sealer:
        """Return the service's encryption of what is secret in a row."""
        if self.keys is None:
            raise RuntimeError("this database was opened without the service's keys")
        return self.keys

    @property
    def club_id(self) -> int:
        """Return the club that the session is in.

        Raises: OutsideClub.
        """
        if not isinstance(self.scope, int):
            raise OutsideClub("say which club: enter_club(session, club_id)")
        return self.scope

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write in this order: new people, new cases, the ORM's other changes, events, letters.

        Events come after the cases, whose versions guard them. Called by SQLAlchemy before a query,
        a savepoint, a commit.
        """
        if self.new:
            self._put_in_club()
            bulk.insert_people_and_cases(self)
        super().flush(objects)
        self._write_pending()

    def flush_and_forget(self) -> None:
        """Flush with changed cases in a few statements, expunge all rows, clear the caches.

        Raises: StaleDataError if a case was changed meanwhile.
        """
        changed = list(self.dirty)
        cases = [row for row in changed if isinstance(row, Case)]
        if self.new or self.deleted or len(cases) < len(changed):
            self.flush()
        else:
            bulk.update_cases(self, cases)
            self._write_pending()
        self.expunge_all()
        self.unit.context = ClubContext()
        self.unit.history.clear()

    def _put_in_club(self) -> None:
        for row in self.new:
            if isinstance(row, ClubRow):
                if row.club_id is None:
                    row.club_id = self.club_id
                elif self.scope not in (row.club_id, ALL_CLUBS):
                    raise OutsideClub(f"a {row.__class__.__name__} of another club")

    def _write_pending(self) -> None:
        unit = self.unit
        if unit.events:
            events, unit.events = unit.events, []
            bulk.insert_events(self, events)
        if unit.letters:
            letters, unit.letters = unit.letters, []
            bulk.insert_letters(self, letters)
            unit.letters_queued += len(letters)


def _stay_in_club(state: ORMExecuteState) -> None:
    """Narrow a query to the session's club.

    Raises: OutsideClub if it is in none.
    """
    if state.is_column_load or state.is_relationship_load:
        return
    assert isinstance(state.session, ClubSession)
    scope = state.session.scope
    if scope is ALL_CLUBS:
        return
    if scope is None:
        if not _speaks_of_club_rows(state.statement):
            return
        raise OutsideClub(
            "a query on a club's rows outside a club: enter_club(session, club_id) first"
        )
    state.statement = _narrowed(state.statement, scope)


def _flush_pending(session: ClubSession) -> None:
    """Flush before a commit: SQLAlchemy skips it if none of its own rows changed."""
    session.flush()


def _discard_pending(session: ClubSession, previous: Any) -> None:
    session.unit.discard_pending()


# All listeners that exist, in the order in which a unit meets them.
event.listen(ClubSession, "do_orm_execute", _stay_in_club)
event.listen(ClubSession, "before_commit", _flush_pending)
event.listen(ClubSession, "after_soft_rollback", _discard_pending)


# Pure functions of a statement and a club. A module's own statement is narrowed once, so that
# SQLAlchemy finds what it compiled before. Bounded: a statement for one query only is evicted
# again.
@functools.lru_cache(maxsize=128)
def _narrowed(statement: Executable, club_id: int) -> Executable:
    return statement.options(_only(club_id))


@functools.lru_cache(maxsize=4096)
def _only(club_id: int) -> Any:
    return with_loader_criteria(
        ClubRow,
        lambda cls: cls.club_id == club_id,
        include_aliases=True,
        track_closure_variables=True,
    )


@functools.lru_cache(maxsize=128)
def _speaks_of_club_rows(statement: Any) -> bool:
    return any(
        isinstance(part, Table) and "club_id" in part.c for part in visitors.iterate(statement)
    )
