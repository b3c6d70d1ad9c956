"""Answers as a mail shows them: each by its label, cut to its fair share of the room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.declare.fields import written_answers
from engine.declare.workflow import Workflow
from engine.text.i18n import translate
from mailers.letters.document import start_within


@dataclass(frozen=True)
class Written:
    """An answer as a mail shows it: ``cut`` if only its start fits."""

    label: str
    text: str
    is_long: bool
    cut: bool


def written_within(
    flow: type[Workflow], given: Mapping[str, Any], language: str, room: int
) -> list[Written]:
    """Return the answers of a form in a language, cut so that all of them fit into the room."""
    answers = written_answers(flow, given)
    share = _fair_share([len(text.encode()) for _, text, _ in answers], room)
    return [
        Written(
            translate(label, language),
            start_within(text, share),
            is_long,
            len(text.encode()) > share,
        )
        for label, text, is_long in answers
    ]


def _fair_share(sizes: list[int], room: int) -> int:
    """Return the largest size per text so that all of them, cut to it, fit into the room."""
    share = room
    for position, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - position)
        if size > share:
            return share
        room -= size
    return max(share, max(sizes, default=0))
