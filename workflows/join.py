"""Joining the club."""

from engine.club.people import is_member
from engine.declare.fields import Address, LongText, Text, Tick
from engine.declare.workflow import (
    NumberWording,
    State,
    Wording,
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

NOT_SENT_AGAIN = {"returned>due": "not_sent_again"}


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

    taken_back = tell(
        "taken_back", after={"approved>undo": "approval_undone", "returned>undo": "return_undone"}
    )

    wording = Wording(
        states={
            "unconfirmed": _("Address to be confirmed"),
            "approved": _("Approved"),
            "declined": _("Declined"),
            "lapsed": _("Lapsed"),
            "withdrawn": _("Withdrawn"),
            "forgotten": _("Never confirmed, so erased"),
        },
        actions={"confirm": _("Yes, this is my address"), "apply_again": _("Apply again")},
        events={
            "open": _("applied to join"),
            "confirm": _("confirmed the address"),
            "apply_again": _("filled in the application anew"),
            "approve": _("approved the application"),
            "decline": _("declined the application"),
            "withdraw": _("withdrew the application"),
        },
        system_events={
            "due>lapsed": _("The time ran out and it lapsed"),
            "due>forgotten": _("The address was never confirmed, so the application was erased"),
        },
        letters={
            "confirm_address": _("asks to confirm the address"),
            "already_member": _("is a member already"),
            "already_waiting": _("is under review already"),
            "welcome": _("welcome"),
            "add_to_group": _("asks to take somebody into the group"),
            "declined": _("declined"),
            "lapsed": _("lapsed"),
            "lapsed_undecided": _("lapsed undecided"),
            "withdrawn": _("withdrawn"),
            "was_withdrawn": _("was withdrawn"),
        },
        chat={"approved": _("Welcome among us: %(names)s.")},
        numbers={
            "confirm_days": NumberWording(
                "joining",
                _("To confirm the address"),
                _(
                    "Whoever applies has %(value)s to confirm their e-mail address; "
                    "otherwise the application is erased."
                ),
            ),
            "application_days": NumberWording(
                "joining",
                _("Keeping old applications"),
                _(
                    "An application that led nowhere is kept for %(value)s, then what it "
                    "says is deleted."
                ),
            ),
        },
    )

    unconfirmed = State(
        person,
        ask("confirm_address"),
        may(person, "confirm", to="review", proves=True, style="main"),
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
    approved = final(
        tell("welcome"),
        tell("add_to_group", admins),
        do=effects.enrol,
        undo=True,
        announced=is_member,
    )
    declined = final(tell("declined"), undo=True, keep=charter.application_days)
    lapsed = final(
        tell("lapsed", after=NOT_SENT_AGAIN),
        tell("lapsed_undecided", reviewer, after=NOT_SENT_AGAIN),
        keep=charter.application_days,
    )
    withdrawn = final(
        tell("withdrawn"), tell("was_withdrawn", reviewer), keep=charter.application_days
    )
    forgotten = final(do=effects.forget)
