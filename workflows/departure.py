"""A member's departure."""

from engine.cases.open_cases import open_cases_of
from engine.club.people import is_member
from engine.declare.fields import Note, Tick
from engine.declare.transition import Transition
from engine.declare.workflow import (
    State,
    Workflow,
    admins,
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


def wants_erasure(transition: Transition) -> bool:
    return bool(transition.case.answers.get("erase"))


def has_come_back(transition: Transition) -> bool:
    """True if they are a member again, or if they proved the address of an open application."""
    return is_member(transition.person) or any(
        case.id != transition.case.id and case.state != "unconfirmed"
        for case in open_cases_of(transition.session, transition.person)
    )


LEAVES = either(wants_erasure, "erasing", "departed")


class Departure(Workflow):
    """A member's departure, with the erasure of everything about them on request (clause 2.2)."""

    label, clause = _("Leaving the club"), "2.2"
    opens = form("departure", members, besides=owner, fresh=True)
    start = either(is_confirmed, LEAVES, "asked")

    why = Note(
        _("Would you like to say why?"),
        hint=_("The owner and the admins read what you write"),
        optional=True,
    )
    erase = Tick(
        _("Erase what the club has from me"),
        hint=_("Name, address and everything I wrote, some days after"),
        optional=True,
    )

    asked = confirmed_by_mail("asked", may(person, "withdraw", to="withdrawn"), to=LEAVES)
    departed = final(tell("farewell"), tell("remove_from_group", admins), do=effects.depart)
    erasing = State(
        person,
        tell("farewell"),
        tell("remove_from_group", admins),
        due(end_of_day(charter.erase_days), to=either(has_come_back, "void", "erased")),
        do=effects.depart,
    )
    erased = final(do=effects.erase)
    withdrawn = final()
    lapsed = final()
