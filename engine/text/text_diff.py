"""What changed between two versions of a text, sentence by sentence: for whoever has to read it
again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

_SENTENCE = re.compile(r"[^。！？!?.\n]*(?:[。！？!?.\n]+|$)")
# Comparing is quadratic: beyond this many sentences the texts are shown whole, as old and new.
_MOST_SENTENCES = 2000


@dataclass(frozen=True)
class Piece:
    kind: Literal["same", "new", "gone"]
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """The pieces of both texts in reading order; joining *same* and *new* gives the new text back."""
    before, after = _sentences(old), _sentences(new)
    if max(len(before), len(after)) > _MOST_SENTENCES:
        return [Piece("gone", old), Piece("new", new)]
    pieces: list[Piece] = []
    for what, low, high, start, end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if what == "equal":
            pieces.append(Piece("same", "".join(after[start:end])))
            continue
        if low < high:
            pieces.append(Piece("gone", "".join(before[low:high])))
        if start < end:
            pieces.append(Piece("new", "".join(after[start:end])))
    return pieces


def changed_answers(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Piece]]:
    """Per field whose text changed, its pieces; ticks are no texts."""
    changed = {
        name: text
        for name, text in new.items()
        if old.get(name, "") != text and not isinstance(text, bool)
    }
    return {name: changes(str(old.get(name, "")), str(text)) for name, text in changed.items()}


def _sentences(text: str) -> list[str]:
    return [found for found in _SENTENCE.findall(text) if found]
