"""A letter as data: a subject and blocks, rendered as text and as HTML.

A template fills it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.text.text_diff import Piece

_WIDE = re.compile("[　-〿㐀-鿿＀-￯]")

# Characters of a long text in a list of cases, and how many are searched for them.
_START, _LOOKED_AT = 120, 4_000

Caller = Callable[[], str]


def unbroken(text: str) -> str:
    """Join a template's paragraph to one line; Chinese lines join without a space."""
    parts: list[str] = []
    for line in filter(None, (" ".join(line.split()) for line in text.split("\n"))):
        wide = not parts or _WIDE.match(parts[-1][-1]) or _WIDE.match(line)
        parts.append(line if wide else " " + line)
    return "".join(parts)


def start_of(written: Iterable[tuple[str, str, bool]]) -> str:
    """Return the start of the longest answer on one line.

    ``written``: label, text, True if long.
    """
    longest = max((text for _label, text, is_long in written if is_long), key=len, default="")
    start = unbroken(longest[:_LOOKED_AT])
    is_whole = len(start) <= _START and len(longest) <= _LOOKED_AT
    return start if is_whole else start[:_START].rstrip() + "…"


def start_within(text: str, size: int) -> str:
    """Return the text, or as much of its beginning as fits into ``size`` bytes of UTF-8."""
    raw = text.encode()
    return text if len(raw) <= size else raw[:size].decode(errors="ignore").rstrip() + " …"


@dataclass(frozen=True)
class Block:
    kind: str
    text: str = ""
    url: str = ""
    rows: tuple[Any, ...] = ()


@dataclass
class Document:
    """The words of letter templates: subject, para, facts, quote, changed, button, items, why."""

    title: str = ""
    reason: str = ""
    blocks: list[Block] = field(default_factory=list)
    room: int = 24_000
    rest: Caller = str

    def subject(self, caller: Caller) -> str:
        self.title = unbroken(caller())
        return ""

    def para(self, caller: Caller) -> str:
        return self._add(Block("para", unbroken(caller())))

    def facts(self, *rows: tuple[str, str]) -> str:
        """Add label and value, one a line, without empty values."""
        return self._add(
            Block("facts", rows=tuple((label, value) for label, value in rows if value))
        )

    def quote(self, text: str, label: str = "", more: str = "") -> str:
        """Add a person's own words, unchanged; cut where they have no room.

        ``more`` links to what was cut before.
        """
        start = start_within(text, self.room)
        more = more or (self.rest() if start != text else "")
        return self._add(Block("quote", label, more, tuple(start.split("\n")))) if text else ""

    def changed(self, label: str, pieces: Iterable[Piece]) -> str:
        return self._add(Block("changed", label, rows=tuple(pieces)))

    def button(self, url: str, caller: Caller) -> str:
        return self._add(Block("button", unbroken(caller()), url))

    def items(self, rows: Iterable[tuple[str, str]]) -> str:
        """Add lines, each with its own link or none."""
        return self._add(Block("items", rows=tuple(rows)))

    def why(self, caller: Caller) -> str:
        """Add why this letter exists and why this person gets it, with the clause."""
        self.reason = unbroken(caller())
        return ""

    def _add(self, block: Block) -> str:
        self.blocks.append(block)
        return ""
