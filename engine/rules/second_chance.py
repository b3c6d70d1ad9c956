"""Second chances, counted by the entries into the state *overdue*."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

from sqlalchemy import bindparam, case, func, select

from engine.cases.deadlines import time_had
from engine.declare.transition import Transition
from engine.declare.workflow import (
    REMOVAL_PROPOSED,
    NumberWording,
    State,
    Wording,
    ask,
    before_due,
    charter,
    due,
    end_of_day,
    may,
    owner,
    person,
)
from engine.declare.workflow import marked as _
from engine.rules.builders import PROPOSE
from engine.storage.models import Case, Event

OVERDUE = "overdue"
SECOND_CHANCE = Wording(
    states={OVERDUE: _("Overdue, second chance")},
    actions={"extend": _("Give more time"), "excuse": _("Excuse")},
    events={
        "decline>overdue": _("declined it, with another chance to hand in"),
        "extend": _("gave more time"),
    },
    system_events={"due>overdue": _("Nothing came in by the due time; there is another chance")},
    letters={"second_chance": _("another chance"), "last_call": _("last reminder")},
    numbers={
        "second_chances": NumberWording(
            "duties",
            _("Second chances"),
            _(
                "Whoever misses a due time gets %(value)s per study plan, or per month "
                "of reflections; after that, "
                "removal is proposed to the owner."
            ),
        ),
        "second_chance_days": NumberWording(
            "duties", _("Length of a second chance"), _("A second chance lasts %(value)s.")
        ),
    },
)
CHANCE_AFTER = {
    "overdue>undo": "extension_undone",
    "undo": "excuse_undone",
    "removal_proposed>extend": "more_time_instead",
    "extend": "more_time",
    "decline": "declined_try_again",
    "returned>due": "not_sent_again",
}
LAST_CALL_AFTER = {
    "extend": "more_time",
    "decline": "after_decline",
    "returned>due": "not_sent_again",
}


def second_chance(*, clause: str, fill: Iterable[str], excused: str) -> State:
    """Build the state *overdue*: after the first due time there is more time, once.

    ``excused``: the end to which the owner may lead it; else a removal is proposed.
    """
    return State(
        person,
        ask("second_chance", after=CHANCE_AFTER),
        may(person, "submit", to="review", fill=fill, style="main"),
        may(owner, "extend", to=OVERDUE, note="optional", due="days"),
        may(owner, "excuse", to=excused, note="optional"),
        before_due(charter.remind_before, ask("last_call", after=LAST_CALL_AFTER)),
        due(end_of_day(charter.second_chance_days), to=PROPOSE),
        undo=True,
        clause=clause,
        wording=SECOND_CHANCE,
        duty="missed",
    )


def time_left(transition: Transition) -> bool:
    """True if the person's earlier deadline is still ahead: they submitted early."""
    had = time_had(transition.case)
    return had is not None and transition.now < had


def chance_left(transition: Transition) -> bool:
    """True if the charter's second chances of this case are not used up (clause 3.2)."""
    given = transition.session.execute(_GIVEN_IN_CASE, {"case": transition.case.id}).scalar_one()
    return int(given) < transition.numbers.second_chances


def chance_left_this_month(transition: Transition) -> bool:
    """True if a second chance is left this month over the workflow's cases (clause 5.4)."""
    first = transition.now.astimezone(transition.context.zone).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    wanted = {
        "person": transition.case.person_id,
        "workflow": transition.case.workflow,
        "since": first.astimezone(UTC),
    }
    given = transition.session.execute(_GIVEN_TO_PERSON, wanted).scalar_one()
    return int(given) < transition.numbers.second_chances


# The chances given. Not counted: an owner's extension (the same chance, longer), and what was
# undone.
_LONGER, _UNDONE = (OVERDUE, REMOVAL_PROPOSED), Event.action == "undo"
_ENTERED = (Event.to_state == OVERDUE) & Event.from_state.not_in(_LONGER) & ~_UNDONE
_TAKEN_BACK = (Event.from_state == OVERDUE) & Event.to_state.not_in(_LONGER) & _UNDONE
_GIVEN = select(
    func.coalesce(func.sum(case((_ENTERED, 1), (_TAKEN_BACK, -1), else_=0)), 0)
).select_from(Event)
_OF_PERSON = select(Case.id).where(
    Case.person_id == bindparam("person"), Case.workflow == bindparam("workflow")
)
# perf: P3's weekly step, 500 of them 1,221 -> 597 ms of CPU time, 2026-12-01: a statement that is
# made for every step
# takes longer to make than to run; half of the gain is that the case is written once in a step.
_GIVEN_IN_CASE = _GIVEN.where(Event.case_id == bindparam("case"))
_GIVEN_TO_PERSON = _GIVEN.where(Event.case_id.in_(_OF_PERSON), Event.at >= bindparam("since"))
