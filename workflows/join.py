"""Joining the club."""

from engine.declare.fields import Address, LongText, Text, Tick
from engine.declare.workflow import (
    State,
    Workflow,
    admins,
    anyone,
    ask,
    charter,
    due,
    end_of_day,
    final,
    form,
    may,
    person,
    reviewer,
    tell,
)
from engine.declare.workflow import marked as _
from engine.rules import effects
from engine.rules.builders import reviewed_by

APPLICATION = ("name", "city", "occupation", "about", "interests", "referrer")


class Join(Workflow):
    """An application: the address is proved, then a reviewer decides (clauses 2.1 to 2.3)."""

    label, clause = _("Application to join"), "2.1"
    opens, one_open = form("join", anyone), True

    name = Text(
        _("Name"), hint=_("Your real name; the group knows you as city+name"), autocomplete="name"
    )
    email = Address(
        _("E-mail address"),
        hint=_("Everything from the club comes here: the answer, your tasks, your links"),
    )
    city = Text(_("City"), hint=_("Where you live or study"), autocomplete="address-level2")
    occupation = Text(
        _("What you do"), hint=_("For instance: student, second year of law"), optional=True
    )
    about = LongText(_("About you, and why you want to join"), rows=6)
    interests = LongText(_("What do you like to read and think about?"), optional=True, rows=3)
    referrer = Text(
        _("Who recommended you?"), hint=_("A member's name, or how you found us"), optional=True
    )
    accept_charter = Tick(
        _("I have read the charter and agree to it"),
        required=_("Please tick this box: joining means agreeing to the charter"),
    )

    unconfirmed = State(
        person,
        ask("confirm_address"),
        may(person, "confirm", to="review", proves=True),
        may(anyone, "apply_again", to="unconfirmed", fill=APPLICATION),
        due(end_of_day(charter.confirm_days), to="forgotten"),
    )
    review, returned = reviewed_by(
        reviewer,
        fill=APPLICATION,
        approve="approved",
        decline="declined",
        silent="lapsed",
        dropped="lapsed",
        withdraw="withdrawn",
        do=effects.await_decision,
    )
    approved = final(tell("welcome"), tell("add_to_group", admins), do=effects.enrol, undo=True)
    declined = final(tell("declined"), undo=True, keep=charter.application_days)
    lapsed = final(
        tell("lapsed"), tell("lapsed_undecided", reviewer), keep=charter.application_days
    )
    withdrawn = final(
        tell("withdrawn"), tell("was_withdrawn", reviewer), keep=charter.application_days
    )
    forgotten = final(do=effects.forget)
