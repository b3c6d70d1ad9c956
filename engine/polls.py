"""What a poll leaves in its case: how many were asked when it opened, how many chose what when it closed."""

from __future__ import annotations

from sqlalchemy import update

from engine.declare import Poll
from engine.models import Mark
from engine.people import holders, holds
from engine.step import Step


def count_electors(step: Step, poll: Poll) -> None:
    """The electors are those who hold the role when the poll opens, minus whoever it is about."""
    asked = [
        person for person in holders(step.session, poll.who, step.case)
        if not (poll.besides and holds(poll.besides, person, step.case))
    ]  # fmt: skip
    step.case.data = {**step.case.data, "electors": len(asked)}


def close_poll(step: Step, poll: Poll) -> None:
    """The counts go into the event; of a secret poll the choices are emptied."""
    step.event.answers = {**step.event.answers, "count": dict(step.count())}
    if poll.secret:
        marks = update(Mark).where(Mark.case_id == step.case.id, Mark.entered_version == step.case.entered_version)
        step.session.execute(marks.values(choice=""))
