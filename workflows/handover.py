"""The handover of the club."""

from engine.declare.workflow import (
    NumberWording,
    State,
    Wording,
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
    listed_on = "club"

    wording = Wording(
        states={
            "offered": _("Offered, waiting for the answer"),
            "accepted": _("To be confirmed by mail"),
            "taken_over": _("Taken over"),
            "refused": _("Not accepted"),
            "withdrawn": _("Withdrawn"),
            "lapsed": _("No answer came"),
        },
        actions={
            "accept": _("Yes, I take it over"),
            "refuse": _("No, thank you"),
            "accepted>confirm": _("Yes, I am the owner from now on"),
        },
        events={
            "open": _("offered the club to %(whose)s"),
            "accept": _("said yes to taking over the club"),
            "confirm": _("confirmed by mail and took over the club"),
            "refuse": _("did not take over the club"),
            "withdraw": _("took the offer back"),
        },
        system_events={"due>lapsed": _("No answer came in time")},
        letters={
            "please_take_over": _("asks to take over the club"),
            "take_over_soon": _("reminder to answer the offer"),
            "new_owner": _("the club has a new owner"),
            "was_refused": _("the offer was not accepted"),
            "was_withdrawn": _("was withdrawn"),
            "was_not_answered": _("no answer came to the offer"),
        },
        numbers={
            "answer_days": NumberWording(
                "decisions",
                _("To answer an offer"),
                _("Whoever is offered the club by its owner has %(value)s to answer."),
            ),
        },
    )

    offered = State(
        person,
        ask("please_take_over"),
        may(person, "accept", to="accepted", style="main"),
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
        silent="lapsed",
    )
    taken_over = final(tell("new_owner", members), do=effects.transfer_ownership)
    refused = final(tell("was_refused", owner))
    withdrawn = final(tell("was_withdrawn"))
    lapsed = final(tell("was_not_answered", owner))
