"""What differs between two charters, and changes of two people brought together."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.charter.diff import Difference, charter_diff, in_order_of_numbers, rebase
from engine.charter.model import shipped_charter
from engine.setup.club_admin import CharterChanged, apply_charter
from engine.storage.models import CharterChange, Club, Schedule
from tests.club import House

BASE = shipped_charter("en").plain()


def changed(charter: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return charter | {
        key: charter[key] | value if key == "numbers" else value for key, value in parts.items()
    }


def clauses(**texts: str) -> list[dict[str, str]]:
    return [
        {"number": number.replace("_", ".").removeprefix("c"), "text": text}
        for number, text in texts.items()
    ]


def test_each_place_that_differs_is_named_once() -> None:
    new = changed(BASE, numbers={"plan_days": 5}, deputies=["join"], contact="ask@qq.com")
    assert charter_diff(BASE, new) == [
        Difference("contact", "", None, "ask@qq.com"),
        Difference("numbers", "plan_days", 3, 5),
        Difference("deputies", "study_plan", True, None),
        Difference("deputies", "reflection", True, None),
    ]
    assert charter_diff(BASE, BASE) == []


def test_two_people_who_change_different_places_keep_both() -> None:
    base = changed(BASE, clauses=clauses(c1_1="one", c2_1="two", c9_1="nine"))
    mine = changed(
        base, numbers={"plan_days": 5}, clauses=clauses(c1_1="one, mine", c2_1="two", c10_1="ten")
    )
    theirs = changed(
        base,
        numbers={"vote_days": 9},
        clauses=clauses(c1_1="one", c2_1="two, theirs", c9_1="nine"),
        contact="a@qq.com",
    )
    together = rebase(base, mine, theirs)
    assert together == changed(
        base,
        numbers={"plan_days": 5, "vote_days": 9},
        contact="a@qq.com",
        clauses=clauses(c1_1="one, mine", c2_1="two, theirs", c10_1="ten"),
    )


def test_a_number_that_stands_twice_loses_neither_text() -> None:
    twice = changed(
        BASE, clauses=[{"number": "1.1", "text": "one"}, {"number": "1.1", "text": "another"}]
    )
    assert rebase(twice, twice, twice) == twice


def test_clauses_are_in_order_whatever_their_numbers_look_like() -> None:
    numbers = ["10.1", "²", "9.2", "٣", "一", "9.10", "9" * 5000]
    ordered = in_order_of_numbers([{"number": number, "text": ""} for number in numbers])
    assert [clause["number"] for clause in ordered] == [
        "9.2",
        "9.10",
        "10.1",
        "9" * 5000,
        "²",
        "٣",
        "一",
    ]


def test_the_charter_follows_only_the_version_that_was_seen(house: House) -> None:
    charter = house.rows(select_charter())[0]
    house.db.write(
        apply_charter,
        house.club_id,
        changed(charter, numbers={"plan_days": 5}),
        house.now,
        over=1,
        by_id=7,
    )
    with pytest.raises(CharterChanged):
        house.db.write(
            apply_charter,
            house.club_id,
            changed(charter, numbers={"plan_days": 9}),
            house.now,
            over=1,
        )
    found = [
        (change.version, change.by_id, change.charter["numbers"]["plan_days"])
        for change in house.rows(select_changes())
    ]
    assert found == [(1, None, 3), (2, 7, 5)]


def test_weeks_that_were_not_opened_stay_on_record(house: House) -> None:
    house.write(
        lambda session: session.get_one(Schedule, (house.club_id, "reflection")).__setattr__(
            "not_opened", ["2026-W40"]
        )
    )
    charter = house.rows(select_charter())[0]
    house.db.write(
        apply_charter,
        house.club_id,
        changed(charter, numbers={"week_opens": "monday 09:00"}),
        house.now,
    )
    schedule = house.rows(select(Schedule).where(Schedule.rule == "reflection"))[0]
    assert (schedule.not_opened, schedule.next_at.isoformat()) == (
        ["2026-W40"],
        "2026-12-07T01:00:00+00:00",
    )


def select_charter() -> Any:
    return select(Club.charter)


def select_changes() -> Any:
    return select(CharterChange).order_by(CharterChange.version)
