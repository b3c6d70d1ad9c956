"""How a rule of the audit is written down: a function with the sentence that must be true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from tests.month.record import Record

Rule = Callable[[Record], Iterator[str]]
AT_ONCE = timedelta(minutes=2)  # how much of the machine's own time may pass while a tick works


def rules() -> tuple[dict[str, Rule], Callable[[str], Callable[[Rule], Rule]]]:
    """A book of rules, and the decorator that enters one."""
    book: dict[str, Rule] = {}

    def rule(said: str) -> Callable[[Rule], Rule]:
        return lambda check: book.setdefault(said, check)

    return book, rule
