"""Transitions: every change of a case's state goes through ``act``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.cases.answers import store_answers
from engine.cases.deadlines import set_deadline
from engine.cases.held_up import HELD_UP, owed_cases, period_to_begin
from engine.cases.open_cases import may_begin
from engine.cases.system_actions import SYSTEM_ACTIONS, system_action
from engine.club.authority import holders, in_place_of
from engine.club.context import charter_numbers, current_club, time_context
from engine.club.electorate import close_poll, electors, open_poll, settle_electorate
from engine.club.history import is_repeated
from engine.club.permissions import acts_for
from engine.declare.fields import NOTE_CHARACTERS, NOTE_TOO_LONG
from engine.declare.registry import followers, is_offer, standing, state_of, workflow
from engine.declare.targets import Stay, resolve
from engine.declare.transition import CLOCK, Actor, Transition
from engine.declare.workflow import Act, State, Workflow
from engine.outbox.queue import queue_for_case, queue_receipt
from engine.storage.database import club_of, lock_row
from engine.storage.models import Case, Event, Person, new_id
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession, NewEvent
from engine.text.i18n import marked as _


class Refused(Exception):
    """A refused action; nothing was changed."""


class NotAllowed(Refused):
    """An action that this person may not take (any more)."""


class Stale(Refused):
    """A form of an earlier entered version. ``event``: the faster person's action."""

    def __init__(self, event: Event) -> None:
        super().__init__("somebody was faster")
        self.event = event


class Invalid(Refused):
    """An action with invalid input; ``errors`` maps a field to a msgid."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


def open_case(
    session: ClubSession,
    workflow_name: str,
    person: Person,
    *,
    by: Actor,
    now: datetime,
    key: str | None = None,
    parent: Case | None = None,
    answers: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Case:
    """Open a case in its first state, with its letters and effects in the same commit.

    ``key`` is unique per workflow in a club (for instance the period and the person).
    """
    if not may_begin(session, person, workflow(workflow_name)):
        raise NotAllowed(f"{person.id} has a case of {workflow_name} open")
    return _open(
        session,
        workflow(workflow_name),
        person,
        by=by,
        now=now,
        key=key,
        parent=parent,
        answers=answers,
        data=data,
    )


def _open(
    session: ClubSession,
    flow: type[Workflow],
    person: Person,
    *,
    by: Actor,
    now: datetime,
    key: str | None = None,
    parent: Case | None = None,
    answers: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Case:
    case = Case(
        id=new_id(),
        club_id=club_of(session),
        workflow=flow.key,
        key=key or secrets.token_hex(8),
        person_id=person.id,
        person=person,
        parent_id=parent.id if parent else None,
        state="",
        turn="",
        version=0,
        entered_version=0,
        opened_at=now,
        entered_at=now,
        answers=dict(answers or {}),
        data=dict(data or {}),
        private={},
    )
    session.add(case)
    transition = _start_transition(session, case, "open", by=by, now=now, answers=answers)
    case.answers = {}
    store_answers(transition, dict(answers or {}))
    start = resolve(flow.start, transition)
    assert isinstance(start, str), "a start is a state"
    _enter_state(transition, start)
    return case


def act(
    session: ClubSession,
    case: Case,
    action: str,
    *,
    by: Actor,
    now: datetime,
    seen_version: int | None = None,
    note: str = "",
    answers: Mapping[str, Any] | None = None,
    days: int | None = None,
) -> None:
    """Apply one declared action, or one system action, to a case.

    ``seen_version``: the entered version that the actor saw.

    Raises: NotAllowed, Stale, Invalid.
    """
    note = note.strip()
    _check_version(session, case, seen_version)
    move, by = _find_action(session, case, action, by, now)
    _check_input(session, move, note, days)
    if is_repeated(session, case, action, by=by, note=note, answers=answers):
        return
    transition = _start_transition(
        session, case, action, by=by, now=now, note=note, answers=answers
    )
    store_answers(
        transition, {name: value for name, value in (answers or {}).items() if name in move.fill}
    )
    _move(transition, move, days)
    if move.do:
        move.do(transition)
    _begin_held_up(transition)
    _confirm_to_decider(transition)


def _check_version(session: ClubSession, case: Case, seen_version: int | None) -> None:
    if seen_version is not None and seen_version != case.entered_version:
        raise Stale(session.get_one(Event, (case.club_id, case.id, case.entered_version)))


def _find_action(
    session: ClubSession, case: Case, action: str, by: Actor, now: datetime
) -> tuple[Act, Actor]:
    """Find what the state offers to this actor, and in whose place they act."""
    if action in SYSTEM_ACTIONS and by.via == "clock":
        return _system_action(case, action), by
    move = _declared_act(session, case, action, by, now)
    return move, _with_deputy(session, case, move, by)


def _move(transition: Transition, move: Act, days: int | None) -> None:
    """Stay in the state, or leave it for the action's target."""
    case, action = transition.case, transition.event.action
    left, counted = state_of(case.workflow, case.state), action in ("due", "decided")
    if left.poll and counted:
        settle_electorate(transition, left.poll)
    target = resolve(move.to, transition)
    if isinstance(target, Stay):
        _stay(transition, move)
        return
    if left.poll:
        close_poll(transition, left.poll, counted=counted)
    _enter_state(transition, target, days=days)
    _queue_letters(transition, move.tells, left)
    if action == "undo":
        _notify_undone(transition, left, state_of(case.workflow, target))


def _confirm_to_decider(transition: Transition) -> None:
    """Queue the receipt of a person who acted in another person's case."""
    by = transition.actor
    if by.person is None or by.person.id == transition.case.person_id:
        return
    if by.via in ("page", "mail"):
        queue_receipt(transition.session, by.person, transition.now)


def _with_deputy(session: ClubSession, case: Case, move: Act, by: Actor) -> Actor:
    """Return the actor with the owner in whose place they act; the history has both names."""
    if by.person is None or by.on_behalf_of is not None:
        return by
    return replace(by, on_behalf_of=in_place_of(session, move.who, by.person, case))


def _declared_act(session: ClubSession, case: Case, action: str, by: Actor, now: datetime) -> Act:
    if by.on_behalf_of is not None and (
        by.person is None or by.person.role != PersonRole.OWNER or is_offer(case.workflow)
    ):
        raise NotAllowed(
            "only the owner acts on behalf of somebody, and nobody answers an offer for them"
        )
    if action == "undo":
        lock_row(session, case.person)  # A person who leaves in this moment opens no further case.
    actor = by.on_behalf_of or by.person
    if actor is not None:
        for offered in acts_for(session, case, actor, now, proof=by.proof):
            if offered.action == action:
                return offered
    raise NotAllowed(f"{action} in {case.workflow}.{case.state}")


def _system_action(case: Case, action: str) -> Act:
    move = system_action(standing(case), action)
    if move is None:
        raise NotAllowed(f"{action} in {case.workflow}.{case.state}")
    return move


def _check_input(session: ClubSession, move: Act, note: str, days: int | None) -> None:
    errors = {}
    if move.note == "required" and not note:
        errors["note"] = _("Please say why; the person will read it")
    if len(note) > NOTE_CHARACTERS:
        errors["note"] = NOTE_TOO_LONG
    if move.asks_days and not (
        days and 1 <= days <= charter_numbers(current_club(session)).extend_most_days
    ):
        errors["days"] = _(
            "How many days more? Please give a whole number, within what the charter allows"
        )
    if errors:
        raise Invalid(errors)


def _start_transition(
    session: ClubSession,
    case: Case,
    action: str,
    *,
    by: Actor,
    now: datetime,
    note: str = "",
    answers: Mapping[str, Any] | None = None,
) -> Transition:
    """Prepare the next event. Change nothing yet: a query would flush it on its own."""
    event = NewEvent(
        club_id=case.club_id,
        case_id=case.id,
        version=case.version + 1,
        at=now,
        via=by.via,
        action=action,
        who_id=by.person.id if by.person else None,
        on_behalf_of_id=by.on_behalf_of.id if by.on_behalf_of else None,
        from_state=case.state,
        to_state=case.state,
        note=note,
        answers=dict(answers or {}),
        device=by.device,
    )
    club = current_club(session)
    return Transition(
        session, case, by, now, event, case.entered_version, club, time_context(club, case)
    )


def _enter_state(transition: Transition, target: str, days: int | None = None) -> None:
    case, state = transition.case, state_of(transition.case.workflow, target)
    has_ended_before = bool(case.state) and state_of(case.workflow, case.state).is_final
    case.state, case.turn = target, str(state.turn)
    case.version = case.entered_version = transition.event.version
    case.entered_at = transition.now
    transition.event.to_state = target
    if state.is_final:
        case.private = {}
    set_deadline(transition, state, days)
    if state.poll:
        open_poll(transition, state.poll)
    if state.do:
        state.do(transition)
    transition.session.unit.events.append(transition.event)
    alone = state.alone and not _who_may_act(transition, state)
    if not (has_ended_before and state.is_final) and not (alone and state.poll):
        _queue_letters(transition, state.entry_letters, state)
    _open_followers(transition, target)
    if alone:
        act(transition.session, case, "granted", by=CLOCK, now=transition.now)


def _who_may_act(transition: Transition, state: State) -> list[Person]:
    session, case = transition.session, transition.case
    return electors(session, case, state.poll) if state.poll else holders(session, state.turn, case)


def _open_followers(transition: Transition, target: str) -> None:
    case = transition.case
    for follower, opening in followers(case.workflow, target):
        for person in opening.whom(transition):
            if may_begin(transition.session, person, follower):
                _open(
                    transition.session,
                    follower,
                    person,
                    by=transition.actor,
                    now=transition.now,
                    parent=case,
                )


def _begin_held_up(transition: Transition) -> None:
    """Begin the running period late that this case kept from opening.

    If another case is owed besides, that one keeps it now.
    """
    period = period_to_begin(transition)
    if period is None:
        return
    session, person = transition.session, transition.case.person
    session.flush()
    in_the_way = owed_cases(session, person, period.workflow)
    for case in in_the_way:
        act(session, case, HELD_UP, by=CLOCK, now=transition.now, answers=period.plain())
    if not in_the_way:
        key, data = period.key(person.id), period.data()
        now = transition.now
        open_case(session, period.workflow, person, by=CLOCK, now=now, key=key, data=data)


def _stay(transition: Transition, move: Act) -> None:
    """Record the event in the state that goes on."""
    transition.case.version = transition.event.version
    transition.session.unit.events.append(transition.event)
    _queue_letters(
        transition, move.tells, state_of(transition.case.workflow, transition.case.state)
    )


def _notify_undone(transition: Transition, left: State, again: State) -> None:
    """Void follow-up cases after an undo, and send ``taken_back`` to earlier recipients.

    Not to recipients of the restored state's own letters.
    """
    followers = (
        select(Case).where(Case.parent_id == transition.case.id, Case.turn != "").order_by(Case.id)
    )
    for follower in transition.session.execute(followers).scalars().all():
        act(transition.session, follower, "void", by=CLOCK, now=transition.now)
    told_again = {letter.to or again.turn for letter in again.entry_letters}
    told = dict.fromkeys(letter.to or left.turn for letter in left.entry_letters)
    others = [
        role
        for role in told
        if role not in told_again
        and holders(transition.session, role, transition.case) != [transition.actor.person]
    ]
    taken_back = workflow(transition.case.workflow).taken_back
    _queue_letters(transition, [replace(taken_back, to=role) for role in others], left)


def _queue_letters(transition: Transition, letters: Any, state: State) -> None:
    queue_for_case(
        transition.session,
        transition.case,
        letters,
        state,
        version=transition.event.version,
        now=transition.now,
        by_clock=transition.actor.via == "clock",
        context=transition.context,
    )
