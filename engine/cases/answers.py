"""The answers of a submission."""

from __future__ import annotations

from typing import Any

from engine.declare.registry import workflow
from engine.declare.transition import Transition


def store_answers(transition: Transition, answers: dict[str, Any]) -> None:
    """Store submitted answers in the case, private fields apart from all that is exported."""
    if not answers and not transition.event.answers:
        return
    hidden = workflow(transition.case.workflow).private
    transition.case.answers = {
        **transition.case.answers,
        **{name: value for name, value in answers.items() if name not in hidden},
    }
    transition.case.private = {
        **transition.case.private,
        **{name: value for name, value in answers.items() if name in hidden},
    }
    transition.event.answers = {
        name: value for name, value in transition.event.answers.items() if name not in hidden
    }
