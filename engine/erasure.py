"""Erasure: the one exception to "events never change". It empties what somebody wrote and leaves the bare facts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.db import across_clubs
from engine.models import Case, Event, Letter, Mark, Person


def forget_case(session: Session, case: Case) -> None:
    """Empty what was written in a case: answers, notes, and the bytes of its letters.

    A person who never became anything more than this application is erased with it.
    """
    case.answers, case.private = {}, {}
    session.flush()
    session.execute(update(Event).where(Event.case_id == case.id).values(answers={}, note=""))
    session.execute(update(Letter).where(Letter.case_id == case.id).values(bytes=None, data={}))
    person = session.get_one(Person, (case.club_id, case.person_id))
    others = select(Case.id).where(Case.person_id == person.id, Case.id != case.id, Case.answers != {}).limit(1)
    if person.status == "applicant" and session.execute(others).first() is None:
        erase_person(session, person)


def erase_person(session: Session, person: Person) -> None:
    """Address, names, votes and letters go; a removal keeps its hash and its date (clause 2.3)."""
    keep_hash = person.removed_at is not None or person.status == "refused_mail"
    person.address, person.name, person.display_name, person.mail_trouble = None, "", "", ""
    person.address_hash = person.address_hash if keep_hash else None
    person.status, person.link_epoch = "erased", person.link_epoch + 1
    session.execute(update(Mark).where(Mark.person_id == person.id).values(choice=""))
    about = (Letter.person_id == person.id) | (Letter.about_id == person.id)
    session.execute(update(Letter).where(about).values(bytes=None, data={}))


@across_clubs
def forget_bytes(session: Session, before: datetime) -> None:
    """The bytes of letters settled before this go; the ledger row stays."""
    old = Letter.settled_at < before
    session.execute(update(Letter).where(old, Letter.bytes.is_not(None)).values(bytes=None))
