"""The audit of a month: what must be true of its rows and mails, without asking the engine.

Each rule is a function from a Record to findings, and a finding names the case, the letter or the
person.
"""

from __future__ import annotations

from tests.month import letter_rules, people_rules, step_rules
from tests.month.record import Record
from tests.month.rule import Rule

RULES: dict[str, Rule] = letter_rules.RULES | step_rules.RULES | people_rules.RULES


def findings(record: Record) -> dict[str, list[str]]:
    """By rule; an empty list is what one wants to see."""
    return {said: sorted(check(record)) for said, check in RULES.items()}
