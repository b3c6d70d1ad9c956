"""Texts that make careless code slow, each as long as a long text may be."""

from __future__ import annotations

from collections.abc import Callable

MOST = 1024 * 1024  # bytes of UTF-8


def _filled(pattern: str) -> Callable[[int], str]:
    def made(size: int) -> str:
        return pattern * (size // len(pattern.encode()))

    return made


def _around(pattern: str) -> Callable[[int], str]:
    """Something visible on both sides, so that no strip takes the middle away."""
    fill = _filled(pattern)
    return lambda size: "a" + fill(size - 2) + "a"


SHAPES: dict[str, Callable[[int], str]] = {
    "spaces": _around(" "),
    "line ends": _around("\n"),
    "dots": _filled("."),
    "combining marks": _around(
        "\u0301\u0327"
    ),  # of two classes in turn: putting them in order is quadratic
    "eighteen in one": _filled("\ufdfa"),
    "one long word": _filled("a"),
    "pairs": _filled("a。b。"),
    "at signs": _filled("@"),
    "ampersands": _filled("&"),
    "digits": _filled("1"),
    "commas": _filled("a,"),
    "quotation marks": _filled('"'),
    "blanks and line ends": _around(" \n"),
    "right to left": _filled("א"),
    "links": _filled("http://a "),
    "signs of per cent": _filled("%"),
}


def text_of(shape: str, size: int = MOST) -> str:
    return SHAPES[shape](size)
