"""Members from before: each row of a list becomes a member, stays one, or is named with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from engine.cases.erasure import erase_person
from engine.outbox.queue import BULK
from engine.setup.member_import import (
    ImportedMember,
    ImportPlan,
    Roster,
    compare,
    members,
    read_roster,
)
from engine.storage.models import Case, Club, Letter, Person
from engine.storage.unit_of_work import ClubSession
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, House

HEAD = "姓名,邮箱,城市,加入日期,语言,角色\n"


def read(house: House, rows: str, head: str = HEAD) -> Roster:
    with house.read() as session:
        return read_roster(head + rows, session.get_one(Club, house.club_id), house.now)


def plan(house: House, rows: str) -> ImportPlan:
    with house.read() as session:
        return compare(session, read(house, rows))


def faults(found: Roster | ImportPlan) -> list[tuple[int, str, list[str]]]:
    return [(bad.row, bad.who, [str(fault) for fault in bad.faults]) for bad in found.bad]


# One row


def test_a_full_row_is_read(house: House) -> None:
    [entry] = read(house, "李雷, ＬiLei@QQ。com ,武汉,2026-03-01,英文,管理员\n").entries
    assert entry == ImportedMember(2, "李雷", LILEI, "武汉", date(2026, 3, 1), "en", "admin")
    assert entry.display_name == "武汉+李雷"


def test_what_is_optional_may_be_missing(house: House) -> None:
    [entry] = read(house, f"李雷,{LILEI}\n", "name;email\n".replace(";", ",")).entries
    assert (entry, entry.display_name) == (
        ImportedMember(2, "李雷", LILEI, "", None, None, "member"),
        "李雷",
    )


@pytest.mark.parametrize("name", ["=1+1", "+86 张", "-", "@all", "=HYPERLINK(1)", "\u2068ﺎﻠﻋ"])
def test_a_name_that_looks_like_a_formula_is_a_name(house: House, name: str) -> None:
    assert read(house, f"{name},{LILEI}\n").entries[0].name == name


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01",
        "2026/3/1",
        "2026年3月1日",
        "20260301",
        "2026.3.1",
        "２０２６/３/１",
        "2026/3/1 0:00",
        "2026-03-01 00:00:00",
    ],
)
def test_a_day_may_be_written_in_many_ways(house: House, written: str) -> None:
    assert read(house, f"李雷,{LILEI},,{written}\n").entries[0].joined == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("zh-CN", "zh-CN"),
        ("zh_Hans", "zh-CN"),
        ("中文", "zh-CN"),
        ("Chinese", "zh-CN"),
        ("EN", "en"),
        ("en-GB", "en"),
        ("英文", "en"),
        ("English", "en"),
        ("", None),
    ],
)
def test_a_language_may_be_written_in_many_ways(
    house: House, written: str, language: str | None
) -> None:
    assert read(house, f"李雷,{LILEI},,,{written}\n").entries[0].locale == language


@pytest.mark.parametrize(
    ("written", "role"),
    [
        ("member", "member"),
        ("成员", "member"),
        ("群员", "member"),
        ("", "member"),
        ("Admin", "admin"),
        ("管理员", "admin"),
    ],
)
def test_a_role_may_be_written_in_many_ways(house: House, written: str, role: str) -> None:
    assert read(house, f"李雷,{LILEI},,,,{written}\n").entries[0].role == role


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",lilei@qq.com", ["The name is missing"]),
        ("李雷,", ["The e-mail address is missing"]),
        ("李雷,lilei", ["“lilei” is no e-mail address; an example is lilei@qq.com"]),
        (f"{'长' * 201},lilei@qq.com", ["A cell is longer than 200 characters"]),
        (
            "李雷,lilei@qq.com,,上个月",
            ["“上个月” is no date; examples are 2026-03-01, 2026/3/1, 2026年3月1日 and 20260301"],
        ),
        ("李雷,lilei@qq.com,,2026-02-30", ["There is no day “2026-02-30” in the calendar"]),
        ("李雷,lilei@qq.com,,2026-12-01", ["“2026-12-01” lies in the future"]),
        (
            "李雷,lilei@qq.com,,,法语",
            ["“法语” is no language of this service; it speaks zh-CN, en"],
        ),
        (
            "李雷,lilei@qq.com,,,,会长",
            ["“会长” is no role; a role is member (成员) or admin (管理员)"],
        ),
        (
            "李雷,lilei@qq.com,武汉,,,,多了",
            ["There is something to the right of the last column; is a comma in a cell?"],
        ),
        (
            ",,,,,王",
            [
                "The name is missing",
                "The e-mail address is missing",
                "“王” is no role; a role is member (成员) or admin (管理员)",
            ],
        ),
    ],
)
def test_everything_wrong_with_a_row_is_named(house: House, row: str, says: list[str]) -> None:
    found = read(house, f"韩梅梅,{MEIMEI}\n{row}\n")
    assert (
        [entry.row for entry in found.entries],
        [(number, reasons) for number, _who, reasons in faults(found)],
    ) == (
        [2],
        [(3, says)],
    )


def test_today_in_the_club_s_zone_is_not_the_future(house: House) -> None:
    house.now = datetime(
        2026, 11, 30, 16, 30, tzinfo=UTC
    )  # half past midnight of the first of December in Shanghai
    assert [entry.joined for entry in read(house, f"李雷,{LILEI},,2026-12-01\n").entries] == [
        date(2026, 12, 1)
    ]


def test_the_same_address_twice_is_bad_the_second_time(house: House) -> None:
    found = read(house, f"李雷,{LILEI}\n小李,LILEI@qq.com\n")
    assert ([entry.name for entry in found.entries], faults(found)) == (
        ["李雷"],
        [(3, "小李", ["The same address is in row 2"])],
    )


# Against the people of the club


@pytest.mark.postgres
def test_who_may_come_in_by_a_list_and_who_may_not(house: House) -> None:
    house.add("member@qq.com", "成员")
    house.add("departed@qq.com", "离开", status="departed")
    house.add("refused@qq.com", "不收信", status="refused_mail")
    house.add("gone@qq.com", "不收信而抹去", status="refused_mail")
    house.add("removed@qq.com", "移出", status="removed")
    house.add("erased@qq.com", "移出而抹去", status="removed")
    house.apply(LILEI)
    house.apply(MEIMEI, "form-2")
    house.press(MEIMEI, "confirm", MEIMEI)
    house.press(OWNER, "decline", MEIMEI, note="不了。")

    def history(session: ClubSession) -> None:
        session.execute(
            update(Person).where(Person.status == "removed").values(removed_at=house.now)
        )
        for address in ("gone@qq.com", "erased@qq.com"):
            erase_person(
                session,
                session.execute(select(Person).where(Person.address == address)).scalar_one(),
            )

    house.write(history)
    addresses = ["member", "departed", "refused", "gone", "removed", "erased", "lilei", "new"]
    rows = "".join(f"{name},{name}@qq.com\n" for name in addresses) + f"韩梅梅,{MEIMEI}\n"
    found = plan(house, rows + f"陈老师,{OWNER},,,,群主\n篡位,crown@qq.com,,,,owner\n")
    assert [entry.name for entry in found.new] == [
        "departed",
        "new",
        "韩梅梅",
    ]  # a decline is no removal
    assert [entry.name for entry in found.known] == ["member", "陈老师"]
    removed, silent = (
        "Was removed from the club; coming back is decided by an application",
        "Wants no mail from this club",
    )
    assert faults(found) == [
        (4, "refused", [silent]),
        (5, "gone", [silent]),
        (6, "removed", [removed]),
        (7, "erased", [removed]),
        (8, "lilei", ["An application of this person is open; please decide that"]),
        (12, "篡位", ["A club has one owner; nobody becomes it by a list"]),
    ]


@pytest.mark.postgres
def test_another_club_s_members_are_nobody_s_business(house: House) -> None:
    house.add(LILEI, "李雷")
    house.club_id = house.found(slug="other", name="Other")
    assert [entry.address for entry in plan(house, f"李雷,{LILEI}\n").new] == [LILEI]


# The import


@pytest.mark.postgres
def test_a_member_comes_in_as_the_list_says_owes_nothing_and_is_welcomed_once(house: House) -> None:
    rows = f"{HEAD}李雷,{LILEI},武汉,2026-03-01,en,管理员\n韩梅梅,{MEIMEI}\n"
    house.bring(rows)
    lilei, meimei = house.person(LILEI), house.person(MEIMEI)
    assert (lilei.status, lilei.role, lilei.locale, lilei.name, lilei.display_name) == (
        "member",
        "admin",
        "en",
        "李雷",
        "武汉+李雷",
    )
    assert (lilei.joined_at, lilei.registered_at) == (
        datetime(2026, 2, 28, 16, tzinfo=UTC),
        house.now,
    )
    assert (meimei.role, meimei.locale, meimei.display_name, meimei.joined_at) == (
        "member",
        "zh-CN",
        "韩梅梅",
        house.now,
    )
    assert (lilei.charter_version, lilei.charter_acknowledged_at) == (0, None)
    assert house.rows(select(Case).where(Case.turn != "")) == []
    before = house.counts()
    again = house.bring(rows)
    assert ([entry.address for entry in again.known], again.new, house.counts()) == (
        [LILEI, MEIMEI],
        (),
        before,
    )
    assert house.deliver() == [("club.imported", LILEI), ("club.imported", MEIMEI)]
    house.tick(days=5)
    assert house.deliver() == []


@pytest.mark.postgres
def test_who_is_a_member_already_is_left_as_they_are(house: House) -> None:
    house.add(LILEI, "李雷", role="admin")
    house.bring(f"{HEAD}小李,{LILEI},成都,2020-01-01,en,成员\n陈某,{OWNER},,,,管理员\n")
    lilei, owner = house.person(LILEI), house.person(OWNER)
    assert (lilei.name, lilei.display_name, lilei.locale, lilei.role, lilei.joined_at) == (
        "李雷",
        "武汉+李雷",
        "zh-CN",
        "admin",
        house.now,
    )
    assert (owner.name, owner.role) == ("陈老师", "owner")
    assert house.letters() == []


@pytest.mark.postgres
def test_who_left_comes_back_as_the_person_they_were(house: House) -> None:
    before = house.add(LILEI, "李雷", status="departed", locale="en", role="admin")
    house.now += timedelta(days=1)
    house.bring(f"{HEAD}李雷,{LILEI},成都\n")
    lilei = house.person(LILEI)
    assert (lilei.id, lilei.status, lilei.role, lilei.display_name, lilei.locale) == (
        before,
        "member",
        "member",
        "成都+李雷",
        "en",
    )
    assert (lilei.joined_at, lilei.registered_at) == (house.now, house.now)


def test_a_second_return_brings_no_second_welcome(house: House) -> None:
    house.bring(f"{HEAD}李雷,{LILEI}\n")
    house.deliver()
    house.write(
        lambda session: session.execute(
            update(Person).where(Person.address == LILEI).values(status="departed")
        )
    )
    house.bring(f"{HEAD}李雷,{LILEI}\n")
    assert (house.person(LILEI).status, house.deliver()) == ("member", [])


def test_an_application_that_was_declined_and_is_looked_at_again_puts_no_imported_member_out(
    house: House,
) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.press(OWNER, "decline", note="不了。")
    house.bring(f"{HEAD}李雷,{LILEI}\n")
    house.press(OWNER, "undo")
    assert (
        house.case(LILEI).state,
        house.person(LILEI).status,
        house.person(LILEI).registered_at,
    ) == (
        "review",
        "member",
        house.now,
    )


def test_decisions_leave_before_five_hundred_welcomes(house: House) -> None:
    house.bring(f"{HEAD}李雷,{LILEI}\n")
    assert house.rows(select(Letter.priority)) == [BULK]


@pytest.mark.postgres
def test_five_hundred_rows_cost_as_many_selects_as_five(house: House) -> None:
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(house.db.writer, "before_cursor_execute", hear)
    counted = []
    for first, count in ((0, 5), (5, 500)):
        asked.clear()
        house.bring(
            "name,email\n"
            + "".join(f"n{number},a{number}@qq.com\n" for number in range(first, first + count))
        )
        counted.append(len([statement for statement in asked if statement.startswith("SELECT")]))
    event.remove(house.db.writer, "before_cursor_execute", hear)
    assert counted[0] == counted[1] <= 3
    assert len(house.letters("club.imported")) == 505


@pytest.mark.postgres
def test_members_are_listed_the_longest_standing_first(house: House) -> None:
    house.bring(f"{HEAD}李雷,{LILEI},武汉,2026-03-01\n林涛,{ADMIN},,,en,管理员\n")
    house.add("away@qq.com", status="departed")
    with house.read() as session:
        listed = members(session)
    assert [(row["name"], row["email"], row["role"], row["joined"]) for row in listed] == [
        ("李雷", LILEI, "member", "2026-02-28T16:00:00+00:00"),
        ("陈老师", OWNER, "owner", "2026-11-30T02:00:00+00:00"),
        ("林涛", ADMIN, "admin", "2026-11-30T02:00:00+00:00"),
    ]
