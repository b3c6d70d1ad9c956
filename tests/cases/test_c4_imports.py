"""Nothing that is given to the import of members costs more than a moment or breaks it (case C4)."""

from __future__ import annotations

import time

import pytest

from engine.setup.member_import import Roster, read_roster
from engine.storage.models import Club
from engine.text.csv_table import CellError
from tests.cases.shapes import SHAPES, text_of
from tests.club import MONDAY

CLUB = Club(id=1, slug="club", name="Club", zone="Asia/Shanghai", locale="zh-CN", charter={})
MOST = 2 * 1024 * 1024 - 100
HEAD = "name,email\n"
TABLES: dict[str, str | bytes] = {
    "one line without an address": "x" * 80_000,
    "one line of signs": "@" * MOST,
    "many columns": ",".join(f"c{number}" for number in range(200_000)),
    "many columns with names": "name,email" + ",x" * 900_000,
    "the same column": ",".join(["name"] * 300_000),
    "a long header": "name,email," + "x" * MOST,
    "a header that unfolds": "name,email," + "\ufdfa" * (MOST // 3),
    "a header of marks": "name,email,a" + "\u0301\u0327" * (MOST // 4),
    "a header of words": "name,email," + "a/" * (MOST // 2),
    "rows without end": HEAD + "\n" * (MOST - 20),
    "rows of one letter": HEAD + "a\n" * (MOST // 2 - 20),
    "rows of commas": HEAD + "," * (MOST - 20),
    "quotation marks": HEAD + '"' * (MOST - 20),
    "quotation marks and commas": HEAD + '"",' * (MOST // 3 - 20),
    "an open quotation mark": HEAD + '"' + "a\n" * (MOST // 2 - 20),
    "a cell of marks": HEAD + "a" + "\u0301\u0327" * (MOST // 4 - 20) + ",a@qq.com\n",
    "an address that unfolds": HEAD + "a," + "\ufdfa" * (MOST // 3 - 20) + "\n",
    "addresses that unfold": HEAD + ("a," + "\ufdfa" * 100 + "@qq.com\n") * 5_000,
    "a long domain": HEAD + "a,a@" + "a." * (MOST // 2 - 20) + "\n",
    "domains beyond ASCII": HEAD + ("a,a@" + "中." * 90 + "cn\n") * 4_990,
    "five thousand people": HEAD + "".join(f"a,a{number}@qq.com\n" for number in range(5_000)),
    "numbered lines": "1. a a@qq.com\n" * 5_000 + " " * 900_000,
    "lines of blanks": "a a@qq.com\n" + (" " * 999 + "\n") * 2_000,
    "sep of nothing": "sep=",
    "sep of a quotation mark": 'sep="\n' + HEAD + "a,a@qq.com\n",
    "sep of a line end": "sep=\r\r\n" + HEAD + "a,a@qq.com\n",
    "sep of a letter": "sep=a\n" + HEAD + "a,a@qq.com\n",
    "sep of a blank": "sep= \n" + HEAD + "a,a@qq.com\n",
    "bytes of no encoding": b"\xff" * MOST,
    "bytes of GB18030": b"name,email\n" + b"\x81\x30" * (MOST // 2),
    "half a BOM": b"\xff\xfe" + b"a" * MOST,
    "bytes of nothing": b"\0" * MOST,
}


def read(source: str | bytes) -> Roster | CellError:
    try:
        return read_roster(source, CLUB, MONDAY)
    except CellError as fault:
        return fault


@pytest.mark.parametrize("name", TABLES)
def test_c4_no_table_costs_more_than_two_seconds(name: str) -> None:
    began = time.process_time()
    found = read(TABLES[name])
    assert time.process_time() - began < 2
    assert len(str(found if isinstance(found, CellError) else found.ignored)) < 20_000, (
        "what is refused is not told at length"
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "place",
    [
        "{}",
        "name,email\n{},a@qq.com\n",
        "name,email,{}\na,b@qq.com,c\n",
        "sep={}\nname,email\n",
        "a@qq.com {}",
    ],
)
def test_c4_no_shape_in_any_place_costs_more_than_a_second(place: str, shape: str) -> None:
    began = time.process_time()
    read(place.format(text_of(shape)))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "a" * 2_000 + " a@qq.com",
            "Line 1 is longer than 1000 characters; please put one person on a line",
        ),
        (
            "name,email" + ",x" * 99,
            "The first row has 101 columns; at most 100 can be read. Is it the row that names the columns?",
        ),
    ],
)
def test_c4_too_much_of_something_is_one_clear_refusal(source: str, says: str) -> None:
    found = read(source)
    assert isinstance(found, CellError) and str(found) == says


@pytest.mark.parametrize("named", ["", "sep=;\n", 'sep="\n', "sep=x\n"])
def test_c4_a_separator_that_cannot_be_is_looked_for(named: str) -> None:
    separator = ";" if named == "sep=;\n" else ","
    found = read(named + f"name{separator}email\n李雷{separator}a@qq.com\n")
    assert isinstance(found, Roster) and [
        (entry.name, entry.address) for entry in found.entries
    ] == [("李雷", "a@qq.com")]


def test_c4_a_bad_cell_costs_its_row_and_no_other() -> None:
    found = read("name,email\n" + "长" * 5_000 + ",a@qq.com\n李雷,b@qq.com\n")
    assert isinstance(found, Roster)
    assert ([entry.name for entry in found.entries], [len(bad.who) for bad in found.bad]) == (
        ["李雷"],
        [80],
    )
