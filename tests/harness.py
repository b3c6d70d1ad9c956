"""What the harnesses share: one club in a database, founded, read and written without the web."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, union_all

from engine.charter.model import shipped_charter
from engine.club.people import add_person, by_address
from engine.setup.club_admin import create_club
from engine.storage.database import Database, enter_club
from engine.storage.models import Case, Event, Letter, Person, Schedule
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession

MONDAY = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
OWNER = "owner@qq.com"
_ON_ITS_WAY = (LetterState.QUEUED, LetterState.CLAIMED, LetterState.TRANSMITTING)
_NEXT_DUE = union_all(
    select(func.min(Case.wake_at)),
    select(func.min(Schedule.next_at)),
    select(func.min(Letter.next_at)).where(Letter.state.in_(_ON_ITS_WAY)),
)


def next_due(db: Database) -> datetime | None:
    """When the next case wakes, rule of the calendar opens something, or letter wants to leave; in
    the past for what is late."""
    with db.reader.connect() as connection:
        found = connection.execute(_NEXT_DUE).scalars()
        return min((moment for moment in found if moment), default=None)


class ClubHarness:
    """One club in one database, at a moment that the test sets."""

    db: Database
    club_id: int
    now: datetime

    def found(self, **given: Any) -> int:
        numbers = given.pop("numbers", {})
        charter = shipped_charter(given.get("locale", "zh-CN")).plain()
        charter["numbers"] |= numbers
        values: dict[str, Any] = {
            "slug": "jiuniu",
            "name": "九牛读书会",
            "owner_email": OWNER,
            "owner_name": "陈老师",
            "zone": "Asia/Shanghai",
            "locale": "zh-CN",
            "charter": charter,
            "now": self.now,
        }
        return self.db.write(create_club, **values | given)

    # Reading and writing

    def write(self, unit: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A writing unit inside the club."""

        def inside(session: ClubSession) -> Any:
            enter_club(session, self.club_id)
            return unit(session, *args, **kwargs)

        return self.db.write(inside)

    @contextlib.contextmanager
    def read(self) -> Iterator[ClubSession]:
        with self.db.read(self.club_id) as session:
            yield session

    def rows(self, statement: Any) -> list[Any]:
        with self.read() as session:
            return list(session.execute(statement).scalars())

    def person(self, address: str) -> Person:
        with self.read() as session:
            found = by_address(session, address)
        assert found is not None, address
        return found

    def newest_case(self, address: str, workflow: str) -> Case:
        """Return the newest case of this workflow about this person."""
        about = self.person(address).id
        wanted = (
            select(Case)
            .where(Case.person_id == about, Case.workflow == workflow)
            .order_by(Case.opened_at.desc(), Case.id.desc())
        )
        return self.rows(wanted.limit(1))[0]

    def events(self, case: Case) -> list[Event]:
        return self.rows(select(Event).where(Event.case_id == case.id).order_by(Event.version))

    def story(self, case: Case) -> list[tuple[str, str]]:
        """(action, state it led to), oldest first."""
        return [(event.action, event.to_state) for event in self.events(case)]

    def add(
        self,
        address: str,
        name: str = "",
        *,
        role: str = "member",
        locale: str = "zh-CN",
        status: str = "member",
        charter_version: int | None = None,
    ) -> int:
        """Let somebody have been in the club for long, who owes nothing."""

        def unit(session: ClubSession) -> int:
            person = add_person(
                session,
                address,
                locale=locale,
                name=name or address.partition("@")[0],
                status=status,
            )
            person.role, person.display_name = role, f"武汉+{person.name}"
            person.joined_at = person.registered_at = self.now
            if charter_version is not None:
                person.charter_version = charter_version
            return person.id

        return self.write(unit)
