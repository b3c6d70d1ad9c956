"""The weekly reflection."""

from engine.club.people import is_member
from engine.declare.fields import LongText, Text, Tick
from engine.declare.transition import Transition
from engine.declare.workflow import (
    State,
    Workflow,
    ask,
    before_due,
    calendar,
    charter,
    due,
    either,
    end_of_day,
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
from engine.rules.second_chance import chance_left_this_month, time_left

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

    owed = State(
        person,
        ask("please_read"),
        may(person, "submit", to="review", fill=REFLECTION),
        may(person, "choose", to=either(is_big, "long_owed", stay), fill=BOOK),
        may(owner, "excuse", to="let_off", note="optional"),
        before_due(charter.remind_before, ask("due_soon")),
        before_due(charter.remind_last, ask("due_soon")),
        due(moment("period_due"), to=CHANCE),
    )
    long_owed = State(
        person,
        ask("due_moved"),
        may(person, "submit", to="review", fill=REFLECTION),
        may(person, "choose", to=stay, fill=("book", "author")),
        may(owner, "excuse", to="let_off", note="optional"),
        before_due(charter.remind_before, ask("due_soon")),
        before_due(charter.remind_last, ask("due_soon")),
        due(moment("period_due", after=charter.big_book_days), to=CHANCE),
    )
    overdue = State(
        person,
        ask("second_chance"),
        may(person, "submit", to="review", fill=REFLECTION),
        may(owner, "extend", to="overdue", note="optional", due="days"),
        may(owner, "excuse", to="let_off", note="optional"),
        before_due(charter.remind_before, ask("last_call")),
        due(end_of_day(charter.second_chance_days), to=PROPOSE),
        undo=True,
        clause="5.4",
    )
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
        tell("reflection_accepted"),
        may(person, "retract", to="accepted", only_if=is_member),
        undo=True,
        clause="5.3",
    )
    accepted = final(
        tell("reflection_accepted"), may(person, "share", to="shared", only_if=is_member), undo=True
    )
    unread = final(tell("counts_as_sent"), tell("not_looked_at", owner))
    let_off = final(tell("let_off"), undo=True)
