"""Votes, sign-ins, attendance: one vote per person and entered version.

A vote moves the case only when it decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.cases.transitions import Invalid, NotAllowed, Stale, act
from engine.club.authority import has_role
from engine.club.context import charter_numbers, current_club
from engine.club.electorate import may_vote, turnout
from engine.declare.registry import state_of
from engine.declare.transition import CLOCK, Actor
from engine.declare.workflow import Poll
from engine.security.ballots import open_choice, seal_choice
from engine.storage.database import lock_row
from engine.storage.models import Case, Event, Mark, Person
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _


@dataclass(frozen=True)
class Ballot:
    """A poll as one elector sees it: choices, own vote ("" for none), turnout."""

    choices: list[str]
    mine: str
    change: bool
    secret: bool
    cast: int
    electors: int


def ballot_for(session: ClubSession, case: Case, person: Person) -> Ballot | None:
    """Return this person's ballot in this case, None if there is none."""
    poll = state_of(case.workflow, case.state).poll
    if poll is None or not may_vote(session, person, case, poll):
        return None
    own = session.get(Mark, (case.club_id, case.id, case.entered_version, person.id))
    cast, electors = turnout(session, case, poll)
    return Ballot(
        case.data["choices"],
        open_choice(session, case.data, own.choice) if own else "",
        poll.change,
        poll.secret,
        cast,
        electors,
    )


def vote(
    session: ClubSession,
    case: Case,
    choice: str,
    *,
    by: Actor,
    now: datetime,
    seen_version: int | None = None,
) -> None:
    """Cast or change a vote.

    The case row is locked, its version stays: twenty voters at once do not refuse one another.

    Raises: NotAllowed, Stale, Invalid.
    """
    lock_row(session, case)
    if seen_version is not None and seen_version != case.entered_version:
        raise Stale(session.get_one(Event, (case.club_id, case.id, case.entered_version)))
    poll, person = _poll_for(session, case, by), by.on_behalf_of or by.person
    assert person is not None
    if choice not in case.data["choices"]:
        raise Invalid({"choice": _("Please choose one of these")})
    own = session.get(Mark, (case.club_id, case.id, case.entered_version, person.id))
    if own is not None:
        if not poll.change:
            raise NotAllowed("the vote is final when cast")
        own.choice, own.at = seal_choice(session, case.data, choice), now
        return
    cast, _electors = turnout(session, case, poll)
    session.add(
        Mark(
            case_id=case.id,
            entered_version=case.entered_version,
            person_id=person.id,
            choice=seal_choice(session, case.data, choice),
            sequence=cast + 1,
            at=now,
            by_id=by.person.id if by.person else None,
        )
    )
    session.flush()
    if poll.first is not None and cast + 1 >= poll.first.of(charter_numbers(current_club(session))):
        act(session, case, "decided", by=CLOCK, now=now)


def _poll_for(session: ClubSession, case: Case, by: Actor) -> Poll:
    poll = state_of(case.workflow, case.state).poll
    person = by.on_behalf_of or by.person
    if poll is None or person is None or not may_vote(session, person, case, poll):
        raise NotAllowed("no vote is open to this person here")
    if by.on_behalf_of and not (
        by.person and poll.by and has_role(session, poll.by, by.person, case)
    ):
        raise NotAllowed("only who keeps this list may mark for others")
    return poll
