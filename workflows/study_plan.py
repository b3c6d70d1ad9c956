"""The study plan."""

from engine.declare.fields import LongText
from engine.declare.workflow import (
    State,
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
from engine.rules.second_chance import chance_left, time_left

PLAN = ("goals", "plan")
CHANCE = either(chance_left, "overdue", PROPOSE)


class StudyPlan(Workflow):
    """A newcomer's study plan, sent to the owner within three days (clauses 3.1, 3.2)."""

    label, clause = _("Study plan"), "3.1"
    opens, one_open = opened_from("join", "approved"), True

    goals = LongText(_("What do you want to have learned a year from now?"), rows=5)
    plan = LongText(_("How will you get there, week by week?"), rows=10)

    owed = State(
        person,
        ask("please_write"),
        may(person, "submit", to="review", fill=PLAN),
        before_due(charter.remind_before, ask("due_soon")),
        before_due(charter.remind_last, ask("due_soon")),
        due(end_of_day(charter.plan_days), to="overdue"),
    )
    overdue = State(
        person,
        ask("second_chance"),
        may(person, "submit", to="review", fill=PLAN),
        may(owner, "extend", to="overdue", note="optional", due="days"),
        may(owner, "excuse", to="let_off", note="optional"),
        before_due(charter.remind_before, ask("last_call")),
        due(end_of_day(charter.second_chance_days), to=PROPOSE),
        undo=True,
        clause="3.2",
    )
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
    accepted = final(tell("plan_accepted"), undo=True)
    unread = final(tell("counts_as_sent"), tell("not_looked_at", owner))
    let_off = final(tell("let_off"), undo=True)
