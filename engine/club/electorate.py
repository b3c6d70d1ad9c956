"""The electors of a poll, and what its end leaves in the case: turnout and counts.

One set decides everything: the electors at the opening who are still members (charter, *votes*).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, delete, select, update

from engine.club.authority import has_role, holders
from engine.declare.registry import state_of
from engine.declare.transition import Transition
from engine.declare.workflow import Poll, members
from engine.security.ballots import BALLOT_KEY, new_ballot_key
from engine.storage.models import Case, Mark, Person
from engine.storage.unit_of_work import ClubSession


def open_poll(transition: Transition, poll: Poll) -> None:
    """Store the electors: the holders of the role now, without the case's person."""
    choices = (
        poll.choices.split() if isinstance(poll.choices, str) else list(poll.choices(transition))
    )
    asked = len(electors(transition.session, transition.case, poll))
    case, opened = transition.case, {"electors": asked, "choices": choices}
    if poll.secret:
        opened[BALLOT_KEY] = new_ballot_key(transition.session)
    case.data = {**case.data, **opened}


def may_vote(session: ClubSession, person: Person, case: Case, poll: Poll) -> bool:
    """True if this person is an elector: one at the opening who still holds the role."""
    since = person.registered_at or person.joined_at
    if since is None or since > case.entered_at or not has_role(session, poll.who, person, case):
        return False
    return poll.besides is None or not has_role(session, poll.besides, person, case)


def electors(session: ClubSession, case: Case, poll: Poll) -> list[Person]:
    """Return the electors at the opening who still are electors."""
    return [
        person
        for person in holders(session, poll.who, case)
        if may_vote(session, person, case, poll)
    ]


def still_asked(session: ClubSession, case: Case, poll: Poll) -> list[Person]:
    """Return the electors who have not voted yet."""
    done = _voters(session, case)
    return [person for person in electors(session, case, poll) if person.id not in done]


def not_voted_yet(session: ClubSession, person: Person) -> list[tuple[Case, Person]]:
    """Return the open polls in which this member has no vote yet, with their subject.

    In one query.
    """
    mine = and_(
        Mark.club_id == Case.club_id,
        Mark.case_id == Case.id,
        Mark.entered_version == Case.entered_version,
        Mark.person_id == person.id,
    )
    about = (Person.club_id == Case.club_id) & (Person.id == Case.person_id)
    wanted = select(Case, Person).join(Person, about).outerjoin(Mark, mine)
    found = session.execute(
        wanted.where(Case.turn == str(members), Mark.person_id.is_(None)).order_by(
            Case.due_at, Case.id
        )
    )
    return [
        (case, who)
        for case, who in found
        if (poll := _poll_of(case)) and may_vote(session, person, case, poll)
    ]


def turnout(session: ClubSession, case: Case, poll: Poll) -> tuple[int, int]:
    """Return how many have voted and how many may: both of the remaining electors."""
    asked = {person.id for person in electors(session, case, poll)}
    return len(asked & _voters(session, case)), len(asked)


def settle_electorate(transition: Transition, poll: Poll) -> None:
    """Drop the votes of departed electors and store how many may vote, before a count."""
    session, case = transition.session, transition.case
    asked = {person.id for person in electors(session, case, poll)}
    gone = _voters(session, case) - asked
    if gone:
        session.execute(delete(Mark).where(_of_poll(case), Mark.person_id.in_(gone)))
    case.data = {**case.data, "electors": len(asked)}


def _voters(session: ClubSession, case: Case) -> set[int]:
    return set(session.execute(select(Mark.person_id).where(_of_poll(case))).scalars())


def _of_poll(case: Case) -> ColumnElement[bool]:
    return and_(Mark.case_id == case.id, Mark.entered_version == case.entered_version)


def _poll_of(case: Case) -> Poll | None:
    return state_of(case.workflow, case.state).poll


def close_poll(transition: Transition, poll: Poll, *, counted: bool) -> None:
    """Store the counts in the event if the poll ended by its own rule.

    A secret poll's choices are emptied. A stopped poll is not counted: an interim result would show
    how the few who had voted chose.
    """
    if counted:
        transition.event.answers = {**transition.event.answers, "count": dict(transition.count)}
    if poll.secret:
        case = transition.case
        transition.session.execute(update(Mark).where(_of_poll(case)).values(choice=""))
        case.data = {name: value for name, value in case.data.items() if name != BALLOT_KEY}
