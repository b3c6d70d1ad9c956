"""Exported spreadsheets of any program are read."""

from __future__ import annotations

import codecs

import pytest

from engine.text.csv_table import MOST_BYTES, MOST_ROWS, CellError, Table, TableRow, read_table

COLUMNS = {"name": ("name", "姓名"), "email": ("email", "邮箱"), "city": ("city", "城市")}
REQUIRED = {"name": "name (姓名)", "email": "email (邮箱)"}
CHINESE = "姓名,邮箱\n𠮷野,jiye@qq.com\n"


def read(source: bytes | str) -> Table:
    return read_table(source, COLUMNS, required=REQUIRED)


def cells(source: bytes | str) -> list[dict[str, str]]:
    return [dict(row.cells) for row in read(source).rows]


@pytest.mark.parametrize(
    "source",
    [
        CHINESE,
        "\ufeff" + CHINESE,
        CHINESE.encode(),
        codecs.BOM_UTF8 + CHINESE.encode(),
        CHINESE.encode("gb18030"),
        CHINESE.replace(",", "\t").encode("utf-16"),  # Excel's "Unicode text"
        CHINESE.replace(",", ";"),
        CHINESE.replace(",", "\t"),
        CHINESE.replace(",", "，"),
        CHINESE.replace("\n", "\r\n"),
        CHINESE.replace("\n", "\r"),
        CHINESE.removesuffix("\n"),
        "sep=;\r\n" + CHINESE.replace(",", ";"),
        '"姓名","邮箱"\n"𠮷野","jiye@qq.com"\n',
    ],
)
def test_one_table_in_every_encoding_and_with_every_separator(source: bytes | str) -> None:
    assert cells(source) == [{"name": "𠮷野", "email": "jiye@qq.com"}]


def test_gbk_is_read_as_gbk() -> None:
    assert cells("姓名,邮箱\n韩梅梅,hanmeimei@163.com\n".encode("gbk")) == [
        {"name": "韩梅梅", "email": "hanmeimei@163.com"}
    ]


@pytest.mark.parametrize(
    "header",
    [
        "姓名,邮箱",
        " Name , E MAIL ",
        "ＮＡＭＥ,ｅｍａｉｌ",
        "NAME,Email",
        "姓 名,邮　箱",
        "name/姓名,email/邮箱",
        "姓名（必填）,*邮箱：",
        "姓名 (Name),邮箱 [Email]",
    ],
)
def test_headers_are_forgiving_in_case_blanks_and_width(header: str) -> None:
    assert cells(f"{header}\n李雷,lilei@qq.com") == [{"name": "李雷", "email": "lilei@qq.com"}]


def test_columns_stand_in_any_order_and_unknown_ones_are_named() -> None:
    table = read("备注,邮箱,QQ 号,姓名,\n旧人,lilei@qq.com,10001,李雷,\n")
    assert table.unknown == ("备注", "QQ 号")
    assert table.rows == (TableRow(2, {"email": "lilei@qq.com", "name": "李雷"}, spare=False),)


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    table = read('\n姓名,邮箱\n"李\n雷",a@qq.com\n,\n\n韩梅梅,b@qq.com,多\n')
    assert [(row.number, row.cells["name"], row.spare) for row in table.rows] == [
        (3, "李\n雷", False),
        (6, "韩梅梅", True),
    ]


def test_a_row_that_ends_early_has_empty_cells() -> None:
    assert cells("姓名,邮箱,城市\n李雷,a@qq.com\n") == [{"name": "李雷", "email": "a@qq.com"}]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "There is nothing in it"),
        (" \n\n", "There is nothing in it"),
        (
            b"PK\x03\x04rest",
            "This is a workbook. Please save it as CSV in the spreadsheet program, or paste its cells",
        ),
        (
            b"\xd0\xcf\x11\xe0rest",
            "This is a workbook. Please save it as CSV in the spreadsheet program, or paste its cells",
        ),
        (
            b"name,email\n\xff\xfe\xff",
            "The characters cannot be read: they are neither UTF-8 nor GBK. Please save the file as CSV UTF-8",
        ),
        (
            "姓名,电话\n李雷,1",
            "The first row has to name the columns; missing: email (邮箱). It says: 姓名, 电话",
        ),
        (
            "李雷,a@qq.com\n",
            "The first row has to name the columns; missing: name (姓名), email (邮箱). It says: 李雷, a@qq.com",
        ),
        ("name,email,姓名\n", "The column name is there twice"),
        (
            'name,email\nA,a@qq.com\n"B,b@qq.com\nC,c@qq.com\n',
            "From row 3 on it cannot be read: look for a quotation mark that is not closed",
        ),
        (
            b"n" * (MOST_BYTES + 1),
            "This is larger than 2 MB, more than can be read at once. Please split it",
        ),
        (
            "n" * (MOST_BYTES + 1),
            "This is larger than 2 MB, more than can be read at once. Please split it",
        ),
        (
            "name,email\n" + "A,a@qq.com\n" * (MOST_ROWS + 1),
            "The table has 5001 rows; at most 5000 can be read at once. Please split it",
        ),
    ],
)
def test_what_cannot_be_used_says_why(source: bytes | str, says: str) -> None:
    with pytest.raises(CellError) as wrong:
        read(source)
    assert str(wrong.value) == says


def test_the_largest_table_is_read() -> None:
    assert len(read("name,email\n" + "A,a@qq.com\n" * MOST_ROWS).rows) == MOST_ROWS


def test_a_file_that_was_small_enough_is_so_when_a_browser_sends_its_text_back() -> None:
    lines = "name,email\n" + "\n" * (MOST_BYTES - len("name,email\n"))
    assert read(lines.encode()) == read(lines.replace("\n", "\r\n")) == Table((), ())
