"""What changed between two texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.text_diff import Piece, changed_answers, changes

TEXTS = st.lists(
    st.sampled_from(
        ["我想读书。", "每天早上。", "Why? ", "No!\n", "\n", "1.5 books", "。。。", "𠮷", " "]
    ),
    max_size=12,
).map("".join) | st.text(max_size=60)


@given(TEXTS, TEXTS)
def test_same_and_new_give_the_new_text_same_and_gone_the_old(old: str, new: str) -> None:
    pieces = changes(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert all(piece.text for piece in pieces if piece.kind != "same")


@given(TEXTS)
def test_nothing_changed_is_one_piece_or_none(text: str) -> None:
    assert changes(text, text) == ([Piece("same", text)] if text else [])


def test_a_changed_sentence_is_told_apart_from_its_neighbours() -> None:
    assert changes("早上读。晚上写。周末休息。", "早上读。中午写。周末休息。") == [
        Piece("same", "早上读。"),
        Piece("gone", "晚上写。"),
        Piece("new", "中午写。"),
        Piece("same", "周末休息。"),
    ]


def test_b15_what_is_appended_leaves_the_sentence_before_it_as_it_was() -> None:
    old = "每天早上读一小时。每周写一篇笔记。"
    assert changes(old, old + "\n\n周末和韩梅梅讨论。") == [
        Piece("same", old),
        Piece("new", "\n\n周末和韩梅梅讨论。"),
    ]
    assert changes("One. Two.", "One. Two. Three.") == [
        Piece("same", "One. Two."),
        Piece("new", " Three."),
    ]
    assert changes("Two.", "One. Two.") == [Piece("new", "One. "), Piece("same", "Two.")]
    assert [
        piece.text for piece in changes("一。\n二。", "一。\n中。\n二。") if piece.kind != "same"
    ] == ["中。\n"]


def test_one_sentence_more_in_a_very_long_text_is_all_that_shows() -> None:
    assert changes("句。" * 2001, "句。" * 2000) == [
        Piece("same", "句。" * 2000),
        Piece("gone", "句。"),
    ]


PAIRS = [
    ("a。b。" * 500, "a。" * 1000),
    ("a。b。" * 1200, "b。a。" * 1200),
    ("a。b。c。" * 800, "c。b。a。" * 800),
    ("a。" * 2000 + "b。" * 2000, "b。" * 2000 + "a。" * 2000),
    ("a。b。" * 2500, "a。a。b。b。" * 1250),
    ("".join(f"{n}。" for n in range(5000)), "".join(f"{n}。" for n in reversed(range(5000)))),
    ("a。" * 60 + "x。" + "a。" * 4900, "a。" * 4900 + "x。" + "a。" * 60),
    ("." * 2**20, "。" * 2**20),
    (" \n" * 2**19, "\n " * 2**19),
]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_c3_no_two_texts_take_long_to_compare(old: str, new: str) -> None:
    began = time.process_time()
    pieces = changes(old, new)
    assert time.process_time() - began < 0.5
    assert not pieces or "".join(piece.text for piece in pieces if piece.kind != "gone") == new


def test_c3_where_too_much_has_changed_nothing_is_shown() -> None:
    assert changes("a。b。" * 500, "c。d。" * 500) == []
    assert changed_answers({"plan": "a。" * 500}, {"plan": "c。" * 500}) == {"plan": []}


def test_only_the_fields_whose_text_changed_are_named() -> None:
    found = changed_answers(
        {"goals": "一。", "plan": "二。"}, {"goals": "一。", "plan": "三。", "more": "四。"}
    )
    assert found == {
        "plan": [Piece("gone", "二。"), Piece("new", "三。")],
        "more": [Piece("new", "四。")],
    }


def test_a_tick_is_no_text() -> None:
    assert changed_answers({"share": True, "plan": "一。"}, {"share": False, "plan": "一。"}) == {}
