"""The charter's numbers in words: each has its sentence, and is read as people type it."""

from __future__ import annotations

import re

import pytest

from engine.charter.model import KINDS, shipped_charter
from engine.declare.registry import all_workflows
from engine.text.i18n import LANGUAGES
from web.labels.charter_labels import GROUPS, explained, known_numbers, read_number, typed_of

# Numbers of workflows that are not built yet.
UNUSED = {
    "leave_days",
    "leave_per_week",
    "topic_votes",
    "topic_closes",
    "propose_by",
    "shelf_size",
    "honour_days",
    "honour_wins",
    "marking_days",
    "improve_days",
    "gift_choose_days",
    "gift_buy_days",
    "gift_arrive_days",
}


def test_every_number_has_its_sentence_or_is_known_to_wait_for_its_workflow() -> None:
    assert set(known_numbers()) == set(KINDS) - UNUSED
    assert {wording.group for wording in known_numbers().values()} == {
        group.key for group in GROUPS
    }
    plain = shipped_charter("zh-CN").plain()["numbers"]
    for language in LANGUAGES:
        assert all("%(" not in explained(key, plain[key], language) for key in known_numbers())
    assert [explained("week_opens", "sunday 08:00", language) for language in LANGUAGES] == [
        "每周从周日 08:00 开始，请每位成员写这一周的读书笔记。",
        "Every week on Sunday at 08:00, each member is asked for a reflection.",
    ]


def test_what_the_inputs_show_is_what_they_read() -> None:
    plain = shipped_charter("en").plain()["numbers"]
    assert {key: read_number(key, typed_of(key, plain[key])) for key in known_numbers()} == {
        key: plain[key] for key in known_numbers()
    }


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("plan_days", {"plan_days": " ５ "}, 5),
        ("quorum", {"quorum": "2/6"}, "1/3"),
        ("remind_before", {"remind_before": "48", "remind_before-unit": "hour"}, "2 days"),
        ("week_due", {"week_due": "9：05", "week_due-day": "friday"}, "friday 09:05"),
    ],
)
def test_a_number_is_read_as_people_type_it(key: str, typed: dict[str, str], value: object) -> None:
    assert read_number(key, typed) == value


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("plan_days", {}),
        ("plan_days", {"plan_days": "0"}),
        ("plan_days", {"plan_days": "3.5"}),
        ("plan_days", {"plan_days": "9" * 50}),
        ("quorum", {"quorum": "1/0"}),
        ("quorum", {"quorum": "4/3"}),
        ("quorum", {"quorum": "1e-99999999"}),
        ("digest_hour", {"digest_hour": "25:00"}),
        ("remind_before", {"remind_before": "2", "remind_before-unit": "week"}),
        ("week_due", {"week_due": "20:00"}),
    ],
)
def test_what_is_no_number_is_refused(key: str, typed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=key):
        read_number(key, typed)


def test_every_number_that_a_workflow_names_is_explained() -> None:
    named: set[str] = set()
    for flow in all_workflows():
        for state in flow.states.values():
            parts = [
                state.due.when if state.due else None,
                state.keep,
                state.poll and state.poll.first,
            ]
            parts += [item.before for item in state.reminders]
            named |= set(re.findall(r"Number\(key='(\w+)'\)", repr([*parts, flow.openings])))
    assert named >= {"plan_days", "week_opens", "vote_days", "application_days"} and named <= set(
        known_numbers()
    ), "word it in its workflow: Wording(numbers=…)"
