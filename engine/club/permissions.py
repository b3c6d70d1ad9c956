"""Permissions in a case now, for the page that offers and for transitions.act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.club.authority import has_role
from engine.club.context import charter_numbers, current_club
from engine.declare.registry import follows_calendar, standing, state_of, workflow
from engine.declare.roles import Proof, Role
from engine.declare.transition import undo_ends
from engine.declare.workflow import REMOVAL_PROPOSED, Act
from engine.declare.workflow import person as the_person
from engine.storage.models import Case, Event, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession

_DECIDER = Role(("decider",))


def acts_for(
    session: ClubSession, case: Case, person: Person, now: datetime, *, proof: Proof = Proof.NONE
) -> tuple[Act, ...]:
    """Return the actions open to this person now, in declared order, an undo last.

    ``proof``: what the link by which they came shows.
    """
    declared = declared_acts(session, case, person, proof=proof)
    undo = undo_open(session, case, person, now)
    return (*declared, undo) if undo else declared


def declared_acts(
    session: ClubSession, case: Case, person: Person, *, proof: Proof = Proof.NONE
) -> tuple[Act, ...]:
    """Return the actions without the undo, which costs a query per case in a list."""
    return tuple(
        act
        for act in standing(case).acts
        if proof >= act.proof and has_role(session, act.who, person, case) and _fits(act, case)
    )


def _fits(act: Act, case: Case) -> bool:
    return act.only_if is None or act.only_if(case.person)


def undo_open(session: ClubSession, case: Case, person: Person, now: datetime) -> Act | None:
    """True if this decider may undo: within the charter's hours, with no follow-up."""
    state = standing(case)
    if not state.undo or person.status != PersonStatus.MEMBER:
        return None
    decision = session.get_one(Event, (case.club_id, case.id, case.entered_version))
    if not _decided_by(decision, person, case) or now >= undo_ends(
        decision, charter_numbers(current_club(session))
    ):
        return None
    if (
        _gone_since(case.person, decision)
        or _followed_up(session, case)
        or _overtaken(session, case, decision)
    ):
        return None
    return Act(_DECIDER, "undo", to=decision.from_state)


def _decided_by(decision: Event, person: Person, case: Case) -> bool:
    """True if this person decided: not about themself, not on their behalf, not by an undo."""
    theirs = decision.who_id == person.id and case.person_id not in (
        person.id,
        decision.on_behalf_of_id,
    )
    return theirs and decision.from_state != "" and decision.action != "undo"


def _gone_since(person: Person, decision: Event) -> bool:
    """True if the person left, was removed or erased since, or owns the club now.

    Nothing of theirs opens again then.
    """
    removed = person.removed_at is not None and person.removed_at >= decision.at
    return (
        removed
        or person.status in (PersonStatus.DEPARTED, PersonStatus.ERASED)
        or person.role == PersonRole.OWNER
    )


def _followed_up(session: ClubSession, case: Case) -> bool:
    """True if a person has acted in a case that this one opened."""
    children = select(Case.id).where(Case.parent_id == case.id)
    acted = select(Event.case_id).where(
        Event.case_id.in_(children), Event.version > 1, Event.who_id.is_not(None)
    )
    return session.execute(acted.limit(1)).first() is not None


def _overtaken(session: ClubSession, case: Case, decision: Event) -> bool:
    """True if the same person began the same thing again since: the old decision holds.

    The calendar's next case counts only if the undo would make the person owe two.
    """
    newer = (Case.workflow == case.workflow) & (Case.person_id == case.person_id)
    newer &= Case.id > case.id
    if follows_calendar(workflow(case.workflow)):
        before = state_of(case.workflow, decision.from_state)
        if before.turn != the_person and before.name != REMOVAL_PROPOSED:
            return False
        newer &= Case.opened_at >= decision.at
    return session.execute(select(Case.id).where(newer).limit(1)).first() is not None


def may_read_words(case: Case, person: Person) -> bool:
    """True for the case's person and deciders; a mere elector does not read decisions' words."""
    return person.id == case.person_id or person.role in (PersonRole.OWNER, PersonRole.ADMIN)


def may_read_private(session: ClubSession, case: Case, person: Person) -> bool:
    """True if this person decides in the present state: they alone read private fields."""
    if person.id == case.person_id:
        return False
    return any(
        set(act.who.names) - {"person", "anyone"} for act in declared_acts(session, case, person)
    )


def may_see(session: ClubSession, case: Case, person: Person) -> bool:
    """True for the case's person, deciders, and members if it is or was put to their vote."""
    if person.id == case.person_id:
        return True
    if person.status != PersonStatus.MEMBER:
        return False
    flow, state = workflow(case.workflow), state_of(case.workflow, case.state)
    polls = (
        [item.poll for item in flow.states.values() if item.poll] if "electors" in case.data else []
    )
    if any(has_role(session, poll.who, person, case) for poll in polls):
        return True
    return person.role in (PersonRole.OWNER, PersonRole.ADMIN) or any(
        has_role(session, act.who, person, case) for act in state.acts
    )
