"""docs/privacy.md names every table, and how long its rows are kept."""

from __future__ import annotations

import re
from pathlib import Path

from engine.cases.drafts import KEPT
from engine.cases.erasure import BYTES_KEPT
from engine.cases.member_links import BROWSER_KEPT
from engine.storage.models import Row

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "privacy.md").read_text()


def test_every_table_stands_in_the_page_on_privacy() -> None:
    written = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert sorted(written) == sorted(table.name for table in Row.metadata.sorted_tables), (
        "say in docs/privacy.md what it keeps"
    )


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"`BYTES_KEPT` = {BYTES_KEPT.days} days" in TEXT
    assert f"`KEPT` = {KEPT.days} days" in TEXT
    assert f"| {BROWSER_KEPT.days} days after it was last used" in TEXT
