"""States that several workflows share, built by plain functions."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from engine.club.people import is_removed
from engine.declare.roles import Proof, Role
from engine.declare.targets import Target
from engine.declare.transition import Transition
from engine.declare.workflow import (
    REMOVAL,
    REMOVAL_PROPOSED,
    WORKFLOW,
    Act,
    Effect,
    State,
    admins,
    ask,
    before_due,
    charter,
    due,
    either,
    end_of_day,
    final,
    may,
    owner,
    person,
    stay,
    tell,
)
from engine.rules import effects
from engine.storage.models import Case


def reviewed_by(
    who: Role,
    *,
    fill: Iterable[str],
    approve: Target,
    decline: Target,
    silent: Target,
    dropped: Target,
    withdraw: Target | None = None,
    do: Effect | None = None,
) -> tuple[State, State]:
    """Return the states *review* and *returned*, in which a decider decides or sends back.

    ``silent``: the target if no one decided in time; ``dropped``: if what was returned never came
    back; ``do``: on entering review. If there is no one else to decide it is granted.
    """
    leave_off = (may(person, "withdraw", to=withdraw),) if withdraw else ()
    review = State(
        who,
        ask("please_decide", gathers=WORKFLOW),
        may(who, "approve", to=approve, note="optional"),
        may(who, "return", to="returned", note="required"),
        may(who, "decline", to=decline, note="required"),
        *leave_off,
        due(end_of_day(charter.decide_days), to=silent),
        do=do,
        alone=approve,
    )
    returned = State(
        person,
        ask("please_revise"),
        may(person, "resubmit", to="review", fill=fill),
        *leave_off,
        before_due(charter.remind_before, ask("revise_soon")),
        due(end_of_day(charter.return_days), to=dropped),
        undo=True,
    )
    return review, returned


def is_confirmed(transition: Transition) -> bool:
    """True if the link mailed for this very action was used, or the owner acts on behalf."""
    return transition.actor.proof >= Proof.NOW or transition.actor.on_behalf_of is not None


def confirmed_by_mail(name: str, *acts: Act, to: Target) -> State:
    """Return the state *name*, in which a person confirms by mail an irreversible action.

    The link in its letter works once, for half an hour; the letter can be sent again.
    """
    return State(
        person,
        ask("please_confirm"),
        may(person, "confirm", to=to, step_up=True),
        may(person, "resend", to=name),
        *acts,
        due(end_of_day(charter.confirm_days), to="lapsed"),
    )


def nothing_proposed(transition: Transition) -> bool:
    """True if no other removal is proposed for this person.

    A second one is not pursued; the first shows its fact (clause 3.2).
    """
    return (
        transition.session.execute(
            _OTHER_PROPOSED, {"person": transition.case.person_id, "case": transition.case.id}
        ).first()
        is None
    )


_OTHER_PROPOSED = (
    select(Case.id)
    .where(
        Case.person_id == bindparam("person"),
        Case.state == REMOVAL_PROPOSED,
        Case.id != bindparam("case"),
    )
    .limit(1)
)
PROPOSE = either(nothing_proposed, REMOVAL_PROPOSED, "not_pursued")


Removal = tuple[State, State, State, State, State]


def removal(*, clause: str, back_to: str | None = None, fill: Iterable[str] = ()) -> Removal:
    """Return the states from *removal_proposed* on: the rules propose, the owner decides.

    The person is told and may still submit, or answer. With ``fill`` there is a review, whose
    refusal may lead here.
    """
    hand_in = (may(person, "submit", to="review", fill=fill),) if fill else ()
    extend = (may(owner, "extend", to=back_to, note="optional", due="days"),) if back_to else ()
    proposed = State(
        owner,
        ask("please_decide_removal", gathers=REMOVAL),
        tell("removal_proposed"),
        *hand_in,
        may(person, "answer", to=stay, note="required", tells=tell("person_answered", owner)),
        may(owner, "excuse", to="excused", note="optional"),
        *extend,
        may(owner, "remove", to="removed", note="required"),
        due(end_of_day(charter.removal_days), to="not_pursued"),
        undo=bool(fill),
        clause=clause,
    )
    back = (tell("readmitted"), tell("add_to_group", admins))
    readmit = may(
        owner, "readmit", to="readmitted", note="optional", only_if=is_removed, tells=back
    )
    removed = final(
        tell("removed"),
        tell("remove_from_group", admins),
        readmit,
        do=effects.remove,
        clause=clause,
    )
    readmitted = final(do=effects.readmit, clause="2.3")
    excused = final(tell("excused"), undo=True, clause=clause)
    not_pursued = final(
        tell("not_pursued"), tell("removal_not_pursued", owner), undo=bool(fill), clause=clause
    )
    return proposed, removed, readmitted, excused, not_pursued
