"""Tables for spreadsheet programs: UTF-8 with its mark, and no cell that a program would take for a
formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# Programs set up for Chinese take the full-width signs for formulas, too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV (RFC 4180). A cell that begins like a formula gets an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text).writerows([[safe(cell) for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
