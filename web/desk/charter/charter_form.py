"""The settings' forms: inputs from a charter, and a charter from inputs.

Plain data, no pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.charter.diff import TEXTS, in_order_of_numbers
from engine.declare.fields import clean_text
from engine.declare.registry import all_workflows
from engine.declare.workflow import REMOVAL
from engine.text.addresses import BadAddress, fold_address
from engine.text.i18n import marked as _
from web.labels.charter_labels import GROUPS, known_numbers, read_number, takes, typed_of

SPARE_ROWS, MOST_CLAUSES = 2, 60
MOST_TEXT, MOST_CLAUSE = 4000, 2000

TOO_LONG = _("This is too long; please shorten it")
NO_ADDRESS = _("This does not look like an e-mail address; an example is lilei@qq.com")
NO_NUMBER = _("A clause takes a short number such as 3.1, and a text")
TAKEN = _("There is another clause with this number")
TOO_MANY_CLAUSES = _("Nobody reads so many clauses; please put some together")


@dataclass(frozen=True)
class Part:
    """A page of settings."""

    key: str
    name: str


PARTS = (
    Part("texts", _("What the club is for, and how to reach it")),
    Part("clauses", _("The clauses")),
    *(Part(group.key, group.name) for group in GROUPS),
)


def numbers_of(part: str) -> list[str]:
    """Return the numbers on a page."""
    return [number.key for group in GROUPS if group.key == part for number in group.numbers]


def with_deputies() -> list[tuple[str, str]]:
    """Return key and name of each workflow in which admins may decide as deputies."""
    return [
        (flow.key, flow.label)
        for flow in all_workflows()
        if any("reviewer" in state.turn.names for state in flow.states.values())
    ]


def in_letters() -> list[tuple[str, str]]:
    """Return key and name of what may wait for the daily letter.

    Workflows, and the removals that any of them proposes.
    """
    topics = {
        (flow, str(letter.gathers))
        for flow in all_workflows()
        for state in flow.states.values()
        for letter in state.letters()
        if letter.gathers
    }
    reviewed = {flow for flow, topic in topics if topic != REMOVAL}
    offered = [(flow.key, flow.label) for flow in all_workflows() if flow in reviewed]
    return offered + (
        [(REMOVAL, _("Proposed removals"))]
        if any(topic == REMOVAL for _flow, topic in topics)
        else []
    )


# From a charter to inputs


def shown(part: str, charter: Mapping[str, Any]) -> dict[str, str]:
    """Fill the inputs of a page from a charter in its plain form."""
    typed: dict[str, str] = {}
    for key in numbers_of(part):
        typed |= typed_of(key, charter["numbers"][key])
    if part == "texts":
        typed |= {key: charter[key] for key in TEXTS}
    if part == "deciders":
        typed |= {f"deputies-{key}": "y" for key in charter["deputies"]}
        typed |= {f"daily-{key}": "y" for key in charter["in_daily_letter"]}
    if part == "clauses":
        for row, clause in enumerate(charter["clauses"]):
            typed |= {f"number-{row}": clause["number"], f"text-{row}": clause["text"]}
        typed["rows"] = str(len(charter["clauses"]) + SPARE_ROWS)
    return typed


def rows_of(typed: Mapping[str, str]) -> int:
    """Count the rows of the clauses' page."""
    text = typed.get("rows", "")
    return (
        min(int(text), MOST_CLAUSES + SPARE_ROWS)
        if text.isascii() and text.isdigit() and len(text) < 4
        else SPARE_ROWS
    )


# From inputs to a charter


def read(
    part: str, typed: Mapping[str, str], charter: Mapping[str, Any], language: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the charter with what was typed on a page, and the errors.

    Errors: input to words, in the page's language or a msgid.
    """
    made = dict(charter)
    numbers, errors = _read_numbers(part, typed, language)
    made["numbers"] = charter["numbers"] | numbers
    if part == "texts":
        errors |= _read_texts(typed, made)
    if part == "deciders":
        made["deputies"] = _ticked(typed, "deputies-", with_deputies(), charter["deputies"])
        made["in_daily_letter"] = _ticked(typed, "daily-", in_letters(), charter["in_daily_letter"])
    if part == "clauses":
        made["clauses"], wrong = _read_clauses(typed)
        errors |= wrong
    return made, errors


def _read_numbers(
    part: str, typed: Mapping[str, str], language: str
) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for key in numbers_of(part):
        try:
            values[key] = read_number(key, typed)
        except ValueError:
            errors[key] = takes(key, language)
    return values, errors


def _read_texts(typed: Mapping[str, str], made: dict[str, Any]) -> dict[str, str]:
    errors = {}
    for key in TEXTS:
        made[key] = clean_text(typed.get(key, "")).strip()
        if len(made[key]) > MOST_TEXT:
            errors[key] = TOO_LONG
    try:
        made["contact"] = fold_address(made["contact"]) if made["contact"] else ""
    except BadAddress:
        errors["contact"] = NO_ADDRESS
    return errors


def _ticked(
    typed: Mapping[str, str], prefix: str, offered: list[tuple[str, str]], before: list[str]
) -> list[str]:
    """Return the ticked names; those that the page does not offer stay as they were."""
    keys = {key for key, _name in offered}
    wanted = {key for key in keys if typed.get(prefix + key)} | set(before) - keys
    return [key for key in before if key in wanted] + sorted(wanted - set(before))


def _read_clauses(typed: Mapping[str, str]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the clauses in the order of their numbers.

    A row that is ticked to go, or empty, is no clause.
    """
    found: dict[str, str] = {}
    errors: dict[str, str] = {}
    for row in range(rows_of(typed)):
        number, text = (
            clean_text(typed.get(f"{name}-{row}", "")).strip() for name in ("number", "text")
        )
        if typed.get(f"gone-{row}") or not number + text:
            continue
        if not text or not re.fullmatch(r"[^\s]{1,8}", number):
            errors[f"number-{row}"] = NO_NUMBER
        elif number in found:
            errors[f"number-{row}"] = TAKEN
        elif len(text) > MOST_CLAUSE:
            errors[f"text-{row}"] = TOO_LONG
        found[number] = text
    if len(found) > MOST_CLAUSES:
        errors["number-0"] = TOO_MANY_CLAUSES
    return in_order_of_numbers(
        [{"number": number, "text": text} for number, text in found.items()]
    ), errors


def label_of(field: str) -> str:
    """Return the name of an input, for the list of errors."""
    if field in known_numbers():
        return known_numbers()[field].name
    return TEXT_WORDS[field][0] if field in TEXT_WORDS else _("Clause")


# Name and hint of each text.
TEXT_WORDS = {
    "purpose": (_("What the club is for"), _("Shown on the club's page, above the clauses.")),
    "group": (
        _("How a newcomer gets into the chat group"),
        _("Part of the letter of welcome. For instance: the owner adds you within a day."),
    ),
    "contact": (
        _("An address that a person reads"),
        _("People write there with questions. Empty: your own address."),
    ),
}
