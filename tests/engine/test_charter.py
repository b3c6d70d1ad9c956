"""A charter is data: it reads back equal, and what cannot hold is named by its key."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.charter.loading import load_charter
from engine.charter.model import (
    KINDS,
    Charter,
    CharterError,
    Numbers,
    charter,
    read_charter,
    shipped_charter,
)
from engine.text.i18n import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shipped_charter_reads_back_equal_through_its_plain_form_and_json(language: str) -> None:
    found = shipped_charter(language)
    assert Charter.parse(json.loads(json.dumps(found.plain()))) == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shipped_charter_writes_every_number_out_with_the_default(language: str) -> None:
    found = shipped_charter(language)
    assert found.numbers == Numbers()
    assert set(found.plain()["numbers"]) == set(KINDS)
    assert found.purpose and found.group


def test_the_shipped_charters_have_the_same_clauses() -> None:
    assert [clause.number for clause in shipped_charter("zh-CN").clauses] == [
        clause.number for clause in shipped_charter("en").clauses
    ]


def test_every_number_rests_on_a_clause_that_the_shipped_charter_has() -> None:
    clauses = {clause.number for clause in shipped_charter("en").clauses}
    assert {field.metadata["clause"] for field in Numbers.__dataclass_fields__.values()} <= clauses


def test_an_empty_charter_has_the_defaults() -> None:
    shipped = shipped_charter("en")
    assert Charter.parse({}) == Charter(
        "", "", "", shipped.deputies, shipped.in_daily_letter, (), Numbers()
    )


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("plan_days", 10, 10),
        ("second_chances", 0, 0),
        ("remind_before", "2 days", timedelta(days=2)),
        ("remind_before", "1 hour", timedelta(hours=1)),
        ("remind_before", "90 minutes", timedelta(minutes=90)),
        ("quorum", "0.5", Fraction(1, 2)),
        ("quorum", 1, Fraction(1)),
        ("quiet_from", "23:00", time(23)),
    ],
)
def test_a_number_is_read_and_written_back(key: str, written: Any, value: Any) -> None:
    found = Charter.parse({"numbers": {key: written}})
    assert getattr(found.numbers, key) == value
    assert Charter.parse(found.plain()) == found


WRONG = [
    ("plan_days", 0),
    ("plan_days", -1),
    ("plan_days", 367),
    ("plan_days", "3"),
    ("plan_days", 3.0),
    ("plan_days", True),
    ("plan_days", None),
    ("plan_days", [3]),
    ("second_chances", -1),
    ("second_chances", 1001),
    ("undo_hours", 721),
    ("topic_votes", 0),
    ("shelf_size", 51),
    ("remind_before", "0 days"),
    ("remind_before", "1day"),
    ("remind_before", 3),
    ("remind_before", "1 week"),
    ("remind_before", "-1 day"),
    ("quorum", "0"),
    ("quorum", "4/3"),
    ("quorum", "1/0"),
    ("quorum", "a third"),
    ("quorum", None),
    ("quorum", "nan"),
    ("quiet_from", "24:00"),
    ("quiet_from", "8 o'clock"),
    ("quiet_from", 8),
    ("quiet_from", "22:45+08:00"),
    ("quiet_from", "22:45:30"),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_number_is_refused_with_its_key_and_what_it_takes(key: str, value: Any) -> None:
    with pytest.raises(CharterError) as wrong:
        Charter.parse({"numbers": {key: value}})
    assert str(wrong.value) == f"numbers.{key}: takes {KINDS[key].takes}, not {value!r}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"Numbers": {}}, "Numbers: there is no such key in a charter"),
        ({"numbers": {"plan_dayz": 3}}, "numbers.plan_dayz: there is no such number in a charter"),
        ({"numbers": 3}, "numbers: takes a [numbers] table"),
        ({"purpose": 3}, "purpose: takes a text"),
        ({"clauses": "2.1"}, "clauses: takes a list of [[clauses]] tables"),
        ({"clauses": [{"number": "2.1"}]}, "clauses: each takes a number and a text"),
        ({"clauses": ["2.1"]}, "clauses: each takes a number and a text"),
    ],
)
def test_what_is_no_charter_is_refused_with_the_key(data: dict[str, Any], said: str) -> None:
    with pytest.raises(CharterError) as wrong:
        Charter.parse(data)
    assert str(wrong.value) == said


def test_a_file_that_cannot_be_read_or_is_no_toml_is_named(tmp_path: Path) -> None:
    broken, latin = tmp_path / "broken.toml", tmp_path / "latin.toml"
    broken.write_text("purpose = ")
    latin.write_bytes(b'purpose = "\xff"')
    for path, word in (
        (tmp_path / "none.toml", "cannot be read (FileNotFoundError)"),
        (broken, "is not TOML"),
        (latin, "cannot be read (UnicodeDecodeError)"),
    ):
        with pytest.raises(CharterError) as wrong:
            read_charter(path)
        assert str(wrong.value).startswith(f"{path}: {word}")


def test_what_a_file_leaves_out_stays_and_a_number_may_stand_outside_its_table(
    tmp_path: Path,
) -> None:
    base, file = shipped_charter("en"), tmp_path / "charter.toml"
    file.write_text('plan_days = 5\ncontact = "post@club.example"\n[numbers]\nvote_days = 4\n')
    changed = replace(
        base, contact="post@club.example", numbers=replace(base.numbers, plan_days=5, vote_days=4)
    )
    assert read_charter(file, base) == changed
    file.write_text("")
    assert (read_charter(file, changed), read_charter(file)) == (changed, Charter.parse({}))


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "charter.toml"
    path.write_bytes(b"\xef\xbb\xbf" + 'purpose = "读书"'.encode())
    assert read_charter(path).purpose == "读书"


def test_a_declaration_can_only_name_numbers_that_exist() -> None:
    assert charter.plan_days.of(Numbers()) == 3
    with pytest.raises(AttributeError, match="the charter has no number named plan_dayz"):
        _ = charter.plan_dayz


def test_a_charter_that_another_version_stored_stops_nobody() -> None:
    """After an update, or one taken back: numbers come and go, and a row keeps what was written
    then."""
    plain = Charter.parse({"numbers": {"plan_days": 5}}).plain()
    foreign = plain | {"numbers": plain["numbers"] | {"extend_days": 3}, "motto": "read"}
    assert load_charter(foreign, "en") == Charter.parse(plain)
    older = plain | {"numbers": plain["numbers"] | {"week_opens": "08:00"}}
    assert load_charter(older, "en") == replace(Charter.parse(plain), damaged=("week_opens",))
