"""A reader of exported spreadsheets: rows of named cells.

Reads each encoding and separator that Excel and WPS write.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engine.text.i18n import marked as _

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 5000
MOST_COLUMNS, LONGEST_HEADER = 100, 200
# So much of the first row tells which separator it has.
_LOOKED_AT = 10_000
TOO_LARGE = _("This is larger than 2 MB, more than can be read at once. Please split it")
TOO_MANY = _("The table has %(rows)s rows; at most %(most)s can be read at once. Please split it")
TOO_WIDE = _(
    "The first row has %(columns)s columns; at most %(most)s can be read. Is it the "
    "row that names the columns?"
)
BROKEN_OFF = _(
    "From row %(row)s on it cannot be read: look for a quotation mark that is not closed"
)
_SEPARATORS = (",", ";", "\t", "，", "；")
_NAMED_SEPARATORS = (*_SEPARATORS, "|", ":")
_SEPARATOR_LINE = re.compile(
    r"sep=(.)\r?\n", re.IGNORECASE
)  # Excel's own first line; it is no row.
_BETWEEN_WORDS = re.compile(r"[/|()\[\]*:]")


class CellError(ValueError):
    """An error in a file, a row or a cell: a msgid of the catalogue and its values."""

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text % values if values else text)
        self.text, self.values = text, values


@dataclass(frozen=True)
class TableRow:
    """A row of named cells.

    ``number``: as a spreadsheet counts; an empty row counts, though it is left out. ``cells``:
    column to text. ``spare``: True if a cell to the right of the last column is filled.
    """

    number: int
    cells: Mapping[str, str]
    spare: bool


@dataclass(frozen=True)
class Table:
    """The rows of a file. ``unknown``: headers of columns that were not asked for."""

    rows: tuple[TableRow, ...]
    unknown: tuple[str, ...]


def read_table(
    source: bytes | str, columns: Mapping[str, tuple[str, ...]], *, required: Mapping[str, str]
) -> Table:
    """Return the rows below the header.

    ``columns``: a column's name and its accepted headers (folded); ``required``: the columns that
    must be present, and their names for people.

    Raises: CellError if the file cannot be used at all.
    """
    text = read_text(source)
    headers = {header: column for column, names in columns.items() for header in names}
    lines = _records(text, _separator(text, headers))
    first = next((cells for _number, cells in lines if any(cells)), [])
    named = [_column(cell, headers) for cell in first[:MOST_COLUMNS]]
    _check_header(first, named, required)
    filled = ((number, cells) for number, cells in lines if any(cells))
    rows = [_row(number, cells, named) for number, cells in islice(filled, MOST_ROWS)]
    more = sum(1 for _row_beyond in filled)
    if more:
        raise CellError(TOO_MANY, rows=len(rows) + more, most=MOST_ROWS)
    return Table(
        tuple(rows),
        tuple(
            cell[:80] for cell, column in zip(first, named, strict=True) if cell and column is None
        ),
    )


def read_text(source: bytes | str) -> str:
    """Decode the text of a file: UTF-8 if it is valid, else GB18030.

    Of pasted text only the size is checked.

    Raises: CellError.
    """
    text = source if isinstance(source, str) else _decode(source)
    text = text.replace("\r\n", "\n").removeprefix(
        "\ufeff"
    )  # A browser sends two characters for each line end.
    if len(text) > MOST_BYTES:
        raise CellError(TOO_LARGE)
    if not text.strip():
        raise CellError(_("There is nothing in it"))
    return text


def fold(text: str) -> str:
    """Fold a word for comparison: case, blanks and full-width forms."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _decode(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise CellError(TOO_LARGE)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CellError(
            _(
                "This is a workbook. Please save it as CSV in the spreadsheet "
                "program, or paste its cells"
            )
        )
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's "Unicode text"
    for encoding in ("utf-16",) if utf16 else ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CellError(
        _(
            "The characters cannot be read: they are neither UTF-8 nor GBK. Please "
            "save the file as CSV UTF-8"
        )
    )


def _separator(text: str, headers: Mapping[str, str]) -> str:
    """Return the separator that the file names, or that splits the first row most."""
    named = _SEPARATOR_LINE.match(text)
    if named and named[1] in _NAMED_SEPARATORS:
        return named[1]
    lines = text.splitlines()
    return max(_SEPARATORS, key=lambda separator: _found(lines, separator, headers))


def _found(lines: list[str], separator: str, headers: Mapping[str, str]) -> int:
    first = next((line for line in lines if line.strip(separator + "\t ")), "")[:_LOOKED_AT]
    try:
        cells = next(csv.reader([first], delimiter=separator), [])
    except csv.Error:
        return 0
    return len({_column(cell, headers) for cell in cells[:MOST_COLUMNS]} - {None})


def _column(cell: str, headers: Mapping[str, str]) -> str | None:
    """Return the column of a header: of "姓名（必填）" and "name/姓名" as well as "name"."""
    if len(cell) > LONGEST_HEADER:
        return None
    return next(
        (headers[word] for word in _BETWEEN_WORDS.split(fold(cell)) if word in headers), None
    )


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Return each record with its number, which is not its line: cells may hold line ends."""
    text = _SEPARATOR_LINE.sub("", text, count=1) if _SEPARATOR_LINE.match(text) else text
    number = 0
    try:
        # Without strict, a quotation mark that is never closed silently swallows the remaining
        # file.
        for number, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start=1
        ):
            yield number, [cell.strip() for cell in cells]
    except csv.Error:
        raise CellError(BROKEN_OFF, row=number + 1) from None


def _check_header(first: list[str], named: list[str | None], required: Mapping[str, str]) -> None:
    if len(first) > MOST_COLUMNS:
        raise CellError(TOO_WIDE, columns=len(first), most=MOST_COLUMNS)
    missing = [label for column, label in required.items() if column not in named]
    if missing:
        raise CellError(
            _("The first row has to name the columns; missing: %(missing)s. It says: %(found)s"),
            missing=", ".join(missing),
            found=", ".join(cell[:80] for cell in first)[:200],
        )
    for cell, column in zip(first, named, strict=True):
        if column and named.count(column) > 1:
            raise CellError(_("The column %(column)s is there twice"), column=cell)


def _row(number: int, cells: list[str], named: list[str | None]) -> TableRow:
    known = {column: cell for column, cell in zip(named, cells, strict=False) if column}
    return TableRow(number, known, any(cells[len(named) :]))
