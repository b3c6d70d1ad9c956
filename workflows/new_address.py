"""A member's mail address changes."""

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


def is_free(transition: Transition) -> bool:
    return address_is_free(
        transition.session, transition.case.answers["email"], besides=transition.person
    )


class NewAddress(Workflow):
    """A member's address changes: asked for from the old one and confirmed from the new, or put
    right by the owner (clause 2.2)."""

    label, clause = _("New e-mail address"), "2.2"
    opens, one_open = form("new-address", members, fresh=True), True

    email = Address(
        _("Your new e-mail address"),
        hint=_("A mail goes there; only when you press its button does the address change"),
    )

    unconfirmed = State(
        person,
        ask("confirm_new_address", at="email"),
        may(person, "confirm", to=either(is_free, "moved", "taken"), proves=True),
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
