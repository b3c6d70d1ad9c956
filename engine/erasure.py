"""Erasure: the one exception to "events never change". It empties what somebody wrote and leaves the bare facts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, delete, select, update
from sqlalchemy.orm import Session

from engine.db import across_clubs
from engine.models import Case, Event, Letter, Mark, Person, WebSession


def forget_case(session: Session, case: Case) -> None:
    """Empty what was written in a case: answers, notes, and the bytes of its letters.

    A person who never became anything more than this application is erased with it.
    """
    _empty(session, Case.id == case.id)
    session.refresh(case)
    person = session.get_one(Person, (case.club_id, case.person_id))
    others = select(Case.id).where(Case.person_id == person.id, Case.id != case.id, has_words()).limit(1)
    if person.status == "applicant" and session.execute(others).first() is None:
        erase_person(session, person)


def has_words() -> ColumnElement[bool]:
    """Cases in which somebody's answers still stand (JSON has no equality everywhere, its text has)."""
    return cast(Case.answers, String) != "{}"


def _empty(session: Session, which: ColumnElement[bool]) -> None:
    session.flush()
    cases = select(Case.id).where(which)
    session.execute(update(Event).where(Event.case_id.in_(cases)).values(answers={}, note=""))
    session.execute(update(Letter).where(Letter.case_id.in_(cases)).values(bytes=None, data={}))
    session.execute(update(Case).where(which).values(answers={}, private={}))


def erase_person(session: Session, person: Person) -> None:
    """Address, names, words, votes and letters go; a removal keeps its hash and its date (clause 2.3)."""
    _empty(session, Case.person_id == person.id)
    keep_hash = person.removed_at is not None or person.status == "refused_mail"
    person.address, person.name, person.display_name, person.mail_trouble = None, "", "", ""
    person.address_hash = person.address_hash if keep_hash else None
    person.status, person.link_epoch = "erased", person.link_epoch + 1
    session.execute(update(Mark).where(Mark.person_id == person.id).values(choice=""))
    session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    about = (Letter.person_id == person.id) | (Letter.about_id == person.id)
    session.execute(update(Letter).where(about).values(bytes=None, data={}))


@across_clubs
def forget_bytes(session: Session, before: datetime) -> None:
    """The bytes of letters settled before this go; the ledger row stays."""
    old = Letter.settled_at < before
    session.execute(update(Letter).where(old, Letter.bytes.is_not(None)).values(bytes=None))
