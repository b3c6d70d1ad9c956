"""A member's departure."""

from engine.cases.open_cases import open_cases_of
from engine.club.people import is_member
from engine.declare.fields import Note, Tick
from engine.declare.registry import state_of
from engine.declare.transition import Transition
from engine.declare.workflow import (
    NumberWording,
    State,
    Wording,
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
        case.id != transition.case.id and not state_of(case.workflow, case.state).awaits_proof
        for case in open_cases_of(transition.session, transition.person)
    )


LEAVES = either(wants_erasure, "erasing", "departed")


class Departure(Workflow):
    """A member's departure, with the erasure of everything about them on request (clause 2.2)."""

    label, clause = _("Leaving the club"), "2.2"
    opens = form("departure", members, besides=owner, fresh=True)
    listed_on, on_behalf = "data", True
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

    wording = Wording(
        states={
            "asked": _("To be confirmed by mail"),
            "departed": _("Left the club"),
            "erasing": _("Left the club, to be erased"),
            "erased": _("Erased"),
            "withdrawn": _("Withdrawn"),
            "lapsed": _("Lapsed"),
        },
        actions={"asked>confirm": _("Yes, I leave the club")},
        events={
            "open": _("left the club"),
            "open>asked": _("asked to leave the club"),
            "open>erasing": _("left the club and wants everything erased"),
            "confirm": _("confirmed by mail and left the club"),
            "confirm>erasing": _("confirmed by mail, left the club and wants everything erased"),
            "withdraw": _("stays in the club"),
        },
        system_events={
            "due>lapsed": _("It was not confirmed by mail in time; the membership goes on"),
            "due>erased": _("Name, address and words were erased"),
            "due>void": _("They came back, so nothing is erased"),
        },
        letters={
            "farewell": _("farewell"),
            "remove_from_group": _("asks to take somebody out of the group"),
        },
        numbers={
            "erase_days": NumberWording(
                "joining",
                _("Before somebody is erased"),
                _(
                    "Whoever leaves and wants everything erased can still come back for "
                    "%(value)s; then it is gone."
                ),
            ),
        },
    )

    asked = confirmed_by_mail(
        "asked", may(person, "withdraw", to="withdrawn"), to=LEAVES, silent="lapsed"
    )
    departed = final(
        tell("farewell"), tell("remove_from_group", admins), do=effects.depart, membership="ends"
    )
    erasing = State(
        person,
        tell("farewell"),
        tell("remove_from_group", admins),
        due(end_of_day(charter.erase_days), to=either(has_come_back, "void", "erased")),
        do=effects.depart,
        membership="ends",
    )
    erased = final(do=effects.erase)
    withdrawn = final()
    lapsed = final()
