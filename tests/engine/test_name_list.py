"""A list as it is pasted from a chat: a person a line."""

from __future__ import annotations

import pytest

from engine.text.csv_table import MOST_ROWS, CellError
from engine.text.name_list import is_name_list, read_name_list


@pytest.mark.parametrize(
    ("line", "name", "city"),
    [
        ("李雷 lilei@qq.com", "李雷", ""),
        ("李雷，lilei@qq.com，武汉", "李雷", "武汉"),
        ("李雷\tlilei@qq.com\t武汉", "李雷", "武汉"),
        ("lilei@qq.com 李雷", "李雷", ""),
        ("李雷 <lilei@qq.com>; 武汉", "李雷", "武汉"),
        ("1、李雷：lilei@qq.com", "李雷", ""),
        (" 2. Li Lei (lilei@qq.com), New York", "Li Lei", "New York"),
        ("武汉+李雷 lilei@qq.com", "李雷", "武汉"),
    ],
)
def test_a_line_is_read_as_people_write_it(line: str, name: str, city: str) -> None:
    [row] = read_name_list(line)
    assert is_name_list(line)
    assert (row.number, dict(row.cells), row.spare) == (
        1,
        {"name": name, "email": "lilei@qq.com", "city": city},
        False,
    )


def test_lines_keep_their_numbers_and_show_what_is_missing_or_too_much() -> None:
    rows = read_name_list("李雷 lilei@qq.com\n\n王五\n韩梅梅,hanmm@163.com,荆州,2026-03-01\n")
    assert [(row.number, row.cells["name"], row.cells["email"], row.spare) for row in rows] == [
        (1, "李雷", "lilei@qq.com", False),
        (3, "王五", "", False),
        (4, "韩梅梅", "hanmm@163.com", True),
    ]


@pytest.mark.parametrize("text", ["姓名,邮箱\n李雷,lilei@qq.com", "name\temail\n", "名单", ""])
def test_a_table_with_named_columns_is_none(text: str) -> None:
    assert not is_name_list(text)


def test_more_lines_than_can_be_read_are_refused() -> None:
    with pytest.raises(CellError):
        read_name_list("李雷 lilei@qq.com\n" * (MOST_ROWS + 1))
