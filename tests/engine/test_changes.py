"""What changed between two texts."""

from __future__ import annotations

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


def test_a_very_long_text_is_shown_whole_as_old_and_new() -> None:
    old, new = "句。" * 2001, "句。" * 2000
    assert changes(old, new) == [Piece("gone", old), Piece("new", new)]


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
