"""States that several workflows share, built by plain functions."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from engine.charter.model import CITED
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
    NumberWording,
    State,
    Wording,
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
from engine.declare.workflow import marked as _
from engine.rules import effects
from engine.storage.models import Case

REVIEW = Wording(
    states={"review": _("Under review"), "returned": _("Returned for changes")},
    actions={
        "approve": _("Approve"),
        "return": _("Return for changes"),
        "decline": _("Decline"),
        "resubmit": _("Hand in again"),
    },
    events={
        "decline>returned": _("declined it; there is time left to hand in another"),
        "return": _("returned it to %(whose)s for changes"),
        "resubmit": _("changed it and handed it in again"),
    },
    letters={
        "please_decide": _("asks for a decision"),
        "please_revise": _("returned for changes"),
        "revise_soon": _("reminder to hand it in again"),
    },
    numbers={
        "return_days": NumberWording(
            "duties",
            _("To change what was returned"),
            _("What a reviewer returns for changes is to come back within %(value)s."),
        ),
        "decide_days": NumberWording(
            "decisions",
            _("To review"),
            _(
                "Reviewers have %(value)s. After that an application or a nomination "
                "lapses; a plan or a reflection counts "
                "as handed in."
            ),
        ),
    },
)


DECLINED_EARLY = {"decline": "after_decline"}


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
        ask(
            "please_decide",
            gathers=WORKFLOW,
            after={"undo": "after_undo", "resubmit": "sent_again"},
        ),
        may(who, "approve", to=approve, note="optional", style="main"),
        may(who, "return", to="returned", note="required"),
        may(who, "decline", to=decline, note="required", style="danger"),
        *leave_off,
        due(end_of_day(charter.decide_days), to=silent),
        do=do,
        alone=approve,
        wording=REVIEW,
    )
    returned = State(
        person,
        ask("please_revise", after=DECLINED_EARLY),
        may(person, "resubmit", to="review", fill=fill, style="main"),
        *leave_off,
        before_due(charter.remind_before, ask("revise_soon", after=DECLINED_EARLY)),
        due(end_of_day(charter.return_days), to=dropped),
        undo=True,
    )
    return review, returned


CONFIRMED_BY_MAIL = Wording(
    actions={"resend": _("Send the mail again")},
    events={"resend": _("had the confirmation mail sent again")},
    letters={"please_confirm": _("asks to confirm it by mail")},
)


def is_confirmed(transition: Transition) -> bool:
    """True if the link mailed for this very action was used, or the owner acts on behalf."""
    return transition.actor.proof >= Proof.NOW or transition.actor.on_behalf_of is not None


def confirmed_by_mail(name: str, *acts: Act, to: Target, silent: Target) -> State:
    """Return the state *name*, in which a person confirms by mail an irreversible action.

    The link in its letter works once, for half an hour; the letter can be sent again. ``silent``:
    the target if it is never confirmed.
    """
    return State(
        person,
        ask("please_confirm"),
        may(person, "confirm", to=to, step_up=True, style="main"),
        may(person, "resend", to=name),
        *acts,
        due(end_of_day(charter.confirm_days), to=silent),
        wording=CONFIRMED_BY_MAIL,
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
REMOVAL_WORDING = Wording(
    states={
        REMOVAL_PROPOSED: _("Removal proposed"),
        "removed": _("Removed"),
        "readmitted": _("Taken back in"),
        "excused": _("Excused"),
        "not_pursued": _("Dropped"),
    },
    actions={
        "answer": _("Send my answer"),
        "excuse": _("Excuse"),
        "extend": _("Give more time"),
        "remove": _("Remove from the club"),
        "readmit": _("Take back in"),
    },
    events={
        "decline>removal_proposed": _("declined it; no chance was left, so removal is proposed"),
        "decline>not_pursued": _("declined it; no second removal is proposed beside the open one"),
        "answer": _("explained how it came"),
        "excuse": _("excused %(whose)s and dropped the proposal to remove"),
        "extend": _("gave more time"),
        "remove": _("decided to remove %(whose)s"),
        "readmit": _("took %(whose)s back in"),
    },
    system_events={
        "due>removal_proposed": _("Nothing came in and no chance was left; removal is proposed"),
        "due>not_pursued": _("The time ran out; it is not pursued"),
    },
    letters={
        "please_decide_removal": _("asks to decide on a removal"),
        "removal_proposed": _("says that a removal is proposed"),
        "person_answered": _("their answer"),
        "removed": _("removed"),
        "remove_from_group": _("asks to take somebody out of the group"),
        "readmitted": _("taken back in"),
        "add_to_group": _("asks to take somebody into the group"),
        "excused": _("excused"),
        "not_pursued": _("the proposal is dropped"),
        "removal_not_pursued": _("the proposal is dropped"),
    },
    numbers={
        "removal_days": NumberWording(
            "decisions",
            _("To decide on a removal"),
            _("The owner has %(value)s to decide on a proposed removal; then it is dropped."),
        ),
        "extend_most_days": NumberWording(
            "decisions",
            _("The longest extension"),
            _("Instead of removing somebody, the owner may give them up to %(value)s more."),
        ),
    },
)
WHY_PROPOSED = {
    "undo": "after_undo",
    "decline": "after_decline",
    "returned>due": "not_sent_again",
    "overdue>due": "after_second_chance",
}
PROPOSED_AFTER = {
    "overdue>undo": "extension_undone",
    "undo": "excuse_undone",
    "decline": "after_decline",
}
NOT_PURSUED = {"removal_proposed>due": "undecided"}


def removal(*, clause: str, back_to: str | None = None, fill: Iterable[str] = ()) -> Removal:
    """Return the states from *removal_proposed* on: the rules propose, the owner decides.

    The person is told and may still submit, or answer. With ``fill`` there is a review, whose
    refusal may lead here.
    """
    hand_in = (may(person, "submit", to="review", fill=fill, style="main"),) if fill else ()
    extend = (may(owner, "extend", to=back_to, note="optional", due="days"),) if back_to else ()
    proposed = State(
        owner,
        ask("please_decide_removal", gathers=REMOVAL, after=WHY_PROPOSED),
        tell("removal_proposed", after=PROPOSED_AFTER),
        *hand_in,
        may(person, "answer", to=stay, note="required", tells=tell("person_answered", owner)),
        may(owner, "excuse", to="excused", note="optional"),
        *extend,
        may(owner, "remove", to="removed", note="required", style="danger"),
        due(end_of_day(charter.removal_days), to="not_pursued"),
        undo=bool(fill),
        clause=clause,
        wording=REMOVAL_WORDING,
        duty="missed",
    )
    back = (tell("readmitted"), tell("add_to_group", admins, after={"readmit": "readmitted"}))
    readmit = may(
        owner, "readmit", to="readmitted", note="optional", only_if=is_removed, tells=back
    )
    removed = final(
        tell("removed"),
        tell("remove_from_group", admins),
        readmit,
        do=effects.remove,
        clause=clause,
        duty="missed",
        membership="ends",
    )
    readmitted = final(
        do=effects.readmit, clause=CITED.coming_back, duty="missed", membership="resumes"
    )
    excused = final(tell("excused"), undo=True, clause=clause, duty="excused")
    not_pursued = final(
        tell("not_pursued", after=NOT_PURSUED),
        tell("removal_not_pursued", owner, after=NOT_PURSUED),
        undo=bool(fill),
        clause=clause,
        duty="missed",
    )
    return proposed, removed, readmitted, excused, not_pursued
