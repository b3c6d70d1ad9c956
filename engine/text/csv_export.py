"""CSV for spreadsheet programs: UTF-8 with its mark, and no cell that counts as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# Programs set up for Chinese also read the full-width signs as formulas.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def spreadsheet(rows: Iterable[Sequence[str]]) -> bytes:
    """Write CSV (RFC 4180), with an apostrophe before a cell that begins like a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([[safe(cell) for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
