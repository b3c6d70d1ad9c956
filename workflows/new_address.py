"""A member's new mail address."""

from engine.club.people import address_is_free, is_not_owner
from engine.declare.fields import Address
from engine.declare.transition import Transition
from engine.declare.workflow import (
    State,
    Workflow,
    ask,
    charter,
    due,
    either,
    end_of_day,
    final,
    form,
    may,
    members,
    owner,
    person,
    tell,
)
from engine.declare.workflow import marked as _
from engine.rules import effects
from engine.rules.builders import confirmed_by_mail, is_confirmed


def is_free(transition: Transition) -> bool:
    return address_is_free(
        transition.session, transition.case.answers["email"], besides=transition.person
    )


class NewAddress(Workflow):
    """A new address, confirmed from both addresses or put right by the owner (clause 2.2)."""

    label, clause = _("New e-mail address"), "2.2"
    opens, one_open = form("new-address", members, fresh=True), True
    start = either(is_confirmed, "unconfirmed", "asked")

    email = Address(
        _("Your new e-mail address"),
        hint=_(
            "It changes once you have confirmed it from your present mailbox and from the new one"
        ),
    )

    asked = confirmed_by_mail("asked", may(person, "withdraw", to="withdrawn"), to="unconfirmed")
    unconfirmed = State(
        person,
        ask("confirm_new_address", at="email"),
        may(person, "confirm", to=either(is_free, "moved", "taken"), step_up=True),
        may(person, "resend", to="unconfirmed"),
        may(
            owner,
            "correct",
            to=either(is_free, "moved", "taken"),
            note="required",
            only_if=is_not_owner,
        ),
        may(person, "withdraw", to="withdrawn"),
        due(end_of_day(charter.confirm_days), to="lapsed"),
    )
    moved = final(
        tell("address_changed"),
        tell("address_was_changed", at="old_address"),
        do=effects.change_address,
    )
    taken = final(tell("address_taken"))
    lapsed = final(tell("address_kept"))
    withdrawn = final()
