"""Twelve days of a small club, with all that goes wrong; ``make month`` is the long run."""

from __future__ import annotations

from collections.abc import Callable

from tests.month.audit import RULES, findings
from tests.month.life import Life
from tests.month.plan import Plan
from tests.world import World


def test_twelve_days_leave_nothing_to_find(begin: Callable[..., World]) -> None:
    """Returns and proposed removals may miss twelve days: the long month has them."""
    record = Life(
        begin(JIUNIU_RATE_LIMITS="off"), Plan(seed=3, members=14, days=12, mail_down=(0.2, 0.45))
    ).run()
    assert findings(record) == {said: [] for said in RULES}
    happened = {event.action for event in record.events} | {
        event.to_state for event in record.events
    }
    assert happened >= {
        "confirm",
        "approve",
        "submit",
        "choose",
        "undo",
        "due",
        "void",
        "postponed",
        "overdue",
    }, "too little happened to audit"
    assert any(letter.maybe_twice for letter in record.letters), "no process died after the dot"
