"""Readers cannot write and see one snapshot; a dead idle connection is replaced unseen."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from engine.storage import engines
from engine.storage.models import Club
from tests.club import House
from tests.web.test_process import wait_for

pytestmark = pytest.mark.postgres


def test_a_reader_cannot_write(house: House) -> None:
    with house.db.read() as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(update(Club).values(name="another"))
    assert house.rows(select(Club.name)) != ["another"]


def test_a_page_sees_one_moment(house: House) -> None:
    counted = select(func.count()).select_from(Club).where(Club.name == "another")
    with house.db.read() as page:
        before = page.execute(counted).scalar_one()
        house.write(lambda session: session.execute(update(Club).values(name="another")) and None)
        assert (before, page.execute(counted).scalar_one()) == (0, 0)
    with house.db.read() as page:
        assert page.execute(counted).scalar_one() == 1


OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.mark.parametrize(
    "template", ["postgresql"], indirect=True
)  # a file has nobody who could hang up
@pytest.mark.parametrize(
    "rest", [0.0, 3600.0], ids=["asked after its rest", "seen to have hung up"]
)
def test_a_connection_that_died_while_it_rested_is_replaced(
    house: House, monkeypatch: pytest.MonkeyPatch, rest: float
) -> None:
    monkeypatch.setattr(engines, "_IDLE_SECONDS", rest)
    names = house.rows(select(Club.name))
    house.write(
        lambda session: session.execute(text(f"SELECT pg_terminate_backend(pid) {OTHERS}")) and None
    )
    wait_for(
        lambda: (
            house.write(
                lambda session: session.execute(text(f"SELECT count(*) {OTHERS}")).scalar_one()
            )
            == 0
        )
    )
    assert house.rows(select(Club.name)) == names
