"""The audit itself: nothing to find in a small month that went well, and each rule finds the fault that is planted for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Row
from typing import Any

import pytest

from tests.month.audit import RULES, findings
from tests.month.record import Poke, Posted, Record, Vote

OWNER, LEI, ADMIN, MEI, APPLICANT, GONE, OTHER = 10, 11, 12, 13, 14, 15, 20
READS, PLAN, VOTE, JOIN, LEAVES = 100, 101, 103, 104, 105


def day(number: int, hour: float = 2) -> datetime:
    """A day of October 2026, the hour in UTC."""
    return datetime(2026, 10, number, tzinfo=UTC) + timedelta(hours=hour)


def person(number: int, name: str, *, club: int = 1, role: str = "member", status: str = "member") -> Row:
    return Row(club_id=club, id=number, name=name, display_name=name, address=f"{name}@qq.com", role=role, status=status)


class Book:
    """A record in the making."""

    def __init__(self) -> None:
        clubs = [Row(id=1, slug="jiuniu", zone="Asia/Shanghai"), Row(id=2, slug="hudson", zone="America/New_York")]
        people = [
            person(OWNER, "chen", role="owner"), person(LEI, "lei"), person(ADMIN, "xiao", role="admin"), person(APPLICANT, "tao"),
            person(MEI, "mei", status="removed"), person(OTHER, "ada", club=2, role="owner"),
            Row(club_id=1, id=GONE, name="", display_name="", address=None, role="member", status="erased"),
        ]  # fmt: skip
        ticks = [day(5, hour) for hour in range(24 * 9)]
        self.record = Record(day(5, 0), day(13, 23), ticks, clubs, people, [], [], [], [], [])
        self.record.names, self.record.erased = {"jiuniu": {"lei"}, "hudson": {"ada"}}, [(1, GONE, "wang")]

    def case(self, number: int, flow: str, who: int, *events: tuple[datetime, int | None, str, str], **data: Any) -> None:
        state = ""
        for version, (at, by, action, to) in enumerate(events, 1):
            row = Row(
                club_id=1, case_id=number, version=version, at=at, who_id=by, on_behalf_of_id=None, action=action,
                via="page" if by else "clock", from_state=state, to_state=to, note="x" if action == "remove" else "", answers={},
            )  # fmt: skip
            self.record.events.append(row)
            state = to
        case = Row(
            club_id=1, id=number, workflow=flow, person_id=who, parent_id=None, state=state, version=len(events), trouble="",
            answers={}, private={}, data=data,
        )  # fmt: skip
        self.record.cases.append(case)

    def letter(
        self, name: str, to: int, at: datetime, case: int | None = None, version: int | None = None, *, asks: bool = False
    ) -> None:
        number = len(self.record.letters) + 1
        letter = Row(
            club_id=1, id=number, key=f"{name}:{number}", name=name, case_id=case, version=version, person_id=to, about_id=to,
            asks=asks, state="sent", created_at=at, next_at=at, attempts=1, message_id=f"id{number}", maybe_twice=False, data={},
            bytes=b"x", answer="",
        )  # fmt: skip
        self.record.letters.append(letter)
        self.record.mails.append(Posted(at, "jiuniu", name, f"{to}@qq.com", f"id{number}", name, "hello"))


def small_month() -> Record:
    """One who reads, one who is removed, one who is elected, one who is declined twice, one who is erased."""
    book, sunday = Book(), day(11, 0)
    for who in (LEI, ADMIN, MEI):
        book.letter("club.imported", who, day(5, 1))
    for number, who in enumerate((LEI, ADMIN)):
        book.case(
            READS + number * 50, "reflection", who, (sunday, None, "open", "owed"), (day(12), who, "submit", "review"),
            (day(13), OWNER, "approve", "accepted"), period="2026-W42",
        )  # fmt: skip
        book.letter("reflection.please_read", who, sunday, READS + number * 50, 1, asks=True)
    book.case(PLAN + 1, "reflection", MEI, (sunday, None, "open", "owed"), (day(13, 3), None, "void", "void"), period="2026-W42")
    book.case(
        PLAN, "study_plan", MEI, (day(6), OWNER, "open", "owed"), (day(9, 16), None, "due", "overdue"),
        (day(12, 16), None, "due", "removal_proposed"), (day(13, 3), OWNER, "remove", "removed"),
    )  # fmt: skip
    book.letter("study_plan.please_write", MEI, day(6), PLAN, 1, asks=True)
    book.letter("study_plan.second_chance", MEI, day(9, 23.5), PLAN, 2, asks=True)
    book.case(
        VOTE, "nomination", LEI, (day(6), LEI, "open", "review"), (day(7), OWNER, "approve", "vote"), (day(10, 16), None, "due", "elected"),
        electors=2,
    )  # fmt: skip
    book.record.events[-1].answers = {"count": {"yes": 2}}
    for who in (ADMIN, MEI):
        book.letter("nomination.please_vote", who, day(7), VOTE, 2, asks=True)
        book.record.marks.append(Row(club_id=1, case_id=VOTE, entered_version=2, person_id=who, choice="", at=day(8)))
        book.record.votes.append(Vote(day(8), "jiuniu", VOTE, who, "yes"))
    book.case(
        JOIN, "join", APPLICANT, (day(6), APPLICANT, "open", "review"), (day(7), OWNER, "decline", "declined"),
        (day(7, 9), OWNER, "undo", "review"), (day(8), OWNER, "decline", "declined"),
    )  # fmt: skip
    book.case(LEAVES, "departure", GONE, (day(6), GONE, "open", "erasing"), (day(9, 16), None, "due", "erased"))
    book.record.pokes.append(Poke(day(9), "GET", (1, 2, 3), (1, 2, 3)))
    return book.record


def case_of(record: Record, number: int) -> Row:
    return next(case for case in record.cases if case.id == number)


def event(record: Record, number: int, version: int) -> Row:
    return next(event for event in record.events if (event.case_id, event.version) == (number, version))


def mail(record: Record, name: str) -> int:
    return next(at for at, mail in enumerate(record.mails) if mail.letter == name)


def second_copy(record: Record) -> None:
    record.mails.append(record.mails[0])


def two_on_one_occasion(record: Record) -> None:
    record.letters.append(Row(**(vars(record.letters[-1]) | {"id": 99, "message_id": "id99"})))
    record.mails.append(replace(record.mails[-1], message_id="id99"))


def the_same_words_again(record: Record) -> None:
    record.letters.append(Row(**(vars(record.letters[0]) | {"id": 99, "message_id": "id99"})))
    record.mails.append(replace(record.mails[0], message_id="id99", at=record.mails[0].at + timedelta(hours=3)))


def said_but_never_came(record: Record) -> None:
    del record.mails[-1]


def left_behind(record: Record) -> None:
    record.letters.append(Row(**(vars(record.letters[-1]) | {"id": 99, "message_id": "id99", "state": "queued"})))


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
    record.events.append(Row(**(vars(first) | {"version": 9, "at": first.at + timedelta(seconds=1)})))


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
    "no step against a person before the ask was sent in time": (never_warned, warned_at_the_last_hour),
    "a record is whole": (a_hole, after_the_end),
    "a week opens once for everybody whom it concerns": (no_week_for_one, a_week_too_many, a_week_twice),
    "every removal was decided by a person": (removed_by_the_clock, removed_without_a_word, removed_by_nothing),
    "nobody decided about themself, and only who may decided": (
        decides_about_themself,
        a_member_decides,
        a_deputy_without_both_names,
    ),
    "two presses are one act": (pressed_twice,),
    "a decision is taken back by its decider, within a day": (undone_by_another, undone_too_late),
    "votes are counted as cast, and stay secret": (miscounted, elected_against_the_votes, a_vote_stands_open, a_vote_lost),
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
