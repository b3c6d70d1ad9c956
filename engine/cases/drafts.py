"""Drafts of forms. A draft is its author's alone: no officer, letter or list shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, delete, exists, literal, or_, select, update

from engine.security.links import Kind
from engine.storage.bulk import insert_new
from engine.storage.database import across_clubs
from engine.storage.models import Case, Draft, Person
from engine.storage.states import PersonStatus
from engine.storage.unit_of_work import ClubSession

# After the last save. Longer than any duty of the shipped charter waits, with its second chance and
# a proposal (3+2+14 days).
KEPT = timedelta(days=60)


def form_of(kind: Kind, target: int) -> str:
    """Return a draft's name: kind and target of the link that opens its form."""
    return f"{kind}:{target}"


def keep_draft(
    session: ClubSession, person: Person, form: str, answers: Mapping[str, Any], now: datetime
) -> None:
    """Store what was typed, replacing the person's earlier draft of this form."""
    new = insert_new(
        session,
        Draft,
        club_id=person.club_id,
        person_id=person.id,
        form=form,
        answers=dict(answers),
        at=now,
    )
    if not new:
        session.execute(
            update(Draft).where(_this(person, form)).values(answers=dict(answers), at=now)
        )


def draft_of(session: ClubSession, person: Person, form: str) -> Draft | None:
    return session.get(Draft, (person.club_id, person.id, form))


def drafts_of(session: ClubSession, person: Person) -> dict[str, Draft]:
    """Return a person's drafts by form."""
    found = session.execute(
        select(Draft).where(Draft.person_id == person.id).order_by(Draft.at.desc())
    ).scalars()
    return {draft.form: draft for draft in found}


def delete_draft(session: ClubSession, person: Person, form: str) -> None:
    """Delete a draft that was submitted or discarded."""
    session.execute(delete(Draft).where(_this(person, form)))


def forget_fields(session: ClubSession, person: Person, form: str, names: Iterable[str]) -> None:
    """Remove fields from a draft that another action of the case has just stored."""
    draft = draft_of(session, person, form)
    if draft is not None:
        draft.answers = {name: value for name, value in draft.answers.items() if name not in names}


@across_clubs
def forget_old_drafts(session: ClubSession, now: datetime) -> None:
    """Delete drafts that are old, whose case has ended, or whose person has left."""
    case = (Case.club_id == Draft.club_id) & (Case.person_id == Draft.person_id) & (Case.turn == "")
    ended = exists().where(case, literal("case:") + cast(Case.id, String) == Draft.form)
    person = (Person.club_id == Draft.club_id) & (Person.id == Draft.person_id)
    out = exists().where(
        person,
        Person.status.in_(
            (
                PersonStatus.DEPARTED,
                PersonStatus.REMOVED,
                PersonStatus.ERASED,
                PersonStatus.REFUSED_MAIL,
            )
        ),
    )
    session.execute(delete(Draft).where(or_(Draft.at < now - KEPT, ended, out)))


def _this(person: Person, form: str) -> Any:
    return (Draft.person_id == person.id) & (Draft.form == form)
