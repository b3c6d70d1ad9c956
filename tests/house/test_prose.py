"""The prose of docstrings and comments: plain technical English, one sentence first."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.house.packages import ROOT

BANNED = re.compile(
    r"\b(anew|whoever|at hand|from here on|gives? way|gave way|stands?|of before|lies|rest(s|ed)|"
    r"let go|nobody|somebody|deeds?|matters?|rounds?|the door)\b",
    re.IGNORECASE,
)
NOT_IMPERATIVE = re.compile(
    r"(What|Whether|Whom?|How|Is|Are|Was|Does|Has|The|An?|This|As|Where|Every|One|\w+[^sui]s)\b"
)


def product_files() -> Iterator[tuple[str, Path]]:
    """Yield name and path of each module of the product."""
    rooms = ("engine", "web", "mailers", "workflows")
    files = (path for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    for path in [*files, ROOT / "app.py"]:
        if "versions" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path


def docstrings() -> Iterator[tuple[str, ast.AST, str]]:
    """Yield place, node and text of each docstring; the help of a command is for its users."""
    for name, path in product_files():
        for node in ast.walk(ast.parse(path.read_text())):
            kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            text = ast.get_docstring(node) if isinstance(node, kinds) else None
            marks = " ".join(ast.unparse(mark) for mark in getattr(node, "decorator_list", ()))
            if text and "command" not in marks and ".group" not in marks:
                yield f"{name}:{getattr(node, 'lineno', 1)}", node, text


def test_prose_uses_the_words_of_the_glossary() -> None:
    texts = [(place, text) for place, _node, text in docstrings()]
    for name, path in product_files():
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.COMMENT:
                texts.append((f"{name}:{token.start[0]}", token.string))
    found = [f"{place} {word[0]!r}" for place, text in texts if (word := BANNED.search(text))]
    assert found == [], "say it in plain technical English, with the nouns of docs/glossary.md"


def test_a_docstring_begins_with_one_whole_sentence() -> None:
    found = [
        f"{place} {line}"
        for place, _node, text in docstrings()
        if not (line := text.splitlines()[0]).endswith(".")
    ]
    assert found == [], (
        "shorten the first line to one sentence, and put the detail below a blank line"
    )


def test_a_function_says_what_it_does_in_the_imperative() -> None:
    found = [
        f"{place} {text.splitlines()[0]}"
        for place, node, text in docstrings()
        if isinstance(node, ast.FunctionDef) and NOT_IMPERATIVE.match(text)
    ]
    assert found == [], "begin with a verb: 'Return …', 'Queue …'; a predicate with 'True if …'"


def test_one_statement_assigns_two_names_at_most() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, path in product_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Tuple)
        and any(isinstance(names, ast.Tuple) and len(names.elts) > 2 for names in node.targets)
    ]
    assert found == [], "write one assignment a line; unpacking one value is fine"
