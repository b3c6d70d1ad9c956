"""The study plan."""

from engine.declare.fields import LongText
from engine.declare.workflow import (
    NumberWording,
    State,
    Wording,
    Workflow,
    ask,
    before_due,
    charter,
    due,
    either,
    end_of_day,
    final,
    may,
    opened_from,
    owner,
    person,
    reviewer,
    tell,
)
from engine.declare.workflow import marked as _
from engine.rules.builders import PROPOSE, removal, reviewed_by
from engine.rules.second_chance import chance_left, second_chance, time_left

PLAN = ("goals", "plan")
CHANCE = either(chance_left, "overdue", PROPOSE)


class StudyPlan(Workflow):
    """A newcomer's study plan, sent to the owner within three days (clauses 3.1, 3.2)."""

    label, clause = _("Study plan"), "3.1"
    opens, one_open = opened_from("join", "approved"), True

    goals = LongText(_("What do you want to have learned a year from now?"), rows=5)
    plan = LongText(_("How will you get there, week by week?"), rows=10)

    wording = Wording(
        states={
            "owed": _("To be handed in"),
            "accepted": _("Approved"),
            "unread": _("Counts as handed in"),
            "let_off": _("Excused: no plan is due"),
        },
        events={
            "submit": _("handed in the study plan"),
            "approve": _("approved the study plan"),
            "excuse>let_off": _("excused %(whose)s: nothing is due any more"),
        },
        system_events={
            "open": _("After the approval the study plan began"),
            "due>unread": _("It was not reviewed in time and counts as handed in"),
        },
        letters={
            "please_write": _("asks for it"),
            "due_soon": _("reminder before the due time"),
            "plan_accepted": _("approved"),
            "counts_as_sent": _("counts as handed in"),
            "not_looked_at": _("nobody decided in time"),
            "let_off": _("excused, no plan is due"),
        },
        chat={"owed": _("New among us: your study plan is due %(when)s.")},
        numbers={
            "plan_days": NumberWording(
                "duties",
                _("To write the study plan"),
                _("After joining, a newcomer has %(value)s to write a study plan."),
            ),
        },
    )

    owed = State(
        person,
        ask("please_write"),
        may(person, "submit", to="review", fill=PLAN, style="main"),
        before_due(charter.remind_before, ask("due_soon")),
        before_due(charter.remind_last, ask("due_soon")),
        due(end_of_day(charter.plan_days), to="overdue"),
        duty="open",
    )
    overdue = second_chance(clause="3.2", fill=PLAN, excused="let_off")
    review, returned = reviewed_by(
        reviewer,
        fill=PLAN,
        approve="accepted",
        decline=either(time_left, "returned", CHANCE),
        silent="unread",
        dropped=CHANCE,
    )
    removal_proposed, removed, readmitted, excused, not_pursued = removal(
        clause="3.2", back_to="overdue", fill=PLAN
    )
    accepted = final(tell("plan_accepted", after={"granted": "granted"}), undo=True)
    unread = final(tell("counts_as_sent"), tell("not_looked_at", owner))
    let_off = final(tell("let_off"), undo=True, duty="excused")
