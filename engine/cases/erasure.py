"""Erasure, the one exception to "events never change": words go, bare facts stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, cast, delete, select, tuple_, update

from engine.cases.open_cases import open_cases_of
from engine.cases.transitions import act
from engine.declare.registry import workflow
from engine.declare.transition import CLOCK
from engine.storage.database import across_clubs, enter_club, lock_row
from engine.storage.models import Case, Draft, Event, KnownBrowser, Letter, Mark, Person, WebSession
from engine.storage.states import LetterState, PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession

ERASED = "the recipient was erased"
# How long a letter's bytes stay after it was settled: long enough to answer questions about it.
BYTES_KEPT = timedelta(days=30)
# So many of them are deleted in one commit.
BYTES_AT_ONCE = 200


def forget_case(session: ClubSession, case: Case) -> None:
    """Empty what was written in a case: answers, notes, and the bytes of its letters.

    A person who never became more than this application is erased with it.
    """
    _empty(session, Case.id == case.id)
    session.refresh(case)
    person = case.person
    others = (
        select(Case.id).where(Case.person_id == person.id, Case.id != case.id, has_words()).limit(1)
    )
    if person.status == PersonStatus.APPLICANT and session.execute(others).first() is None:
        erase_person(session, person)


def has_words() -> ColumnElement[bool]:
    """Build the condition of cases that still hold answers.

    Compared as text: JSON has no equality in every database.
    """
    return cast(Case.answers, String) != "{}"


def _empty(session: ClubSession, which: ColumnElement[bool]) -> None:
    session.flush()
    cases = select(Case.id).where(which)
    session.execute(update(Event).where(Event.case_id.in_(cases)).values(answers={}, note=""))
    session.execute(update(Letter).where(Letter.case_id.in_(cases)).values(bytes=None, data={}))
    session.execute(update(Case).where(which).values(answers={}, private={}))


def erase_person(session: ClubSession, person: Person) -> None:
    """Erase address, names, words, drafts, votes and letters.

    A removal keeps its hash and its date (clause 2.3).
    """
    _empty(session, Case.person_id == person.id)
    keep_hash = person.removed_at is not None or person.status == PersonStatus.REFUSED_MAIL
    person.address = None
    person.name = ""
    person.display_name = ""
    person.mail_trouble = ""
    person.address_hash = person.address_hash if keep_hash else None
    person.status, person.link_epoch = PersonStatus.ERASED, person.link_epoch + 1
    session.execute(update(Mark).where(Mark.person_id == person.id).values(choice=""))
    session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    session.execute(delete(KnownBrowser).where(KnownBrowser.person_id == person.id))
    session.execute(update(Event).where(Event.who_id == person.id).values(device=""))
    session.execute(delete(Draft).where(Draft.person_id == person.id))
    session.execute(
        update(Letter).where(Letter.person_id == person.id).values(address=None, answer="")
    )
    about = (Letter.person_id == person.id) | (Letter.about_id == person.id)
    session.execute(update(Letter).where(about).values(bytes=None, data={}))
    _forget_mentions(session, person)


def _forget_mentions(session: ClubSession, person: Person) -> None:
    """Delete the bytes of letters about others that name this person.

    Found from the person's events by their index: an erasure of many must not read every letter for
    each of them.
    """
    named = Letter.bytes.is_not(None)
    theirs = select(Event.case_id, Event.version)
    as_actor = theirs.where(Event.who_id == person.id)
    of_event = tuple_(Letter.case_id, Letter.version)
    session.execute(update(Letter).where(named, of_event.in_(as_actor)).values(bytes=None))
    if person.registered_at is not None:  # others acted for members only, or in their place
        replaced = theirs.where(Event.on_behalf_of_id == person.id)
        session.execute(update(Letter).where(named, of_event.in_(replaced)).values(bytes=None))
    # Digests and receipts may name any person.
    session.execute(update(Letter).where(named, Letter.case_id.is_(None)).values(bytes=None))


class CannotErase(ValueError):
    """A refusal of an erasure; the text says why."""


@dataclass(frozen=True)
class Erased:
    """The result of an erasure: how many cases ended, and how many letters are dropped."""

    cases: int
    letters: int


def erase_for_good(session: ClubSession, club_id: int, person_id: int, now: datetime) -> Erased:
    """Erase a person on request: void their cases, drop their letters, erase the words.

    Cases of workflows that outlive their member go on without a name.

    Raises: CannotErase.
    """
    enter_club(session, club_id)
    person = session.get_one(Person, (club_id, person_id))
    lock_row(
        session, person
    )  # A case that another process opens for them now is either found below or not opened.
    if person.role == PersonRole.OWNER:
        raise CannotErase("the owner cannot be erased: hand the club over first")
    if person.status == PersonStatus.ERASED:
        raise CannotErase("was erased before")
    ending = [
        case
        for case in open_cases_of(session, person)
        if not workflow(case.workflow).outlives_member
    ]
    for case in ending:
        act(session, case, "void", by=CLOCK, now=now)
    session.flush()
    erase_person(session, person)
    person.role = PersonRole.MEMBER
    unsent = (Letter.person_id == person.id) & Letter.state.in_(
        (LetterState.QUEUED, LetterState.CLAIMED, LetterState.HELD)
    )
    dropped = (
        update(Letter)
        .where(unsent)
        .values(state=LetterState.DROPPED, answer=ERASED, settled_at=now, lease_until=None)
    )
    return Erased(len(ending), len(session.execute(dropped.returning(Letter.id)).all()))


@across_clubs
def forget_bytes(session: ClubSession, before: datetime, size: int = BYTES_AT_ONCE) -> int:
    """Delete the bytes of letters settled before this; the rows stay. Return how many."""
    old = (Letter.settled_at < before) & Letter.bytes.is_not(None)
    some = select(Letter.club_id, Letter.id).where(old).order_by(Letter.settled_at).limit(size)
    theirs = tuple_(Letter.club_id, Letter.id).in_(some)
    emptied = session.execute(update(Letter).where(theirs).values(bytes=None).returning(Letter.id))
    return len(emptied.all())
