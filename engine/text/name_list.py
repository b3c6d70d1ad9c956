"""A list from a chat or a note: one person a line, name and address, no header."""

from __future__ import annotations

import re
from itertools import pairwise

from engine.text.csv_table import MOST_ROWS, TOO_MANY, CellError, TableRow
from engine.text.i18n import marked as _

LONGEST_LINE = 1_000
LINE_TOO_LONG = _(
    "Line %(row)s is longer than %(most)s characters; please put one person on a line"
)
_WORD = re.compile(r"[^\s,，;；、|<>＜＞()（）:：]+")
_BETWEEN = re.compile(r"[\t,，;；、|<>＜＞()（）:：]+|\s{2,}")
_COUNTED = re.compile(r"^\s*\d{1,4}\s*[.．、)）]\s*")


def is_name_list(text: str) -> bool:
    """True if the first line already holds an address, so that it is no header."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _address_in(first) is not None


def read_name_list(text: str) -> tuple[TableRow, ...]:
    """Return ``name``, ``email`` and ``city`` of each line, in either order.

    A card "city+name" gives both. A line without an address keeps its words as the name, so that
    the error can quote it.

    Raises: CellError.
    """
    lines = [
        (number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()
    ]
    if len(lines) > MOST_ROWS:
        raise CellError(TOO_MANY, rows=len(lines), most=MOST_ROWS)
    for number, line in lines:
        if len(line) > LONGEST_LINE:
            raise CellError(LINE_TOO_LONG, row=number, most=LONGEST_LINE)
    return tuple(_row(number, _COUNTED.sub("", line, count=1)) for number, line in lines)


def _row(number: int, line: str) -> TableRow:
    found = _address_in(line)
    around = (line[: found[0]], line[found[1] :]) if found else (line,)
    words = [word.strip(" \"'") for part in around for word in _BETWEEN.split(part)]
    name, city, *spare = [*(word for word in words if word), "", ""]
    if not city and name.count("+") == 1:
        city, name = (part.strip() for part in name.split("+"))
    return TableRow(
        number,
        {"name": name, "email": line[slice(*found)] if found else "", "city": city},
        any(spare),
    )


def _address_in(line: str) -> tuple[int, int] | None:
    """Return start and end of the first address, in one pass.

    A pattern that looks for the sign between two words is quadratic.
    """
    for word in _WORD.finditer(line):
        start = word.start()
        for before, after in pairwise(word[0].split("@")):
            if before and after:
                return start, start + len(before) + 1 + len(after)
            start += len(before) + 1
    return None
