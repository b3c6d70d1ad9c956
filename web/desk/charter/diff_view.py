"""The differences of two charters in words: for a preview, a conflict, the history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.charter.diff import Difference
from engine.text.i18n import marked as _
from engine.text.i18n import translate
from engine.text.text_diff import Piece, changes
from web.desk.charter.charter_form import TEXT_WORDS, in_letters, with_deputies
from web.labels.charter_labels import explained, known_numbers, said

# Ticked, then unticked.
_LISTS = {
    "deputies": (_("Admins may decide in the owner's place"), _("Only the owner decides")),
    "in_daily_letter": (_("Asked in the daily letter"), _("Asked at once")),
}
_CLAUSE = _("Clause %(number)s")
NOTHING = _("nothing")


@dataclass(frozen=True)
class Amended:
    """A place that changed.

    A short value has old and new, a text its pieces; ``means``: what it does now.
    """

    title: str
    old: str = ""
    new: str = ""
    pieces: list[Piece] = field(default_factory=list)
    means: str = ""


def describe_diff(found: Iterable[Difference], language: str) -> list[Amended]:
    return [_said(item, language) for item in found]


def _said(item: Difference, language: str) -> Amended:
    if item.part in TEXT_WORDS:
        return Amended(translate(TEXT_WORDS[item.part][0], language), pieces=_pieces(item))
    if item.part == "clauses":
        return Amended(translate(_CLAUSE, language) % {"number": item.name}, pieces=_pieces(item))
    if item.part in _LISTS:
        yes, no = (translate(word, language) for word in _LISTS[item.part])
        return Amended(_matter(item.name, language), *((no, yes) if item.new else (yes, no)))
    old, new = (_value(item.name, value, language) for value in (item.old, item.new))
    if item.name not in known_numbers() or item.new is None:
        return Amended(item.name, old, new)
    return Amended(
        translate(known_numbers()[item.name].name, language),
        old,
        new,
        means=explained(item.name, item.new, language),
    )


def _pieces(item: Difference) -> list[Piece]:
    return changes(item.old or "", item.new or "")


def _value(key: str, plain: object, language: str) -> str:
    if plain is None:
        return translate(NOTHING, language)
    return said(key, plain, language) if key in known_numbers() else str(plain)


def _matter(key: str, language: str) -> str:
    """Return the title of what decisions are about.

    A workflow that is not built yet goes by its key.
    """
    return translate(dict(with_deputies() + in_letters()).get(key, key), language)
