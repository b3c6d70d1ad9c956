"""A small month that went well, written by hand: what the audit's rules are tried on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Row
from typing import Any

from tests.month.record import Poke, Posted, Record, Vote

OWNER, LEI, ADMIN, MEI, APPLICANT, GONE, OTHER = 10, 11, 12, 13, 14, 15, 20
READS, PLAN, VOTE, JOIN, LEAVES = 100, 101, 103, 104, 105


def day(number: int, hour: float = 2) -> datetime:
    """A day of October 2026, the hour in UTC."""
    return datetime(2026, 10, number, tzinfo=UTC) + timedelta(hours=hour)


def person(
    number: int, name: str, *, club: int = 1, role: str = "member", status: str = "member"
) -> Row:
    return Row(
        club_id=club,
        id=number,
        name=name,
        display_name=name,
        address=f"{name}@qq.com",
        role=role,
        status=status,
    )


class Book:
    """A record in the making."""

    def __init__(self) -> None:
        clubs = [
            Row(id=1, slug="jiuniu", zone="Asia/Shanghai"),
            Row(id=2, slug="hudson", zone="America/New_York"),
        ]
        people = [
            person(OWNER, "chen", role="owner"),
            person(LEI, "lei"),
            person(ADMIN, "xiao", role="admin"),
            person(APPLICANT, "tao"),
            person(MEI, "mei", status="removed"),
            person(OTHER, "ada", club=2, role="owner"),
            Row(
                club_id=1,
                id=GONE,
                name="",
                display_name="",
                address=None,
                role="member",
                status="erased",
            ),
        ]
        ticks = [day(5, hour) for hour in range(24 * 9)]
        self.record = Record(day(5, 0), day(13, 23), ticks, clubs, people, [], [], [], [], [])
        self.record.names, self.record.erased = (
            {"jiuniu": {"lei"}, "hudson": {"ada"}},
            [(1, GONE, "wang")],
        )

    def case(
        self,
        number: int,
        flow: str,
        who: int,
        *events: tuple[datetime, int | None, str, str],
        **data: Any,
    ) -> None:
        state = ""
        for version, (at, by, action, to) in enumerate(events, 1):
            row = Row(
                club_id=1,
                case_id=number,
                version=version,
                at=at,
                who_id=by,
                on_behalf_of_id=None,
                action=action,
                via="page" if by else "clock",
                from_state=state,
                to_state=to,
                note="x" if action == "remove" else "",
                answers={},
            )
            self.record.events.append(row)
            state = to
        case = Row(
            club_id=1,
            id=number,
            workflow=flow,
            person_id=who,
            parent_id=None,
            state=state,
            version=len(events),
            trouble="",
            answers={},
            private={},
            data=data,
        )
        self.record.cases.append(case)

    def letter(
        self,
        name: str,
        to: int,
        at: datetime,
        case: int | None = None,
        version: int | None = None,
        *,
        asks: bool = False,
    ) -> None:
        number = len(self.record.letters) + 1
        letter = Row(
            club_id=1,
            id=number,
            key=f"{name}:{number}",
            name=name,
            case_id=case,
            version=version,
            person_id=to,
            about_id=to,
            asks=asks,
            state="sent",
            created_at=at,
            next_at=at,
            attempts=1,
            message_id=f"id{number}",
            maybe_twice=False,
            data={},
            bytes=b"x",
            answer="",
        )
        self.record.letters.append(letter)
        self.record.mails.append(
            Posted(at, "jiuniu", name, f"{to}@qq.com", f"id{number}", name, "hello")
        )


def small_month() -> Record:
    """One who reads, one who is removed, one who is elected, one who is declined twice, one who is
    erased."""
    book, sunday = Book(), day(11, 0)
    for who in (LEI, ADMIN, MEI):
        book.letter("club.imported", who, day(5, 1))
    for number, who in enumerate((LEI, ADMIN)):
        book.case(
            READS + number * 50,
            "reflection",
            who,
            (sunday, None, "open", "owed"),
            (day(12), who, "submit", "review"),
            (day(13), OWNER, "approve", "accepted"),
            period="2026-W42",
        )
        book.letter("reflection.please_read", who, sunday, READS + number * 50, 1, asks=True)
    book.case(
        PLAN + 1,
        "reflection",
        MEI,
        (sunday, None, "open", "owed"),
        (day(13, 3), None, "void", "void"),
        period="2026-W42",
    )
    book.case(
        PLAN,
        "study_plan",
        MEI,
        (day(6), OWNER, "open", "owed"),
        (day(9, 16), None, "due", "overdue"),
        (day(12, 16), None, "due", "removal_proposed"),
        (day(13, 3), OWNER, "remove", "removed"),
    )
    book.letter("study_plan.please_write", MEI, day(6), PLAN, 1, asks=True)
    book.letter("study_plan.second_chance", MEI, day(9, 23.5), PLAN, 2, asks=True)
    book.case(
        VOTE,
        "nomination",
        LEI,
        (day(6), LEI, "open", "review"),
        (day(7), OWNER, "approve", "vote"),
        (day(10, 16), None, "due", "elected"),
        electors=2,
    )
    book.record.events[-1].answers = {"count": {"yes": 2}}
    for who in (ADMIN, MEI):
        book.letter("nomination.please_vote", who, day(7), VOTE, 2, asks=True)
        book.record.marks.append(
            Row(club_id=1, case_id=VOTE, entered_version=2, person_id=who, choice="", at=day(8))
        )
        book.record.votes.append(Vote(day(8), "jiuniu", VOTE, who, "yes"))
    book.case(
        JOIN,
        "join",
        APPLICANT,
        (day(6), APPLICANT, "open", "review"),
        (day(7), OWNER, "decline", "declined"),
        (day(7, 9), OWNER, "undo", "review"),
        (day(8), OWNER, "decline", "declined"),
    )
    book.case(
        LEAVES,
        "departure",
        GONE,
        (day(6), GONE, "open", "erasing"),
        (day(9, 16), None, "due", "erased"),
    )
    book.record.pokes.append(Poke(day(9), "GET", (1, 2, 3), (1, 2, 3)))
    return book.record
