"""A member's new mail address."""

from engine.club.people import address_is_free, is_not_owner
from engine.declare.fields import Address
from engine.declare.transition import Transition
from engine.declare.workflow import (
    State,
    Wording,
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

CORRECTED = {"correct": "by_the_owner"}


def is_free(transition: Transition) -> bool:
    return address_is_free(
        transition.session, transition.case.answers["email"], besides=transition.person
    )


class NewAddress(Workflow):
    """A new address, confirmed from both addresses or put right by the owner (clause 2.2)."""

    label, clause = _("New e-mail address"), "2.2"
    opens, one_open = form("new-address", members, fresh=True), True
    listed_on, put_right = "settings", "correct"
    start = either(is_confirmed, "unconfirmed", "asked")

    email = Address(
        _("Your new e-mail address"),
        hint=_(
            "It changes once you have confirmed it from your present mailbox and from the new one"
        ),
    )

    wording = Wording(
        states={
            "asked": _("To be confirmed by mail"),
            "unconfirmed": _("Address to be confirmed"),
            "moved": _("Changed"),
            "taken": _("Not changed: the address is taken"),
            "lapsed": _("Lapsed"),
            "withdrawn": _("Withdrawn"),
        },
        actions={
            "confirm": _("Yes, this is my address"),
            "asked>confirm": _("Yes, change my address"),
            "correct": _("Correct the address"),
        },
        events={
            "open": _("asked for a new mail address"),
            "confirm": _("confirmed the address"),
            "confirm>unconfirmed": _("confirmed the change from the present mailbox"),
            "confirm>taken": _("confirmed the new address, but somebody else has it already"),
            "correct": _("corrected the address"),
            "correct>taken": _("wanted to correct the address, but somebody else has it already"),
            "withdraw": _("withdrew the change of address"),
        },
        system_events={
            "due>lapsed": _("The new address was not confirmed in time; the old one stays")
        },
        letters={
            "confirm_new_address": _("asks to confirm the new address"),
            "address_changed": _("to the new address: it is valid"),
            "address_was_changed": _("to the old address: it was changed"),
            "address_taken": _("the address is taken"),
            "address_kept": _("the address stays as it is"),
        },
    )

    asked = confirmed_by_mail(
        "asked", may(person, "withdraw", to="withdrawn"), to="unconfirmed", silent="lapsed"
    )
    unconfirmed = State(
        person,
        ask("confirm_new_address", at="email"),
        may(person, "confirm", to=either(is_free, "moved", "taken"), step_up=True, style="main"),
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
        tell("address_changed", after=CORRECTED),
        tell("address_was_changed", at="old_address", after=CORRECTED),
        do=effects.change_address,
    )
    taken = final(tell("address_taken"))
    lapsed = final(tell("address_kept"))
    withdrawn = final()
