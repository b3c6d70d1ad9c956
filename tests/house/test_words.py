"""Every word that a person reads is written in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from engine.cases.system_actions import SYSTEM_ACTIONS, system_action
from engine.declare.registry import all_workflows
from engine.declare.roles import anyone
from engine.declare.targets import Choice, Target, arrows
from engine.declare.validation import letters, undone_to
from engine.text.i18n import LANGUAGES, TEMPLATES
from web.labels import event_sentences, letter_words, wording

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


def test_every_state_has_its_word() -> None:
    lacking = [
        f"{flow.key}.{name}"
        for flow in all_workflows()
        for name in flow.states
        if f"{flow.key}.{name}" not in wording.STATES and name not in wording.STATES
    ]
    assert lacking == [], "web/labels/wording.py STATES lacks them"


def test_every_act_has_its_word() -> None:
    declared = {
        act.action
        for flow in all_workflows()
        for state in flow.states.values()
        for act in state.acts
    }
    assert sorted(declared - set(wording.ACTIONS)) == [], "web/labels/wording.py ACTIONS lacks them"


def ends_of(target: Target, here: str) -> Iterator[str]:
    if isinstance(target, Choice):
        for part in target.among:
            yield from ends_of(part, here)
    else:
        yield target if isinstance(target, str) else here


def events() -> Iterator[tuple[str, str, str]]:
    """Every event that may come to stand in a history: workflow, action, the state it leads to."""
    for flow in all_workflows():
        yield from ((flow.key, "open", target) for target in arrows(flow.start))
        yield from (
            (flow.key, "undo", name)
            for state in flow.states.values()
            if state.undo
            for name in undone_to(flow, state.name)
        )
        for state in flow.states.values():
            moves = [
                *state.acts,
                *(move for action in SYSTEM_ACTIONS if (move := system_action(state, action))),
            ]
            yield from (
                (flow.key, move.action, target)
                for move in moves
                for target in ends_of(move.to, state.name)
            )


def test_every_event_has_its_sentence_and_no_sentence_is_dead() -> None:
    found = {
        f"{flow}.{action}>{state}": event_sentences.found_under(flow, action, state)
        for flow, action, state in events()
    }
    assert sorted(event for event, key in found.items() if not key) == [], (
        "web/labels/event_sentences.py lacks them"
    )
    assert sorted({*event_sentences.DID, *event_sentences.CAME} - set(found.values())) == [], (
        "no event leads to these in web/labels/event_sentences.py: take them out"
    )


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


def test_every_letter_has_a_word_at_the_desk() -> None:
    sent = {name for flow in all_workflows() for name in letters(flow)}
    assert sorted(sent - set(letter_words.LETTERS)) == [], (
        "web/labels/letter_words.py LETTERS lacks them"
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
