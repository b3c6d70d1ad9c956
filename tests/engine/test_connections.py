"""Readers cannot write, see one moment, and a connection that died while it rested is replaced unseen."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from engine import connections
from engine.models import Club
from tests.club import House


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


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)  # a file has nobody who could hang up
def test_a_connection_that_died_while_it_rested_is_replaced(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_REST", 0.0)
    names = house.rows(select(Club.name))
    everybody_else = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    house.write(lambda session: session.execute(text(everybody_else)) and None)
    assert house.rows(select(Club.name)) == names
