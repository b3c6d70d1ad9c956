"""A club that has outgrown its file moves to PostgreSQL, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from engine.clock import machine_now
from engine.operations.copy_database import MOVED, CannotMove, copy_database
from engine.storage.database import Database
from engine.storage.heartbeats import post_is_held
from engine.storage.models import Case, Club, Letter
from tests.club import LILEI, House
from tests.databases import databases

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_row_arrives_and_the_old_post_rests(house: House, kind: str) -> None:
    house.join()
    house.deliver()
    house.apply("hanmeimei@163.com", "form-2")
    before = house.counts()
    with house.read() as session:
        letters = [
            (letter.id, letter.state, letter.created_at, letter.bytes)
            for letter in session.execute(select(Letter)).scalars()
        ]
    target = Database(databases(kind).bare("moved-to"))
    try:
        moved = copy_database(house.db, target, machine_now())
        assert moved == {name: count for name, count in before.items() if name != "heartbeat"}
        with target.read(house.club_id) as session:
            there = [
                (letter.id, letter.state, letter.created_at, letter.bytes)
                for letter in session.execute(select(Letter)).scalars()
            ]
            case = session.execute(select(Case).where(Case.workflow == "study_plan")).scalar_one()
            assert sorted(there) == sorted(letters)
            assert (case.due_at, post_is_held(session)) == (
                house.case(LILEI, "study_plan").due_at,
                None,
            )
        with house.read() as session:
            rest = post_is_held(session)
        assert rest is not None and rest.why == MOVED
        assert house.claim() == []
    finally:
        target.dispose()


def test_a_database_with_a_club_in_it_is_left_alone(house: House) -> None:
    with pytest.raises(CannotMove, match="that is the database in use"):
        copy_database(house.db, house.db, machine_now())
    other = House(databases("sqlite"), "other")
    with pytest.raises(CannotMove, match="there is a club in that database already"):
        copy_database(house.db, other.db, machine_now())
    assert other.rows(select(Club.slug)) == ["jiuniu"]
    with house.read() as session:
        assert post_is_held(session) is None
    other.end()


def test_a_file_by_another_name_is_the_database_in_use(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    source, same = (
        Database(f"sqlite:///{tmp_path}/club.sqlite"),
        Database(f"sqlite:///{tmp_path}/inner/../club.sqlite"),
    )
    with pytest.raises(CannotMove, match="that is the database in use"):
        copy_database(source, same, machine_now())
