"""Every letter, as its recipient gets it, pinned as a file.

Subject and text part, links as <link>. GOLDEN=write rewrites the files; then read the difference as
its recipient would.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.declare.registry import all_workflows
from engine.declare.validation import letters
from engine.text.i18n import LANGUAGES, TEMPLATES
from engine.text.text_diff import changes
from mailers.letters.compose import _blocks
from mailers.letters.document import Document
from tests.club import House
from tests.databases import Databases
from tests.mail import text_of
from tests.mailers import (
    golden_club,
    golden_handover,
    golden_join,
    golden_membership,
    golden_nomination,
    golden_own_page,
    golden_reflection,
    golden_study_plan,
)

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LINK = re.compile(r"https://club\.example/\S*")


STORIES = (
    golden_club.STORIES
    | golden_join.STORIES
    | golden_study_plan.STORIES
    | golden_reflection.STORIES
    | golden_nomination.STORIES
    | golden_membership.STORIES
    | golden_handover.STORIES
    | golden_own_page.STORIES
)


class English(House):
    """The same stories, told by people who read English."""

    def apply(self, *args: Any, **given: Any) -> None:
        super().apply(*args, **{"locale": "en"} | given)

    def add(self, *args: Any, **given: Any) -> int:
        return super().add(*args, **{"locale": "en"} | given)


@pytest.fixture
def spoken(template: Databases) -> Iterator[Callable[[str], House]]:
    houses: list[House] = []

    def begin(language: str) -> House:
        kind, name = (
            (House, "九牛读书会") if language == "zh-CN" else (English, "Jiuniu Reading Club")
        )
        houses.append(kind(template, locale=language, name=name))
        return houses[-1]

    yield begin
    for house in houses:
        house.end()


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", STORIES)
def test_a_letter_reads_as_it_was_read_last(
    letter: str, language: str, spoken: Callable[[str], House]
) -> None:
    story, reader = STORIES[letter]
    house = spoken(language)
    story(house)
    house.now += (
        timedelta(hours=9)
        if house.letters(letter.partition("+")[0])[-1].next_at > house.now
        else timedelta()
    )
    house.deliver()
    mail = house.mail(letter.partition("+")[0], reader)
    compare(f"{letter}.{language}.txt", f"{mail['Subject']}\n\n{LINK.sub('<link>', text_of(mail))}")


def test_every_letter_of_every_workflow_is_pinned() -> None:
    wanted = {f"{flow.key}.{letter}" for flow in all_workflows() for letter in letters(flow)}
    assert sorted(wanted - {letter.partition("+")[0] for letter in STORIES}) == [], (
        "tell in STORIES how it comes to this letter"
    )


def test_every_template_is_pinned() -> None:
    pinned = {letter.partition("+")[0].partition(".")[2] for letter in STORIES}
    written = {path.name.partition(".")[0] for path in TEMPLATES.glob("mail/*/[a-z]*.jinja")}
    assert sorted(written - pinned) == []


def test_no_golden_file_is_left_over() -> None:
    wanted = {f"{letter}.{language}.txt" for letter in STORIES for language in LANGUAGES} | {
        f"block.{kind}.html" for kind in BLOCKS
    }
    assert sorted({path.name for path in GOLDEN.iterdir()} - wanted) == [], (
        "these are nobody's: delete them"
    )


# One HTML file for each kind of block


def _changed(sheet: Document) -> None:
    sheet.changed(
        "Your plan",
        changes(
            "Read each morning. Write on Sundays.\nRest.",
            "Read each evening. Write on Sundays.\nRest well.",
        ),
    )


BLOCKS: dict[str, Callable[[Document], object]] = {
    "para": lambda sheet: sheet.para(lambda: "A paragraph\n   over two lines, <b>not bold</b>."),
    "facts": lambda sheet: sheet.facts(
        ("Matter", "Study plan"), ("Empty", ""), ("Member", '"><img onerror=alert(1)>')
    ),
    "quote": lambda sheet: sheet.quote(
        "A line.\n\nAnother <line>.", "The owner writes", "https://club.example/rest"
    ),
    "changed": _changed,
    "button": lambda sheet: sheet.button("https://club.example/c/token", lambda: "Open & read"),
    "items": lambda sheet: sheet.items(
        [("With a link", "https://club.example/c/1"), ("Without", "")]
    ),
}


class _Home:
    home = "https://club.example/jiuniu/"


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_block_is_drawn_as_it_was_drawn_last(kind: str) -> None:
    sheet = Document(title="A title")
    BLOCKS[kind](sheet)
    drawn = _blocks("html").render(sheet=sheet, facts=_Home, club="Jiuniu", language="en")
    body = re.search(
        r'color:#1d2421;word-break:break-word;">\n(.*?)</td></tr>\n<tr><td style="padding:0 24px 24px;">',
        drawn,
        re.DOTALL,
    )
    assert body is not None
    compare(f"block.{kind}.html", body[1])


def compare(name: str, now: str) -> None:
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(now)
    assert path.exists(), (
        f"tests/golden/{name} is new: GOLDEN=write .venv/bin/pytest tests/mailers/test_golden.py writes it"
    )
    assert now == path.read_text(), (
        f"tests/golden/{name}: is the change meant? Then GOLDEN=write .venv/bin/pytest tests/mailers/test_golden.py, and read it"
    )
