"""What changed between two versions of a text, for whoever has to read it again.

Compared sentence by sentence, with line ends apart. Time and size are bounded: a text of which too
much has changed is not compared.
"""

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
MOST_CHARACTERS, MOST_PARTS, MOST_EDITS = 200_000, 5_000, 120


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """The pieces of both texts in reading order; joining *same* and *new* gives the new text back.

    Empty where too much has changed to show it.
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
    """Per field whose text changed, its pieces; ticks are no texts."""
    changed = {
        name: text
        for name, text in new.items()
        if old.get(name, "") != text and not isinstance(text, bool)
    }
    return {name: changes(str(old.get(name, "")), str(text)) for name, text in changed.items()}


def edits(before: Sequence[str], after: Sequence[str], most: int) -> list[Piece] | None:
    """The shortest way from one sequence to the other, part by part; None where it has more than
    ``most`` edits.

    The greedy algorithm of Myers (1986) between the common start and the common end: (before +
    after) × edits at worst.
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
    """``reach[k]``: how far on the left one comes on the diagonal k (left minus right) with so many
    edits."""
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
    """The way back from the end, turned round."""
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
    """Parts that stand together as one piece; of what was exchanged, first all that is gone, then
    all that is new."""
    pieces: list[Piece] = []
    for stays, group in groupby(script, key=lambda piece: piece.kind == "same"):
        parts = list(group)
        kinds: tuple[Kind, ...] = ("same",) if stays else ("gone", "new")
        whole = [
            Piece(kind, "".join(part.text for part in parts if part.kind == kind)) for kind in kinds
        ]
        pieces += [piece for piece in whole if piece.text]
    return pieces
