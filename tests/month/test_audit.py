"""The audit itself: no finding in a small good month; each rule finds its planted fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace as Row

import pytest

from tests.month.audit import RULES, findings
from tests.month.record import Poke, Record
from tests.month.small_month import (
    ADMIN,
    APPLICANT,
    GONE,
    JOIN,
    LEAVES,
    LEI,
    MEI,
    OTHER,
    PLAN,
    READS,
    VOTE,
    day,
    small_month,
)


def case_of(record: Record, number: int) -> Row:
    return next(case for case in record.cases if case.id == number)


def event(record: Record, number: int, version: int) -> Row:
    return next(
        event for event in record.events if (event.case_id, event.version) == (number, version)
    )


def mail(record: Record, name: str) -> int:
    return next(at for at, mail in enumerate(record.mails) if mail.letter == name)


def second_copy(record: Record) -> None:
    record.mails.append(record.mails[0])


def two_on_one_occasion(record: Record) -> None:
    record.letters.append(Row(**(vars(record.letters[-1]) | {"id": 99, "message_id": "id99"})))
    record.mails.append(replace(record.mails[-1], message_id="id99"))


def the_same_words_again(record: Record) -> None:
    record.letters.append(Row(**(vars(record.letters[0]) | {"id": 99, "message_id": "id99"})))
    record.mails.append(
        replace(record.mails[0], message_id="id99", at=record.mails[0].at + timedelta(hours=3))
    )


def said_but_never_came(record: Record) -> None:
    del record.mails[-1]


def left_behind(record: Record) -> None:
    record.letters.append(
        Row(**(vars(record.letters[-1]) | {"id": 99, "message_id": "id99", "state": "queued"}))
    )


def a_stray(record: Record) -> None:
    record.strays.append(record.mails[0])


def asked_after_handing_in(record: Record) -> None:
    at = mail(record, "reflection.please_read")
    record.mails[at] = replace(record.mails[at], at=day(12, 3))


def asked_after_voting(record: Record) -> None:
    at = mail(record, "nomination.please_vote")
    record.mails[at] = replace(record.mails[at], at=day(9))


def woken_at_night(record: Record) -> None:
    at = mail(record, "study_plan.second_chance")
    record.mails[at] = replace(record.mails[at], at=day(9, 18))


def stepped_early(record: Record) -> None:
    event(record, PLAN, 2).at = day(9, 15)


def never_stepped(record: Record) -> None:
    record.events.remove(event(record, VOTE, 3))


def stepped_late(record: Record) -> None:
    event(record, VOTE, 3).at = day(10, 18)


def never_warned(record: Record) -> None:
    del record.mails[mail(record, "study_plan.second_chance")]


def warned_at_the_last_hour(record: Record) -> None:
    at = mail(record, "study_plan.second_chance")
    record.mails[at] = replace(record.mails[at], at=day(12, 14))


def a_hole(record: Record) -> None:
    record.events.remove(event(record, JOIN, 2))


def after_the_end(record: Record) -> None:
    event(record, JOIN, 3).action = "approve"


def no_week_for_one(record: Record) -> None:
    record.cases.remove(case_of(record, READS))


def a_week_too_many(record: Record) -> None:
    case_of(record, READS).person_id = APPLICANT


def a_week_twice(record: Record) -> None:
    record.cases.append(Row(**(vars(case_of(record, READS)) | {"id": 999})))


def removed_by_the_clock(record: Record) -> None:
    event(record, PLAN, 4).who_id = None


def removed_without_a_word(record: Record) -> None:
    event(record, PLAN, 4).note = ""


def removed_by_nothing(record: Record) -> None:
    record.people[1].status = "removed"


def decides_about_themself(record: Record) -> None:
    event(record, READS, 3).who_id = LEI


def a_member_decides(record: Record) -> None:
    event(record, READS, 3).who_id = MEI


def a_deputy_without_both_names(record: Record) -> None:
    event(record, READS, 3).who_id = ADMIN


def pressed_twice(record: Record) -> None:
    first = event(record, READS, 2)
    record.events.append(
        Row(**(vars(first) | {"version": 9, "at": first.at + timedelta(seconds=1)}))
    )


def undone_by_another(record: Record) -> None:
    event(record, JOIN, 3).who_id = ADMIN


def undone_too_late(record: Record) -> None:
    event(record, JOIN, 3).at = day(8, 3)


def miscounted(record: Record) -> None:
    event(record, VOTE, 3).answers = {"count": {"yes": 1}}


def elected_against_the_votes(record: Record) -> None:
    record.votes[:] = [replace(vote, choice="no") for vote in record.votes]
    event(record, VOTE, 3).answers = {"count": {"no": 2}}


def a_vote_stands_open(record: Record) -> None:
    record.marks[0].choice = "yes"


def a_vote_lost(record: Record) -> None:
    del record.marks[0]


def a_name_of_the_other_club(record: Record) -> None:
    record.mails[0] = replace(record.mails[0], text="ask ada")


def sent_as_the_other_club(record: Record) -> None:
    record.mails[0] = replace(record.mails[0], club="hudson")


def a_row_across(record: Record) -> None:
    record.letters[0].person_id = OTHER


def a_fetch_that_acts(record: Record) -> None:
    record.pokes.append(Poke(day(9), "GET", (1, 2, 3), (2, 2, 3)))


def a_broken_page(record: Record) -> None:
    record.faults.append("500")


def a_name_left(record: Record) -> None:
    next(person for person in record.people if person.id == GONE).name = "wang"


def words_left(record: Record) -> None:
    event(record, LEAVES, 1).answers = {"why": "x"}


def a_letter_left(record: Record) -> None:
    record.mails[0] = replace(record.mails[0], text="wang leaves")


PLANTED: dict[str, tuple[Callable[[Record], None], ...]] = {
    "nobody got a letter twice": (second_copy, two_on_one_occasion),
    "nobody was told the same again within six hours": (the_same_words_again,),
    "the ledger and the mail server agree": (said_but_never_came, left_behind, a_stray),
    "nobody who was done was asked": (asked_after_handing_in, asked_after_voting),
    "letters by the clock keep the quiet hours": (woken_at_night,),
    "every due step happened once, when it was due": (stepped_early, never_stepped, stepped_late),
    "no step against a person before the ask was sent in time": (
        never_warned,
        warned_at_the_last_hour,
    ),
    "a record is whole": (a_hole, after_the_end),
    "a week opens once for everybody whom it concerns": (
        no_week_for_one,
        a_week_too_many,
        a_week_twice,
    ),
    "every removal was decided by a person": (
        removed_by_the_clock,
        removed_without_a_word,
        removed_by_nothing,
    ),
    "nobody decided about themself, and only who may decided": (
        decides_about_themself,
        a_member_decides,
        a_deputy_without_both_names,
    ),
    "two presses are one act": (pressed_twice,),
    "a decision is taken back by its decider, within a day": (undone_by_another, undone_too_late),
    "votes are counted as cast, and stay secret": (
        miscounted,
        elected_against_the_votes,
        a_vote_stands_open,
        a_vote_lost,
    ),
    "clubs do not see each other": (a_name_of_the_other_club, sent_as_the_other_club, a_row_across),
    "an old link, fetched or pressed blindly, changes nothing": (a_fetch_that_acts, a_broken_page),
    "who was erased is gone": (a_name_left, words_left, a_letter_left),
}


def test_nothing_is_found_in_a_month_that_went_well() -> None:
    assert findings(small_month()) == {said: [] for said in RULES}


def test_every_rule_has_its_planted_fault() -> None:
    assert sorted(PLANTED) == sorted(RULES)


@pytest.mark.parametrize(
    ("said", "plant"),
    [(said, plant) for said, plants in PLANTED.items() for plant in plants],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_a_rule_finds_what_is_planted(said: str, plant: Callable[[Record], None]) -> None:
    record = small_month()
    plant(record)
    assert len(list(RULES[said](record))) >= 1
