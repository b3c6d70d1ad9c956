"""A list as people keep it in a chat or a note: a person a line, name and address, without a row
that names columns."""

from __future__ import annotations

import re

from engine.text.csv_table import MOST_ROWS, TOO_MANY, CellError, TableRow

_ADDRESS = re.compile(r"[^\s,，;；、|<>＜＞()（）:：@]+@[^\s,，;；、|<>＜＞()（）:：@]+")
_BETWEEN = re.compile(r"[\t,，;；、|<>＜＞()（）:：]+|\s{2,}")
_COUNTED = re.compile(r"^\s*\d{1,4}\s*[.．、)）]\s*")


def is_name_list(text: str) -> bool:
    """Somebody's address already in the first line: then it names no columns."""
    return bool(_ADDRESS.search(next((line for line in text.splitlines() if line.strip()), "")))


def read_name_list(text: str) -> tuple[TableRow, ...]:
    """``name``, ``email`` and ``city`` of each line, in whatever order the address stands; a card
    "city+name" is both.

    A line without an address keeps its words as the name, so that the list can say what is missing
    there. Raises Fault.
    """
    lines = [
        (number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()
    ]
    if len(lines) > MOST_ROWS:
        raise CellError(TOO_MANY, rows=len(lines), most=MOST_ROWS)
    return tuple(_row(number, _COUNTED.sub("", line, count=1)) for number, line in lines)


def _row(number: int, line: str) -> TableRow:
    found = _ADDRESS.search(line)
    around = (line[: found.start()], line[found.end() :]) if found else (line,)
    words = [word.strip(" \"'") for part in around for word in _BETWEEN.split(part)]
    name, city, *spare = [*(word for word in words if word), "", ""]
    if not city and name.count("+") == 1:
        city, name = (part.strip() for part in name.split("+"))
    return TableRow(
        number, {"name": name, "email": found[0] if found else "", "city": city}, any(spare)
    )
