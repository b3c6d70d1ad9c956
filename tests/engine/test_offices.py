"""Deciders: owner, admins as deputies, the fallback; no one about themself.

Clause 2.1, the decided rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.charter.model import shipped_charter
from engine.club.authority import has_role, holders, in_place_of, role_includes, set_absence
from engine.declare.roles import Role, admins, anyone, members, owner, person, reviewer
from engine.reports.worklists import waiting_for
from engine.setup.club_admin import apply_charter
from engine.storage.models import Case, Person
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, House

SECOND = "second@qq.com"
EVERYBODY = (OWNER, ADMIN, SECOND, LILEI, MEIMEI)


@pytest.fixture
def full(house: House) -> House:
    """An owner, two admins, two members."""
    for address, role in (
        (ADMIN, "admin"),
        (SECOND, "admin"),
        (LILEI, "member"),
        (MEIMEI, "member"),
    ):
        house.add(address, role=role)
    return house


def change(house: House, address: str, **values: Any) -> None:
    house.write(
        lambda session: session.execute(
            update(Person).where(Person.address == address).values(**values)
        )
    )


def deputies(house: House, *names: str) -> None:
    charter = shipped_charter("zh-CN").plain() | {"deputies": list(names)}
    house.db.write(apply_charter, house.club_id, charter, house.now)


def matter(house: House, about: str, workflow: str = "study_plan") -> int:
    return house.open(about, workflow)


def who_holds(house: House, role: Role, case_id: int) -> list[str]:
    with house.read() as session:
        case = session.get_one(Case, (house.club_id, case_id))
        everybody = session.execute(select(Person).order_by(Person.id)).scalars().all()
        return [
            someone.address or "" for someone in everybody if has_role(session, role, someone, case)
        ]


def who_is_asked(house: House, role: Role, case_id: int) -> list[str]:
    with house.read() as session:
        return [
            someone.address or ""
            for someone in holders(session, role, session.get_one(Case, (house.club_id, case_id)))
        ]


@pytest.mark.parametrize(
    ("role", "held_by", "asked"),
    [
        (person, [LILEI], [LILEI]),
        (owner, [OWNER], [OWNER]),
        (reviewer, [OWNER, ADMIN, SECOND], [OWNER]),
        (admins, [ADMIN, SECOND], [ADMIN, SECOND]),
        (members, [*EVERYBODY], [*EVERYBODY]),
        (admins | owner, [OWNER, ADMIN, SECOND], [OWNER, ADMIN, SECOND]),
        (owner | person, [OWNER, LILEI], [OWNER, LILEI]),
        (anyone, [*EVERYBODY], []),
    ],
    ids=str,
)
def test_who_holds_a_role_and_who_is_asked(
    full: House, role: Role, held_by: list[str], asked: list[str]
) -> None:
    case = matter(full, LILEI)
    assert (who_holds(full, role, case), who_is_asked(full, role, case)) == (held_by, asked)


def test_admins_review_only_where_the_charter_names_them_as_deputies(full: House) -> None:
    deputies(full, "join")
    assert who_holds(full, reviewer, matter(full, LILEI)) == [OWNER]


def test_nobody_decides_about_themself_and_the_turn_passes_on(full: House) -> None:
    about_admin, about_owner = matter(full, ADMIN), matter(full, OWNER)
    assert who_holds(full, reviewer, about_admin) == [OWNER, SECOND]
    assert who_holds(full, admins, about_admin) == [SECOND]
    assert who_holds(full, owner, about_owner) == [ADMIN, SECOND]
    assert who_is_asked(full, reviewer, about_owner) == [ADMIN, SECOND]
    deputies(full)
    assert who_holds(full, reviewer, about_owner) == [ADMIN, SECOND]


def test_the_only_admins_own_matter_passes_to_the_owner(full: House) -> None:
    change(full, SECOND, role="member")
    case = matter(full, ADMIN)
    assert (who_holds(full, admins, case), who_is_asked(full, admins, case)) == ([OWNER], [OWNER])


def test_without_admins_the_owner_takes_their_turn(full: House) -> None:
    for address in (ADMIN, SECOND):
        change(full, address, role="member")
    case = matter(full, LILEI)
    assert (who_holds(full, admins, case), who_is_asked(full, admins, case)) == ([OWNER], [OWNER])
    assert who_is_asked(full, reviewer, matter(full, OWNER)) == []


def test_while_the_owner_is_away_the_admins_are_asked_to_review_but_not_to_remove(
    full: House,
) -> None:
    deputies(full)
    full.db.write(set_absence, full.club_id, full.person(OWNER).id, full.now + timedelta(days=5))
    case = matter(full, LILEI)
    assert (who_holds(full, reviewer, case), who_is_asked(full, reviewer, case)) == (
        [OWNER, ADMIN, SECOND],
        [ADMIN, SECOND],
    )
    assert (who_holds(full, owner, case), who_is_asked(full, owner, case)) == ([OWNER], [OWNER])


def test_an_absence_ends_with_the_morning_after_it(full: House) -> None:
    full.db.write(set_absence, full.club_id, full.person(OWNER).id, full.now + timedelta(days=2))
    full.live(until=full.now + timedelta(days=1))
    assert full.person(OWNER).away_until is not None
    full.live(until=full.now + timedelta(days=2))
    assert full.person(OWNER).away_until is None


def test_an_owner_who_is_away_and_has_nobody_is_asked_all_the_same(house: House) -> None:
    house.add(LILEI)
    house.db.write(
        set_absence, house.club_id, house.person(OWNER).id, house.now + timedelta(days=5)
    )
    assert who_is_asked(house, reviewer, matter(house, LILEI)) == [OWNER]


def test_the_history_says_in_whose_place_a_deputy_decided(full: House) -> None:
    full.apply("new@qq.com")
    full.press("new@qq.com", "confirm", "new@qq.com")
    full.press(ADMIN, "approve", "new@qq.com")
    decision = full.events(full.case("new@qq.com"))[-1]
    assert (decision.who_id, decision.on_behalf_of_id) == (
        full.person(ADMIN).id,
        full.person(OWNER).id,
    )


def test_the_owner_decides_in_their_own_name(full: House) -> None:
    full.apply("new@qq.com")
    full.press("new@qq.com", "confirm", "new@qq.com")
    full.press(OWNER, "approve", "new@qq.com")
    decision = full.events(full.case("new@qq.com"))[-1]
    assert (decision.who_id, decision.on_behalf_of_id) == (full.person(OWNER).id, None)
    with full.read() as session:
        case = session.get_one(Case, (full.club_id, decision.case_id))
        assert (
            in_place_of(
                session, owner, session.get_one(Person, (full.club_id, full.person(ADMIN).id)), case
            )
            is None
        )


@pytest.mark.parametrize("named", [(), ("join",), ("join", "study_plan", "reflection")])
@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("ranks", [("admin", "admin"), ("admin", "member"), ("member", "member")])
def test_what_waits_on_a_desk_is_what_its_decider_may_decide(
    full: House, named: tuple[str, ...], away: bool, ranks: tuple[str, str]
) -> None:
    for address, rank in zip((ADMIN, SECOND), ranks, strict=True):
        change(full, address, role=rank)
    deputies(full, *named)
    if away:
        full.db.write(
            set_absence, full.club_id, full.person(OWNER).id, full.now + timedelta(days=5)
        )
    for about in EVERYBODY:
        full.open(about, "study_plan")
        full.press(about, "submit", about, "study_plan", answers={"goals": "一", "plan": "二"})
        full.open(about, "nomination", key=f"n-{about}", answers={"why": "一", "plan": "二"})
    with full.read() as session:
        cases = session.execute(select(Case).where(Case.turn != "")).scalars().all()
        for address in EVERYBODY:
            someone = session.get_one(Person, (full.club_id, full.person(address).id))
            expected = {
                case.id
                for case in cases
                if case.turn in ("reviewer", "owner")
                and has_role(session, Role((case.turn,)), someone, case)
            }
            assert {found.case.id for found in waiting_for(session, someone)} == expected


def test_what_nobody_else_could_decide_is_granted_and_says_so(house: House) -> None:
    """An owner's own plan, in a club without admins."""
    house.open(OWNER, "study_plan")
    house.press(OWNER, "submit", OWNER, "study_plan", answers={"goals": "一", "plan": "二"})
    assert house.story(house.case(OWNER, "study_plan"))[-2:] == [
        ("submit", "review"),
        ("granted", "accepted"),
    ]


def test_a_role_without_a_case_names_its_members(full: House) -> None:
    found = {
        address: [
            str(role)
            for role in (owner, admins, members)
            if role_includes(role, full.person(address))
        ]
        for address in EVERYBODY
    }
    assert found == {
        OWNER: ["owner", "members"],
        ADMIN: ["admins", "members"],
        SECOND: ["admins", "members"],
        LILEI: ["members"],
        MEIMEI: ["members"],
    }
