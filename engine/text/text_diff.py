"""What changed between two versions of a text, sentence by sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

Kind = Literal["same", "new", "gone"]

# Line ends, blanks between sentences, sentences: what is appended leaves the part before it as it
# was.
_PART = re.compile(r"\n+|[^\S\n]+|[^。！？!?.\n]+[。！？!?.]*|[。！？!?.]+")
# Beyond so many characters, parts or edits nothing is compared; the work is at most parts times
# edits.
MOST_CHARACTERS = 200_000
MOST_PARTS = 5_000
MOST_EDITS = 120


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """Return the pieces of both texts in reading order.

    *same* and *new* joined give the new text.
    """
    if max(len(old), len(new)) > MOST_CHARACTERS:
        return []
    before, after = _PART.findall(old), _PART.findall(new)
    if max(len(before), len(after)) > MOST_PARTS:
        return []
    script = edits(before, after, MOST_EDITS)
    if script is None:
        return []
    return _joined(script)


def changed_answers(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Piece]]:
    """Return the pieces of each text field that changed; ticks are left out."""
    changed = {
        name: text
        for name, text in new.items()
        if old.get(name, "") != text and not isinstance(text, bool)
    }
    return {name: changes(str(old.get(name, "")), str(text)) for name, text in changed.items()}


def edits(before: Sequence[str], after: Sequence[str], most: int) -> list[Piece] | None:
    """Return the shortest edit script part by part, None if it has more than ``most`` edits.

    The greedy algorithm of Myers (1986) between the common start and the common end: at worst
    (before + after) × edits.
    """
    start, end = _common_ends(before, after)
    left, right = before[start : len(before) - end], after[start : len(after) - end]
    counted = Counter(left)
    counted.subtract(right)
    if sum(map(abs, counted.values())) > most:
        return None
    steps = _shortest(left, right, most)
    if steps is None:
        return None
    same_before = [Piece("same", part) for part in after[:start]]
    return [*same_before, *steps, *(Piece("same", part) for part in after[len(after) - end :])]


def _common_ends(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    shorter = min(len(before), len(after))
    start = next((number for number in range(shorter) if before[number] != after[number]), shorter)
    rest = shorter - start
    end = next(
        (number for number in range(rest) if before[-1 - number] != after[-1 - number]), rest
    )
    return start, end


def _shortest(left: Sequence[str], right: Sequence[str], most: int) -> list[Piece] | None:
    """Search the shortest script forwards.

    ``reach[k]``: the furthest position on the left that so many edits reach on the diagonal k (left
    minus right).
    """
    reach, trace = {1: 0}, []
    for edit in range(min(most, len(left) + len(right)) + 1):
        trace.append(dict(reach))
        for k in range(-edit, edit + 1, 2):
            down = k == -edit or (k != edit and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(left) and 0 <= x - k < len(right) and left[x] == right[x - k]:
                x += 1
            reach[k] = x
            if x >= len(left) and x - k >= len(right):
                return _walked(left, right, trace)
    return None


def _walked(left: Sequence[str], right: Sequence[str], trace: list[dict[int, int]]) -> list[Piece]:
    """Walk back from the end, and return the steps in forward order."""
    steps: list[Piece] = []
    x, y = len(left), len(right)
    for edit in range(len(trace) - 1, -1, -1):
        reach, k = trace[edit], x - y
        down = k == -edit or (k != edit and reach[k - 1] < reach[k + 1])
        before = k + 1 if down else k - 1
        x_before = reach[before] if edit else 0
        y_before = x_before - before if edit else 0
        while x > x_before and y > y_before:
            x, y = x - 1, y - 1
            steps.append(Piece("same", right[y]))
        if edit:
            steps.append(Piece("new", right[y_before]) if down else Piece("gone", left[x_before]))
        x, y = x_before, y_before
    return steps[::-1]


def _joined(script: list[Piece]) -> list[Piece]:
    """Join adjacent parts to one piece; of a replacement, first *gone*, then *new*."""
    pieces: list[Piece] = []
    for stays, group in groupby(script, key=lambda piece: piece.kind == "same"):
        parts = list(group)
        kinds: tuple[Kind, ...] = ("same",) if stays else ("gone", "new")
        whole = [
            Piece(kind, "".join(part.text for part in parts if part.kind == kind)) for kind in kinds
        ]
        pieces += [piece for piece in whole if piece.text]
    return pieces
