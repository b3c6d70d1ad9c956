"""The weekly reflection."""

from engine.club.people import is_member
from engine.declare.fields import LongText, Text, Tick
from engine.declare.transition import Transition
from engine.declare.workflow import (
    NumberWording,
    State,
    Wording,
    Workflow,
    ask,
    before_due,
    calendar,
    charter,
    due,
    either,
    final,
    may,
    members,
    moment,
    owner,
    person,
    reviewer,
    stay,
    tell,
    weekly,
)
from engine.declare.workflow import marked as _
from engine.rules.builders import PROPOSE, removal, reviewed_by
from engine.rules.second_chance import chance_left_this_month, second_chance, time_left

BOOK = ("book", "author", "big")
REFLECTION = ("book", "author", "reflection", "share")
CHANCE = either(chance_left_this_month, "overdue", PROPOSE)


def is_big(transition: Transition) -> bool:
    return bool(transition.case.answers.get("big"))


def wants_to_share(transition: Transition) -> bool:
    return bool(transition.case.answers.get("share"))


class Reflection(Workflow):
    """A weekly reflection on one book, in the member's own words (clauses 5.1 to 5.4)."""

    label, clause = _("Reflection"), "5.1"
    opens, one_open = (
        calendar(weekly(charter.week_opens, due=charter.week_due), members, besides=owner),
        True,
    )

    book = Text(_("Which book?"), hint=_("One recommended in the group, or your own choice"))
    author = Text(_("Who wrote it?"), optional=True)
    big = Tick(
        _("It is a big book"), hint=_("Then the due time moves once by some days"), optional=True
    )
    reflection = LongText(
        _("What stays with you?"),
        hint=_("Notes, a thought, a quarrel with the author: as long as you like"),
        rows=12,
    )
    share = Tick(
        _("Other members may read it"), hint=_("You can take that back at any time"), optional=True
    )

    wording = Wording(
        states={
            "owed": _("To be handed in"),
            "long_owed": _("To be handed in, a big book"),
            "shared": _("Approved, shared with the members"),
            "accepted": _("Approved"),
            "unread": _("Counts as handed in"),
            "let_off": _("Excused this time"),
        },
        actions={
            "choose": _("Name my book"),
            "excuse": _("Excuse"),
            "share": _("Share it with the members"),
            "retract": _("Stop sharing it"),
        },
        events={
            "submit": _("handed in the reflection"),
            "approve": _("approved the reflection"),
            "choose": _("named the book"),
            "choose>long_owed": _("named a big book, so there is more time"),
            "excuse>let_off": _("excused %(whose)s: nothing is due any more"),
            "share": _("shared it with the members"),
            "retract": _("stopped sharing it"),
        },
        system_events={
            "open": _("The reading week began"),
            "due>unread": _("It was not reviewed in time and counts as handed in"),
        },
        letters={
            "please_read": _("asks for it"),
            "not_opened": _("this week does not begin"),
            "due_moved": _("a big book: the due time has moved"),
            "due_soon": _("reminder before the due time"),
            "reflection_accepted": _("approved"),
            "counts_as_sent": _("counts as handed in"),
            "not_looked_at": _("nobody decided in time"),
            "let_off": _("excused this time"),
        },
        chat={"owed": _("%(what)s: please hand it in by %(when)s.")},
        numbers={
            "week_opens": NumberWording(
                "reading",
                _("The week begins"),
                _("Every week on %(value)s, each member is asked for a reflection."),
            ),
            "week_due": NumberWording(
                "reading",
                _("The reflection is due"),
                _("It is due on the %(value)s that comes next."),
            ),
            "big_book_days": NumberWording(
                "reading",
                _("More time for a big book"),
                _("Whoever reads a big book gets %(value)s more."),
            ),
        },
    )

    owed = State(
        person,
        ask("please_read", after={"undo": "excuse_undone"}),
        may(person, "submit", to="review", fill=REFLECTION, style="main"),
        may(person, "choose", to=either(is_big, "long_owed", stay), fill=BOOK),
        may(owner, "excuse", to="let_off", note="optional"),
        before_due(charter.remind_before, ask("due_soon")),
        before_due(charter.remind_last, ask("due_soon")),
        due(moment("period_due"), to=CHANCE),
        duty="open",
    )
    long_owed = State(
        person,
        ask("due_moved", after={"undo": "excuse_undone"}),
        may(person, "submit", to="review", fill=REFLECTION, style="main"),
        may(person, "choose", to=stay, fill=("book", "author")),
        may(owner, "excuse", to="let_off", note="optional"),
        before_due(charter.remind_before, ask("due_soon")),
        before_due(charter.remind_last, ask("due_soon")),
        due(moment("period_due", after=charter.big_book_days), to=CHANCE),
        duty="open",
    )
    overdue = second_chance(clause="5.4", fill=REFLECTION, excused="let_off")
    review, returned = reviewed_by(
        reviewer,
        fill=REFLECTION,
        approve=either(wants_to_share, "shared", "accepted"),
        decline=either(time_left, "returned", CHANCE),
        silent="unread",
        dropped=CHANCE,
    )
    removal_proposed, removed, readmitted, excused, not_pursued = removal(
        clause="5.4", back_to="overdue", fill=REFLECTION
    )
    shared = final(
        tell("reflection_accepted", after={"granted": "granted"}),
        may(person, "retract", to="accepted", only_if=is_member),
        undo=True,
        clause="5.3",
        open_to_members=True,
    )
    accepted = final(
        tell("reflection_accepted", after={"granted": "granted"}),
        may(person, "share", to="shared", only_if=is_member),
        undo=True,
    )
    unread = final(tell("counts_as_sent"), tell("not_looked_at", owner))
    let_off = final(tell("let_off"), undo=True, duty="excused")
