"""The handover of the club."""

from engine.declare.workflow import (
    State,
    Workflow,
    ask,
    before_due,
    charter,
    due,
    end_of_day,
    final,
    may,
    members,
    offered_by,
    owner,
    person,
    tell,
)
from engine.declare.workflow import marked as _
from engine.rules import effects
from engine.rules.builders import confirmed_by_mail


class Handover(Workflow):
    """The handover of the club by its owner to a member who accepts it (clause 8.1)."""

    label, clause = _("Taking over the club"), "8.1"
    opens, one_open = offered_by(owner), True

    offered = State(
        person,
        ask("please_take_over"),
        may(person, "accept", to="accepted"),
        may(person, "refuse", to="refused", note="optional"),
        may(owner, "withdraw", to="withdrawn"),
        before_due(charter.remind_before, ask("take_over_soon")),
        due(end_of_day(charter.answer_days), to="lapsed"),
    )
    accepted = confirmed_by_mail(
        "accepted",
        may(person, "refuse", to="refused", note="optional"),
        may(owner, "withdraw", to="withdrawn"),
        to="taken_over",
    )
    taken_over = final(tell("new_owner", members), do=effects.transfer_ownership)
    refused = final(tell("was_refused", owner))
    withdrawn = final(tell("was_withdrawn"))
    lapsed = final(tell("was_not_answered", owner))
