"""The differences of two charters, and the rebase of one edit on a newer charter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEXTS = ("purpose", "group", "contact")
LISTS = ("deputies", "in_daily_letter")

# A place in a charter: its part ("numbers", "clauses", the key of a text or list), the name in it
# ("" for a text), and an index, because a charter from a file may hold a clause's number twice.
Place = tuple[str, str, int]


@dataclass(frozen=True)
class Difference:
    """A place that changed. ``old`` and ``new`` are plain values, None if absent."""

    part: str
    name: str
    old: Any
    new: Any


def charter_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return the differences of two plain charters, in a charter's order."""
    before, after = _places(old), _places(new)
    return [
        Difference(place[0], place[1], before.get(place), after.get(place))
        for place in sorted(before | after, key=_in_order)
        if before.get(place) != after.get(place)
    ]


def rebase(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> dict[str, Any]:
    """Apply to ``theirs`` what changed from ``base`` to ``mine``."""
    before = _places(base)
    after = _places(mine)
    found = _places(theirs)
    for place in before | after:
        if before.get(place) != after.get(place):
            if place in after:
                found[place] = after[place]
            else:
                found.pop(place, None)
    return _charter_of(found)


def in_order_of_numbers(clauses: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(clauses, key=lambda clause: _parts(clause["number"]))


def _places(charter: Mapping[str, Any]) -> dict[Place, Any]:
    found: dict[Place, Any] = {(key, "", 0): charter[key] for key in TEXTS if charter.get(key)}
    found |= {("numbers", key, 0): value for key, value in charter.get("numbers", {}).items()}
    found |= {(key, name, 0): True for key in LISTS for name in charter.get(key, ())}
    for clause in charter.get("clauses", ()):
        nth = sum(1 for place in found if place[:2] == ("clauses", clause["number"]))
        found["clauses", clause["number"], nth] = clause["text"]
    return found


def _charter_of(places: Mapping[Place, Any]) -> dict[str, Any]:
    of = {
        part: {place: value for place, value in places.items() if place[0] == part}
        for part in {place[0] for place in places}
    }
    clauses = [{"number": place[1], "text": text} for place, text in of.get("clauses", {}).items()]
    return {
        **{key: places.get((key, "", 0), "") for key in TEXTS},
        **{key: [place[1] for place in of.get(key, {})] for key in LISTS},
        "numbers": {place[1]: value for place, value in of.get("numbers", {}).items()},
        "clauses": in_order_of_numbers(clauses),
    }


_PARTS = (*TEXTS, "clauses", "numbers", *LISTS)


def _in_order(place: Place) -> tuple[Any, ...]:
    return (_PARTS.index(place[0]), _parts(place[1]) if place[0] == "clauses" else (), place[2])


def _parts(number: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 10.1 after 9.2.

    Only plain digits count: the text was typed, and int() refuses ² and 5,000 digits.
    """
    return [
        (0, int(part), "") if part[0] in "0123456789" else (1, 0, part)
        for part in re.findall(r"[0-9]{1,9}|[^0-9]+", number)
    ]
