"""Every word that a person reads is written in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from engine.declare.registry import all_workflows
from engine.declare.roles import anyone
from engine.declare.validation import events, transitions
from engine.declare.wording import GENERAL
from engine.text.i18n import LANGUAGES, TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
METHODS = [
    ("templates/pages/**.html", "jinja2"),
    ("web/**.py", "python"),
    ("workflows/**.py", "python"),
    ("engine/**.py", "python"),
]
WIDE = r"[㐀-鿿]"

# One thing, one name: what a thing is not called, and what it is called.
OTHER_NAMES = {
    "每日一信": "每日汇总信",
    "宽限": "延期",
    "清除": "删除",
    "催办信": "催办邮件",
    "无记名": "不记名",
    "演示邮箱": "内置邮箱",
}


def wanted() -> set[str]:
    found = extract_from_dir(
        str(ROOT),
        METHODS,
        keywords={"_": None, "marked": None, "gettext": None},
        directory_filter=lambda _path: True,
    )
    return {str(message) for _file, _line, message, _comments, _context in found if message}


def written() -> dict[str, str]:
    path = TEMPLATES / "locale" / "zh_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}


def test_every_text_of_pages_and_forms_is_written_in_chinese() -> None:
    catalogue = written()
    missing = sorted(text for text in wanted() if not catalogue.get(text))
    assert missing == [], "add these to templates/locale/zh_CN/LC_MESSAGES/messages.po"


def test_the_catalogue_holds_no_dead_words() -> None:
    dead = sorted(set(written()) - wanted())
    assert dead == [], "nobody says these any more: take them out of messages.po"


def test_placeholders_survive_translation() -> None:
    def named(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)s", text))

    assert [source for source, text in written().items() if named(source) != named(text)] == [], (
        "the two name different ones"
    )


def test_no_sentence_of_an_event_is_dead() -> None:
    """What a builder words may be said in only one of the workflows that it builds; what a workflow
    words, in that one."""
    shared = [
        GENERAL,
        *(state.wording for flow in all_workflows() for state in flow.states.values()),
    ]
    of_builders = {key for wording in shared for key in (*wording.events, *wording.system_events)}
    said = {
        flow.key: {flow.wording.event_key(*event) for event in events(flow)}
        for flow in all_workflows()
    }
    dead = {
        f"{flow.__module__}: {key}"
        for flow in all_workflows()
        for key in (*flow.wording.events, *flow.wording.system_events)
        if key not in said[flow.key] | of_builders
    }
    assert dead | (of_builders - set().union(*said.values())) == set()


def test_no_variant_of_a_letter_is_dead() -> None:
    """Of a builder's letters some variants come only in some of the workflows that it builds."""
    declared = {
        (name, key)
        for flow in all_workflows()
        for name, after in flow.variants.items()
        for key in after
    }
    happens = {
        (name, key)
        for flow in all_workflows()
        for name in flow.variants
        for state, action, _to in transitions(flow)
        for key in (action, f"{state}>{action}")
    }
    assert declared - happens == set(), "nothing happens after which this variant is written"


def test_no_letter_asks_which_event_it_came_after() -> None:
    """Both languages would have to ask the same: the declaration names a variant instead, ``ask(…,
    after={…})``."""
    found = [
        f"{path.parent.name}/{path.name}: {asked}"
        for path in sorted((TEMPLATES / "mail").glob("*/*.jinja"))
        for asked in re.findall(r"f\.event\.(?:action|from_state)", path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_has_a_word_for_whatever_somebody_presses_about_another(language: str) -> None:
    """What is decided, and what the owner does for a member while it is the member's turn."""
    pressed = {
        act.action
        for flow in all_workflows()
        for state in flow.states.values()
        for act in state.acts
        if set(act.who.names) - {"person", "anyone"}
        or not (state.is_final or act.proof or act.who == anyone)
    } - {"accept", "refuse"}
    receipt = (TEMPLATES / "mail" / "club" / f"receipt.{language}.jinja").read_text()
    assert {action for action in pressed if f'"{action}"' not in receipt} == set(), (
        "nobody answers an offer for somebody"
    )


def test_chinese_letters_use_full_width_punctuation() -> None:
    half = [
        (f"{path.parent.name}/{path.name}", hit)
        for path in sorted((TEMPLATES / "mail").glob("*/*.zh-CN.jinja"))
        for hit in re.findall(
            rf"{WIDE}\s?[,:;!?()](?!\S*=)|[,;!?(]{WIDE}", _without_code(path).replace("囗", "")
        )
    ]
    assert half == [], "full-width punctuation beside Chinese"


def _without_code(path: Path) -> str:
    return re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "囗", path.read_text(), flags=re.DOTALL)


def chinese() -> Iterator[tuple[str, str]]:
    """Every Chinese text of pages and letters, without what a template fills in: where it is, and
    how it reads."""
    yield from ((source, re.sub(r"%\(\w+\)s", "囗", text)) for source, text in written().items())
    for path in sorted((TEMPLATES / "mail").glob("*/*.zh-CN.jinja")):
        yield path.name, _without_code(path)


def test_one_thing_has_one_name() -> None:
    found = [
        (where, name, right)
        for where, text in chinese()
        for name, right in OTHER_NAMES.items()
        if name in text
    ]
    assert found == []


def test_a_space_stands_between_chinese_and_latin_letters_or_digits() -> None:
    """But in dates and times: 12月4日（周五）23:59前."""
    beside = rf"{WIDE}[A-Za-z0-9]|[A-Za-z0-9]{WIDE}"
    moment = r"[\d年月日]*\d[年月日]|\d\d:\d\d"
    bad = [
        (where, hit)
        for where, text in chinese()
        for hit in re.findall(beside, re.sub(moment, "", text))
        if "囗" not in hit
    ]
    assert bad == []


def test_every_letter_is_written_in_every_language() -> None:
    stems: dict[str, set[str]] = {}
    for path in (TEMPLATES / "mail").glob("*/[!_]*.jinja"):
        name, language = path.name.removesuffix(".jinja").rsplit(".", 1)
        stems.setdefault(f"{path.parent.name}/{name}", set()).add(language)
    assert {
        name: languages for name, languages in stems.items() if languages != set(LANGUAGES)
    } == {}


def test_no_letter_says_the_number_of_a_clause() -> None:
    """The owner may renumber the clauses: ``f.clause`` is that of the letter's state,
    ``f.clauses.names`` one by its meaning."""
    found = [
        f"{path.parent.name}/{path.name}: {number}"
        for path in sorted((TEMPLATES / "mail").glob("*/*.jinja"))
        for number in re.findall(r"(?<![\w.])\d{1,2}\.\d{1,2}(?![\w.])", path.read_text())
    ]
    assert found == []
