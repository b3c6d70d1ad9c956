"""A member leaves."""

from engine import effects
from engine.declare import (
    State,
    Workflow,
    admins,
    charter,
    due,
    either,
    end_of_day,
    final,
    form,
    members,
    owner,
    person,
    tell,
)  # fmt: skip
from engine.declare import marked as _
from engine.fields import LongText, Tick
from engine.step import Step


def has_come_back(step: Step) -> bool:
    """Somebody who applied again, or was brought back in, since: then nothing is erased."""
    return step.person.status != "departed"


def wants_erasure(step: Step) -> bool:
    return bool(step.case.answers.get("erase"))


class Departure(Workflow):
    """A member leaves the club of their own accord, and may have everything about them erased (clause 2.2)."""

    label, clause = _("Leaving the club"), "2.2"
    opens = form("departure", members, besides=owner, fresh=True)
    start = either(wants_erasure, "erasing", "departed")

    why = LongText(
        _("Would you like to say why?"),
        hint=_("You leave as soon as you send this. The owner and the admins read what you write"),
        optional=True,
        rows=3,
    )
    erase = Tick(
        _("Erase what the club has from me"), hint=_("Name, address and everything I wrote, some days after"), optional=True
    )

    departed = final(tell("farewell"), tell("remove_from_group", admins), do=effects.depart)
    erasing = State(
        person,
        tell("farewell"),
        tell("remove_from_group", admins),
        due(end_of_day(charter.erase_days), to=either(has_come_back, "kept", "erased")),
        do=effects.depart,
    )
    erased = final(do=effects.erase)
    kept = final()
