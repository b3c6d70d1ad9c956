"""Figures against truth counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine.reports.statistics import MOST_WEEKS, Members, Punctual, members, on_time
from engine.storage.models import Case, Event, new_id
from engine.storage.unit_of_work import ClubSession
from tests.club import LILEI, MEIMEI, OWNER, PLAN, House
from web.desk.statistics import scale_for

pytestmark = pytest.mark.postgres

ZONE = "Asia/Shanghai"
W49, W50, W51 = date(2026, 11, 30), date(2026, 12, 7), date(2026, 12, 14)
LINTAO = "lintao@qq.com"


def seen(house: House) -> tuple[list[Punctual], list[Members]]:
    with house.read() as session:
        return on_time(session, ZONE, house.now), members(session, ZONE, house.now)


def at(day: int, hour: int = 4) -> datetime:
    return datetime(2026, 12, day, hour, tzinfo=UTC)


def test_a_new_club_has_no_weeks_yet(house: House) -> None:
    assert seen(house) == ([], [Members(W49, 1)])


def test_duties_and_members_of_three_weeks(house: House) -> None:
    house.join()
    house.join(MEIMEI, "form-2", name="韩梅梅")
    house.add(LINTAO, "林涛")
    house.live(until=at(1))
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.press(
        OWNER, "decline", workflow="study_plan", note="请再想想。"
    )  # handed in on time all the same
    house.press(OWNER, "undo", workflow="study_plan")
    house.live(until=at(5))  # 韩梅梅's plan is late by now
    assert seen(house) == ([Punctual(W49, 1, 1)], [Members(W49, 4)])

    house.live(
        until=at(6, 6)
    )  # Sunday, after the week has opened: in the calendar still the week before
    reading = {"book": "活着", "reflection": "人是为活着本身而活着的。"}
    house.press(LILEI, "submit", workflow="reflection", answers=reading)
    house.press(OWNER, "excuse", LINTAO, workflow="reflection")  # not counted
    house.live(until=at(8))
    house.press(
        OWNER, "remove", MEIMEI, workflow="study_plan", note="没有计划。"
    )  # her reflection falls away: not counted
    house.live(until=at(13))
    assert seen(house) == (
        [Punctual(W49, 1, 1), Punctual(W50, 1, 0)],
        [Members(W49, 4), Members(W50, 3)],
    )

    house.live(until=at(14))
    house.press(OWNER, "readmit", MEIMEI, workflow="study_plan")
    house.hand_in(LILEI, "departure", {"why": "", "erase": False})
    house.live(until=at(20, 13))  # 林涛's second week passes at Saturday's due time
    assert seen(house) == (
        [Punctual(W49, 1, 1), Punctual(W50, 1, 0), Punctual(W51, 0, 1)],
        [Members(W49, 4), Members(W50, 3), Members(W51, 3)],
    )


def test_long_years_show_their_last_weeks(house: House) -> None:
    house.bring(
        "name,email,joined\n李雷,lilei@qq.com,2020-01-05\n韩梅梅,hanmeimei@163.com,2026-11-20\n"
    )
    lilei = house.person(LILEI)

    def weeks(session: ClubSession) -> None:
        for back in range(MOST_WEEKS + 10):
            due = house.now - timedelta(weeks=back)
            year, week, _day = due.isocalendar()
            case = Case(
                id=new_id(),
                workflow="reflection",
                key=f"{back}",
                person_id=lilei.id,
                state="accepted",
                turn="",
                version=2,
                entered_version=2,
                opened_at=due,
                entered_at=due,
                data={"period": f"{year}-W{week:02}"},
            )
            session.add(case)
            session.flush()
            happened: dict[str, Any] = {
                "case_id": case.id,
                "at": due,
                "via": "page",
                "from_state": "owed",
            }
            session.add(
                Event(
                    version=1, action="submit" if back % 2 else "due", to_state="review", **happened
                )
            )

    house.write(weeks)
    duties, crowd = seen(house)
    assert (len(duties), len(crowd)) == (MOST_WEEKS, MOST_WEEKS)
    assert duties[-2:] == [Punctual(date(2026, 11, 23), 1, 0), Punctual(W49, 0, 1)]
    assert [week.count for week in crowd] == [1] * (MOST_WEEKS - 3) + [2, 2, 3]


@pytest.mark.parametrize(
    ("largest", "most"), [(0, 1), (1, 1), (3, 4), (9, 10), (11, 20), (100, 100), (999, 1000)]
)
def test_the_scale_ends_at_a_round_number(largest: int, most: int) -> None:
    assert scale_for(largest, 3).most == most
