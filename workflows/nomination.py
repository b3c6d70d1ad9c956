"""The nomination of a member as admin."""

from engine.club.people import is_admin
from engine.declare.fields import LongText
from engine.declare.transition import Transition
from engine.declare.workflow import (
    State,
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
STEP_DOWN = may(
    person,
    "step_down",
    to="stepped_down",
    note="optional",
    only_if=is_admin,
    tells=tell("stepped_down", owner),
)
DISMISS = may(
    owner, "dismiss", to="dismissed", note="required", only_if=is_admin, tells=tell("dismissed")
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
        ask("please_vote"),
        tell("vote_begun"),
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
    elected = final(tell("elected", members), STEP_DOWN, DISMISS, do=effects.take_office)
    in_office = final(STEP_DOWN, DISMISS)
    stepped_down = final(do=effects.leave_office)
    dismissed = final(do=effects.leave_office)
    rejected = final(tell("not_elected", members))
    too_few = final(tell("not_elected", members))
    declined = final(tell("declined"), undo=True)
    lapsed = final(tell("lapsed"), tell("lapsed_undecided", owner))
    withdrawn = final(tell("withdrawn"), tell("was_withdrawn", owner))
