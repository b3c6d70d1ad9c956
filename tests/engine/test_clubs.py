"""Clubs, the database beneath them, and what is forgotten."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from engine.cases.erasure import erase_person
from engine.club.context import all_clubs, by_slug
from engine.security.rate_limits import CONFIRMATION_MAILS, Limit, delete_old_rates, hit
from engine.setup.club_admin import RESERVED_SLUGS, BadClub, apply_charter, remove_demo
from engine.storage.database import across_clubs, enter_club, in_club
from engine.storage.models import Case, CharterChange, Club, Event, Letter, Person, Rate, WebSession
from engine.storage.unit_of_work import ClubSession, OutsideClub
from tests.club import LILEI, MEIMEI, MONDAY, OWNER, PLAN, House

# Founding


@pytest.mark.postgres
def test_a_club_begins_with_its_owner_its_charter_and_its_daily_letter(house: House) -> None:
    owner = house.person(OWNER)
    assert (owner.role, owner.status, owner.charter_version, owner.joined_at) == (
        "owner",
        "member",
        1,
        MONDAY,
    )
    assert (
        house.counts() | {"club": 1, "person": 1, "charter_change": 1, "schedule": 2}
        == house.counts()
    )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"slug": "Club"}, "--slug"),
    ({"slug": ""}, "--slug"),
    ({"slug": "-a"}, "--slug"),
    ({"slug": "a" * 41}, "--slug"),
    ({"slug": "九牛"}, "--slug"),
    ({"slug": "a\n"}, "--slug"),
    ({"slug": "jiuniu"}, "--slug"),
    *(({"slug": slug}, "--slug") for slug in sorted(RESERVED_SLUGS)),
    ({"name": " "}, "--name"),
    ({"name": "x" * 81}, "--name"),
    ({"name": "a\nb"}, "--name"),
    ({"owner_name": ""}, "--owner-name"),
    ({"zone": "Beijing"}, "--timezone"),
    ({"zone": ""}, "--timezone"),
    ({"zone": "../etc/passwd"}, "--timezone"),
    ({"locale": "fr"}, "--locale"),
    ({"owner_email": "me"}, "--owner-email"),
]


@pytest.mark.parametrize(("given", "option"), WRONG, ids=str)
def test_what_a_club_cannot_be_is_refused_with_the_option(
    house: House, given: dict[str, Any], option: str
) -> None:
    before = house.counts()
    with pytest.raises(BadClub) as wrong:
        house.found(**{"slug": "other"} | given)
    assert str(wrong.value).startswith(f"{option}: ")
    assert house.counts() == before


@pytest.mark.postgres
def test_a_new_charter_is_a_new_version_and_an_equal_one_is_none(house: House) -> None:
    charter = house.rows(select(Club.charter).where(Club.id == house.club_id))[0]
    assert house.db.write(apply_charter, house.club_id, charter, house.now) == 1
    charter = charter | {"numbers": charter["numbers"] | {"plan_days": 10}}
    assert house.db.write(apply_charter, house.club_id, charter, house.now) == 2
    assert house.rows(select(CharterChange.version).order_by(CharterChange.version)) == [1, 2]


def test_a_new_charter_holds_for_later_entries_only(house: House) -> None:
    house.join()
    due = house.case(LILEI, "study_plan").due_at
    charter = house.rows(select(Club.charter).where(Club.id == house.club_id))[0]
    house.db.write(
        apply_charter,
        house.club_id,
        charter | {"numbers": charter["numbers"] | {"plan_days": 10}},
        house.now,
    )
    house.join(MEIMEI, "form-2")
    assert (house.case(LILEI, "study_plan").due_at, house.case(MEIMEI, "study_plan").due_at) == (
        due,
        due + timedelta(days=7),
    )


@pytest.mark.postgres
def test_the_demo_goes_without_a_trace_and_a_real_club_stays(house: House) -> None:
    house.join()
    before = house.counts()
    demo = House.__new__(House)
    demo.__dict__ |= house.__dict__
    demo.club_id = house.found(slug="demo", is_demo=True)
    demo.join(MEIMEI)
    demo.press(MEIMEI, "submit", MEIMEI, "study_plan", answers=PLAN)
    assert house.db.write(remove_demo) is True
    assert house.counts() == before
    assert house.db.write(remove_demo) is False
    with house.read() as session:
        assert [club.slug for club in all_clubs(session)] == ["jiuniu"]
        assert by_slug(session, "demo") is None


# One club never sees another's rows


@pytest.fixture
def two(house: House) -> tuple[House, int]:
    house.join()
    return house, house.found(slug="other", name="Other", owner_email="other@qq.com")


@pytest.mark.parametrize(
    "query",
    [
        select(Person),
        select(Person.id),
        select(func.count()).select_from(Event),
        select(func.min(Case.wake_at)),
        select(Case, Person).join(Person, Person.id == Case.person_id),
        select(Club.id).where(select(Person.id).exists()),
        update(Letter).values(state="held"),
    ],
    ids=str,
)
def test_a_query_on_a_clubs_rows_outside_a_club_fails(two: tuple[House, int], query: Any) -> None:
    def unit(session: ClubSession) -> None:
        session.execute(query)

    with pytest.raises(OutsideClub):
        two[0].db.write(unit)


@pytest.mark.postgres
def test_the_rows_of_another_club_are_not_there(two: tuple[House, int]) -> None:
    house, other = two
    case = house.case(LILEI)
    with house.db.read(other) as session:
        assert session.execute(select(Person.address)).scalars().all() == ["other@qq.com"]
        assert session.execute(select(func.count()).select_from(Event)).scalar_one() == 0
        assert session.execute(select(func.min(Case.wake_at))).scalar_one() is None
        assert session.execute(select(Case.id).join(Event, Event.case_id == Case.id)).all() == []
        assert session.get(Case, (house.club_id, case.id)) is None


@pytest.mark.postgres
def test_another_clubs_rows_can_be_neither_changed_nor_added_to(two: tuple[House, int]) -> None:
    house, other = two

    def change(session: ClubSession) -> int:
        enter_club(session, other)
        return session.execute(update(Letter).values(state="held")).rowcount  # type: ignore[attr-defined]

    def add(session: ClubSession) -> None:
        enter_club(session, other)
        session.add(
            Person(club_id=house.club_id, address="x@qq.com", address_hash="x", locale="en")
        )

    assert house.db.write(change) == 0
    with pytest.raises(OutsideClub):
        house.db.write(add)


@pytest.mark.postgres
def test_only_a_marked_function_looks_across_clubs_and_the_mark_ends_with_it(
    two: tuple[House, int],
) -> None:
    @across_clubs
    def owners(session: ClubSession) -> list[str | None]:
        return sorted(
            session.execute(select(Person.address).where(Person.role == "owner")).scalars()
        )  # type: ignore[type-var]

    def unit(session: ClubSession) -> list[str | None]:
        found = owners(session)
        with pytest.raises(OutsideClub):
            session.execute(select(Person))
        with in_club(session, two[1]):
            assert session.execute(select(Person.address)).scalars().all() == ["other@qq.com"]
        with pytest.raises(OutsideClub):
            session.execute(select(Person))
        return found

    assert two[0].db.write(unit) == ["other@qq.com", OWNER]


# Reading and writing


@pytest.mark.postgres
def test_a_reader_cannot_write(house: House) -> None:
    with house.read() as session, pytest.raises(DBAPIError):
        session.execute(update(Person).values(name="x"))


@pytest.mark.postgres
def test_a_unit_that_fails_leaves_nothing(house: House) -> None:
    before = house.counts()

    def unit(session: ClubSession) -> None:
        session.add(Person(address="x@qq.com", address_hash="x", locale="en"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        house.write(unit)
    assert house.counts() == before
    house.add("y@qq.com")


@pytest.mark.postgres
def test_four_threads_with_fifty_units_each_lose_nothing(house: House) -> None:
    def count(session: ClubSession) -> None:
        person = session.execute(select(Person)).scalar_one()
        person.link_epoch += 1

    threads = [Thread(target=lambda: [house.write(count) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert house.person(OWNER).link_epoch == 201


@pytest.mark.postgres
def test_a_unit_that_queued_a_letter_wakes_the_post_after_its_commit(house: House) -> None:
    woken: list[tuple[int, int]] = []
    house.db.on_letters = lambda count: woken.append((count, house.counts()["letter"]))
    house.apply()
    house.add("x@qq.com")
    assert woken == [(1, 1)]


# Rates


@pytest.mark.postgres
def test_a_limit_counts_per_window_and_person_and_keeps_only_a_hash(house: House) -> None:
    limit = Limit("test", 2, timedelta(hours=1))
    assert [house.db.write(hit, limit, LILEI, MONDAY) for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert house.db.write(hit, limit, MEIMEI, MONDAY)
    assert house.db.write(hit, limit, LILEI, MONDAY + timedelta(hours=1))
    with house.db.read() as session:
        assert [
            LILEI in rate.who or len(rate.who) != 64
            for rate in session.execute(select(Rate)).scalars()
        ] == [False] * 3


@pytest.mark.postgres
def test_old_windows_are_forgotten_and_the_running_one_is_kept(house: House) -> None:
    for days in (0, 1):
        house.db.write(hit, CONFIRMATION_MAILS, LILEI, MONDAY + timedelta(days=days))
    house.db.write(delete_old_rates, MONDAY + timedelta(days=1))
    assert house.counts()["rate"] == 1


# Erasure


def erase(house: House, address: str) -> Person:
    key = house.person(address).id
    house.write(
        lambda session: erase_person(session, session.get_one(Person, (house.club_id, key)))
    )
    return house.rows(select(Person).where(Person.id == key))[0]


@pytest.mark.postgres
def test_an_erased_person_leaves_bare_facts_and_no_words(house: House) -> None:
    house.join()
    house.deliver()
    key = house.person(LILEI).id
    house.write(
        lambda session: session.add(
            WebSession(person_id=key, secret_hash="s", link="l", started_at=MONDAY, ends_at=MONDAY)
        )
    )
    person = erase(house, LILEI)
    assert (
        person.status,
        person.address,
        person.address_hash,
        person.name,
        person.display_name,
    ) == ("erased", None, None, "", "")
    assert (
        house.rows(
            select(Letter.id).where(
                (Letter.person_id == key) | (Letter.about_id == key), Letter.bytes.is_not(None)
            )
        )
        == []
    )
    mine = select(Case.id).where(Case.person_id == key)
    assert house.rows(select(Case.answers).where(Case.person_id == key)) == [{}, {}]
    assert [
        event
        for event in house.rows(select(Event).where(Event.case_id.in_(mine)))
        if event.answers or event.note
    ] == []
    assert house.rows(select(WebSession.id).where(WebSession.person_id == key)) == []


@pytest.mark.postgres
def test_of_somebody_removed_the_hash_and_the_moment_stay(house: House) -> None:
    house.join()
    house.live(until=house.now + timedelta(days=7), hours=6)
    house.press(OWNER, "remove", workflow="study_plan", note="两次。")
    before = house.person(LILEI)
    person = erase(house, LILEI)
    assert (person.address, person.address_hash, person.removed_at) == (
        None,
        before.address_hash,
        before.removed_at,
    )
    house.apply(form="form-2")
    assert (house.person(LILEI).id, house.person(LILEI).status) == (person.id, "applicant")


@pytest.mark.postgres
def test_an_application_nobody_confirmed_is_gone_with_its_person(house: House) -> None:
    house.apply()
    house.deliver()
    house.tick(days=4)
    person = house.rows(select(Person).where(Person.role != "owner"))[0]
    assert (person.status, person.address, person.address_hash) == ("erased", None, None)
    assert house.rows(select(Case.answers)) == [{}]
    assert [event.answers for event in house.rows(select(Event))] == [{}, {}]
    assert house.rows(select(Letter.bytes)) == [None]
