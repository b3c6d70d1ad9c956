"""From a row to a charter: a damaged value does not close a club."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.charter.model import KINDS, Charter, CharterError, shipped_charter


def load_charter(data: Mapping[str, Any], locale: str) -> Charter:
    """Return the charter of a row.

    An unreadable value is replaced by the shipped one and named in ``damaged``; keys of other
    versions are left out.
    """
    try:
        return Charter.parse(data) if data else _repaired(data, shipped_charter(locale))
    except CharterError:
        return _repaired(data, shipped_charter(locale))


def _repaired(data: Mapping[str, Any], shipped: Charter) -> Charter:
    plain, damaged = shipped.plain(), [] if data else ["charter"]
    numbers = data.get("numbers", {})
    loose = (
        [(key, numbers[key]) for key in KINDS if key in numbers]
        if isinstance(numbers, dict)
        else [("numbers", None)]
    )
    parts = [(key, {key: data[key]}) for key in plain if key in data and key != "numbers"]
    for name, part in parts + [(key, {"numbers": {key: value}}) for key, value in loose]:
        try:
            Charter.parse(part)
        except CharterError:
            damaged.append(name)
        else:
            plain["numbers"] |= part.pop("numbers", {})
            plain |= part
    return replace(Charter.parse(plain), damaged=tuple(damaged))
