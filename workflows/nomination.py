"""The nomination of a member as admin."""

from engine.club.people import is_admin
from engine.declare.fields import LongText
from engine.declare.transition import Transition
from engine.declare.workflow import (
    NumberWording,
    State,
    Wording,
    Workflow,
    admins,
    ask,
    before_due,
    charter,
    due,
    either,
    end_of_day,
    final,
    form,
    held_before,
    majority,
    may,
    members,
    owner,
    person,
    poll,
    tell,
)
from engine.declare.workflow import marked as _
from engine.rules import effects
from engine.rules.builders import reviewed_by

PLAN = ("why", "plan")
WITHDRAWN = {"vote>withdraw": "during_vote", "withdraw": "before_vote"}
STEP_DOWN = may(
    person,
    "step_down",
    to="stepped_down",
    note="optional",
    only_if=is_admin,
    tells=tell("stepped_down", owner),
    style="danger",
)
DISMISS = may(
    owner,
    "dismiss",
    to="dismissed",
    note="required",
    only_if=is_admin,
    tells=tell("dismissed"),
    style="danger",
)


def holds_office(transition: Transition) -> bool:
    """True for an admin from before this service came."""
    return is_admin(transition.person)


class Nomination(Workflow):
    """A nomination as admin: first the owner agrees, then everyone votes (clause 7.2)."""

    label, clause = _("Nomination as admin"), "7.2"
    held_by_removal = True
    opens, one_open = (
        (form("nomination", members, besides=admins | owner), held_before(admins)),
        True,
    )
    start = either(holds_office, "in_office", "review")

    why = LongText(_("Why stand for admin?"), rows=5)
    plan = LongText(_("What will you do as an admin?"), rows=8)

    taken_back = tell("taken_back", after={"vote>undo": "vote_undone"})

    wording = Wording(
        states={
            "vote": _("The members vote"),
            "elected": _("Elected"),
            "in_office": _("In office"),
            "stepped_down": _("Stepped down"),
            "dismissed": _("Dismissed from office"),
            "rejected": _("Not elected"),
            "too_few": _("Not elected: too few voted"),
            "declined": _("Declined"),
            "lapsed": _("Lapsed"),
            "withdrawn": _("Withdrawn"),
        },
        actions={"step_down": _("Step down"), "dismiss": _("Dismiss from office")},
        choices={"yes": _("Yes"), "no": _("No")},
        events={
            "open": _("stood for admin"),
            "approve": _("agreed, so the members vote"),
            "decline": _("did not agree to the nomination"),
            "withdraw": _("withdrew the nomination"),
            "step_down": _("stepped down as admin"),
            "dismiss": _("dismissed %(whose)s as admin"),
        },
        system_events={
            "open>in_office": _("Was an admin already when the club came here"),
            "due>elected": _("The vote ended: elected"),
            "due>rejected": _("The vote ended: not elected"),
            "due>too_few": _("The vote ended: too few voted"),
            "due>lapsed": _("The time ran out and it lapsed"),
            "due>withdrawn": _("It did not come back in time and counts as withdrawn"),
        },
        letters={
            "please_vote": _("asks for a vote"),
            "vote_begun": _("the vote has begun"),
            "vote_soon": _("the vote closes soon"),
            "elected": _("elected"),
            "not_elected": _("not elected"),
            "stepped_down": _("stepped down"),
            "dismissed": _("dismissed"),
            "declined": _("declined"),
            "lapsed": _("lapsed"),
            "lapsed_undecided": _("lapsed undecided"),
            "withdrawn": _("withdrawn"),
            "was_withdrawn": _("was withdrawn"),
        },
        chat={
            "vote": _("%(name)s stands for admin. Please vote by %(when)s."),
            "elected": _("Elected as admin: %(names)s. Thank you for taking it on."),
        },
        numbers={
            "vote_days": NumberWording(
                "votes", _("Length of a vote"), _("Members have %(value)s to vote on a nomination.")
            ),
            "quorum": NumberWording(
                "votes",
                _("Who has to vote"),
                _("The vote counts when at least %(value)s of the electors voted."),
            ),
        },
    )

    review, returned = reviewed_by(
        owner,
        fill=PLAN,
        approve="vote",
        decline="declined",
        silent="lapsed",
        dropped="withdrawn",
        withdraw="withdrawn",
    )
    vote = State(
        members,
        ask("please_vote", after={"granted": "granted"}),
        tell("vote_begun", after={"granted": "granted"}),
        poll(members, "yes no", change=True, secret=True, besides=person | owner),
        may(person, "withdraw", to="withdrawn"),
        before_due(charter.remind_before, ask("vote_soon")),
        due(
            end_of_day(charter.vote_days),
            to=majority(elected="elected", rejected="rejected", too_few="too_few"),
        ),
        undo=True,
        alone="elected",
    )
    elected = final(
        tell("elected", members), STEP_DOWN, DISMISS, do=effects.take_office, announced=is_admin
    )
    in_office = final(STEP_DOWN, DISMISS)
    stepped_down = final(do=effects.leave_office)
    dismissed = final(do=effects.leave_office)
    rejected = final(tell("not_elected", members))
    too_few = final(tell("not_elected", members))
    declined = final(tell("declined"), undo=True)
    lapsed = final(tell("lapsed"), tell("lapsed_undecided", owner))
    withdrawn = final(
        tell("withdrawn", after=WITHDRAWN), tell("was_withdrawn", owner, after=WITHDRAWN)
    )
