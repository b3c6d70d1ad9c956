"""The people of a club as owner and admins look them up, and one person's record."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased, defer

from engine.declare.workflow import REMOVAL_PROPOSED
from engine.reports.worklists import HOW_ENTERED, IS_LATE
from engine.storage.models import Case, Event, Letter, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import fold_stops

# The filters of the list; an erased person has nothing to show.
STATUSES = (
    PersonStatus.MEMBER,
    PersonStatus.APPLICANT,
    PersonStatus.DEPARTED,
    PersonStatus.REMOVED,
)
MOST_WORDS, LONGEST = 5, 100


@dataclass(frozen=True)
class Wanted:
    """A search: ``words`` (all must be found) and ``status`` (of STATUSES, or all).

    An officer who may not read addresses does not find anyone by an address either.
    """

    words: str = ""
    status: str = ""
    reads_addresses: bool = False


def people(session: ClubSession, wanted: Wanted, *, limit: int, offset: int = 0) -> list[Person]:
    """Return the persons found: owner, then admins, then the others by name."""
    rank = case({PersonRole.OWNER: 0, PersonRole.ADMIN: 1}, value=Person.role, else_=2)
    listed = (
        select(Person)
        .where(_such(wanted))
        .order_by(rank, Person.display_name, Person.name, Person.id)
    )
    return list(session.execute(listed.limit(limit).offset(offset)).scalars())


def count_people(session: ClubSession, wanted: Wanted) -> int:
    return session.execute(select(func.count(Person.id)).where(_such(wanted))).scalar_one()


def _such(wanted: Wanted) -> ColumnElement[bool]:
    columns = [
        Person.name,
        Person.display_name,
        *([Person.address] if wanted.reads_addresses else []),
    ]
    asked = [
        or_(
            *(
                column.icontains(form, autoescape=True)
                for column in columns
                for form in _forms(word)
            )
        )
        for word in wanted.words[:LONGEST].split()[:MOST_WORDS]
    ]
    return and_(_of_status(wanted.status), *asked)


def _forms(word: str) -> set[str]:
    """Return the words as typed and with full-width characters folded, as addresses are."""
    return {word, unicodedata.normalize("NFKC", fold_stops(word))}


def _of_status(status: str) -> ColumnElement[bool]:
    """Filter by status; of applicants only those whose application is open."""
    if status not in STATUSES:
        return Person.status != PersonStatus.ERASED
    if status != PersonStatus.APPLICANT:
        return Person.status == status
    return (Person.status == status) & exists().where(
        Case.club_id == Person.club_id, Case.person_id == Person.id, Case.turn != ""
    ).correlate(Person)


def open_cases(
    session: ClubSession, person_ids: Sequence[int], limit: int = 500
) -> list[tuple[Case, bool]]:
    """Return a person's open cases, most urgent first, each with True if late."""
    wanted = (
        select(Case, IS_LATE)
        .join(Event, HOW_ENTERED)
        .where(Case.person_id.in_(person_ids), Case.turn != "")
    )
    return [
        (matter, is_late)
        for matter, is_late in session.execute(wanted.order_by(Case.due_at, Case.id).limit(limit))
    ]


def ended_cases(
    session: ClubSession, person: Person, *, limit: int, offset: int = 0
) -> list[tuple[Case, Person | None]]:
    """Return a person's ended cases, newest first, each with its last actor.

    None means the clock.
    """
    by = aliased(Person)
    wanted = (
        select(Case, by)
        .join(Event, HOW_ENTERED)
        .outerjoin(by, (by.club_id == Event.club_id) & (by.id == Event.who_id))
        .where(Case.person_id == person.id, Case.turn == "")
        .order_by(Case.entered_at.desc(), Case.id.desc())
    )
    return [(matter, who) for matter, who in session.execute(wanted.limit(limit).offset(offset))]


def count_ended(session: ClubSession, person: Person) -> int:
    return session.execute(
        select(func.count(Case.id)).where(Case.person_id == person.id, Case.turn == "")
    ).scalar_one()


def removals(
    session: ClubSession, person: Person, limit: int = 12
) -> list[tuple[Event, Case, Person | None]]:
    """Return the removals proposed, decided or undone, oldest first, with their actor.

    None means the clock.
    """
    by = aliased(Person)
    wanted = (
        select(Event, Case, by)
        .join(Case, (Case.club_id == Event.club_id) & (Case.id == Event.case_id))
        .outerjoin(by, (by.club_id == Event.club_id) & (by.id == Event.who_id))
        .where(Case.person_id == person.id, Event.from_state != Event.to_state)
        .where(Event.to_state.in_((REMOVAL_PROPOSED, "removed", "readmitted")))
        .order_by(Event.at.desc(), Event.version.desc())
    )
    newest = session.execute(wanted.limit(limit)).all()
    return [(event, matter, who) for event, matter, who in reversed(newest)]


def letters_to(session: ClubSession, person: Person, limit: int) -> list[Letter]:
    """Return the last letters to a person, newest first."""
    wanted = (
        select(Letter).where(Letter.person_id == person.id).order_by(Letter.id.desc()).limit(limit)
    )
    return list(session.execute(wanted.options(defer(Letter.bytes))).scalars())
