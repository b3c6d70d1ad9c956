"""Trouble around the service is noticed: a database out of reach, a dead worker, odd clocks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text, update

from engine.clock import machine_now
from engine.operations import database_clock
from engine.operations.database_clock import DatabaseClock
from engine.storage.heartbeats import note_skew
from engine.storage.models import Heartbeat
from engine.storage.unit_of_work import ClubSession
from mailers.queue.outbox import claim
from tests.world import APPLICATION, World

OWNER, DESK = "owner@qq.com", "/jiuniu/desk"
sqlite_only = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("template", ["postgresql"], indirect=True)
WORDS = "想认真读书。" * 500


def ready(world: World) -> tuple[int, str, str]:
    response = world.browser().get("/readyz").response
    body = response.json()
    return response.status_code, body["status"], body["database"]


def database_file(world: World) -> Path:
    return Path(world.service.db.url.database or "")


@contextmanager
def moved_away(world: World, *, copied: bool) -> Iterator[None]:
    path = database_file(world)
    other = path.with_name("elsewhere")
    other.mkdir()
    parts = [part for part in path.parent.glob(f"{path.name}*") if part.is_file()]
    for part in parts:
        part.rename(other / part.name)
    if copied:
        shutil.copy(other / path.name, path)
    yield
    for part in parts:
        os.replace(other / part.name, part)


@sqlite_only
@pytest.mark.parametrize("copied", [False, True], ids=["gone", "another one in its place"])
def test_d4_a_database_file_that_was_moved_away_takes_nothing_and_is_noticed_at_once(
    world: World, copied: bool
) -> None:
    world.tick()
    assert ready(world)[:2] == (200, "ready")
    page = world.browser().get("/jiuniu/join")
    with moved_away(world, copied=copied):
        assert ready(world) == (503, "database", "unreachable")
        refused = world.press_as_a_person(page, **(APPLICATION | {"about": WORDS}))
        assert (refused.status, refused.value("about")) == (503, WORDS)
        assert world.browser().get("/jiuniu/").status == 503
        assert database_file(world).exists() == copied  # no empty one begins by its name
    assert ready(world)[:2] == (200, "ready")
    assert refused.press().status == 200
    assert world.case("join", APPLICATION["email"]).answers["about"] == WORDS


@contextmanager
def read_only_sqlite(world: World) -> Iterator[None]:
    def refuse_writes(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    engine = world.service.db.writer
    event.listen(engine, "connect", refuse_writes)
    engine.dispose()
    yield
    event.remove(engine, "connect", refuse_writes)


@contextmanager
def read_only_postgresql(world: World) -> Iterator[None]:
    """As on a standby, or as an administrator who wants no writes for a while."""
    db = world.service.db
    switch = f'ALTER DATABASE "{db.url.database}" SET default_transaction_read_only = '
    with db.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"{switch} on"))
    db.writer.dispose()
    yield
    with db.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"{switch} off"))
        connection.invalidate()


@pytest.mark.postgres
def test_d5_a_database_that_turns_read_only_is_out_of_reach_and_back_by_itself(
    world: World,
) -> None:
    world.tick()
    page = world.browser().get("/jiuniu/join")
    owner = world.sign_in(OWNER)
    read_only = read_only_sqlite if world.service.db.is_sqlite else read_only_postgresql
    with read_only(world):
        assert ready(world) == (503, "database", "read-only")
        refused = world.press_as_a_person(page, **(APPLICATION | {"about": WORDS}))
        assert (refused.status, refused.value("about")) == (503, WORDS)
        assert world.browser().get("/jiuniu/").status == 200
        away = owner.get(DESK).press("away", until="2026-12-24")
        assert away.status == 503
    assert ready(world)[:2] == (200, "ready")
    assert refused.press().status == 200
    world.tick()
    assert [row["state"] for row in world.ledger(letter="join.confirm_address")] == ["sent"]


def kill_worker(world: World, **ago: float) -> None:
    """As if its last sweep had been so long ago."""

    def unit(session: ClubSession) -> None:
        at = machine_now() - timedelta(**ago)
        session.execute(update(Heartbeat).where(Heartbeat.name == "sweep").values(at=at))

    world.service.db.write(unit)
    world.service.started_at = machine_now() - timedelta(days=1)


PAGES = (DESK, f"{DESK}/waiting", f"{DESK}/letters", f"{DESK}/people", f"{DESK}/settings")
ALL_IS_WELL = ("可以泡杯茶了", "信都送到了")
STANDS_STILL = "后台程序没有在运行"


def test_d6_no_page_says_that_all_is_well_while_the_worker_is_dead(world: World) -> None:
    """With nothing in the queue."""
    owner = world.sign_in(OWNER)
    assert "可以泡杯茶了" in owner.get(DESK).text and STANDS_STILL not in owner.get(DESK).text
    kill_worker(world, minutes=10)
    assert ready(world)[:2] == (503, "worker")
    for path in PAGES:
        page = owner.get(path).text
        assert STANDS_STILL in page, path
        assert [words for words in ALL_IS_WELL if words in page] == [], path
    world.tick()
    assert ready(world)[:2] == (200, "ready")
    assert "可以泡杯茶了" in owner.get(DESK).text and STANDS_STILL not in owner.get(DESK).text


def test_d6_an_admin_reads_it_too(world: World) -> None:
    world.add_member("admin@qq.com", "周敏", role="admin")
    admin = world.sign_in("admin@qq.com")
    kill_worker(world, minutes=10)
    for path in (DESK, f"{DESK}/waiting"):
        page = admin.get(path).text
        assert (STANDS_STILL in page, "可以泡杯茶了" in page) == (True, False), path


def ahead(seconds: float) -> Any:
    real = database_clock.machine_now

    def now() -> datetime:
        return real() + timedelta(seconds=seconds)

    return now


@postgresql_only
@pytest.mark.postgres
@pytest.mark.parametrize("seconds", [90, -90, 3600])
def test_d15_a_host_whose_clock_differs_takes_back_nothing_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    owner = world.sign_in(OWNER)
    world.apply()
    db, lease = world.service.db, timedelta(seconds=30)
    [claimed] = db.write(claim, world.now, DatabaseClock(db).now() + lease, 20)
    monkeypatch.setattr(database_clock, "machine_now", ahead(seconds))
    monkeypatch.setattr(database_clock, "host_name", lambda: "second")
    world.ticker.tick_leases()
    world.ticker.tick_sweep()
    [row] = world.ledger(letter="join.confirm_address")
    assert (row["id"], row["state"]) == (claimed.letter_id, "claimed")
    assert ready(world)[:2] == (200, "ready")
    assert "时间不一致" in owner.get(DESK).text and "可以泡杯茶了" not in owner.get(DESK).text


def test_d15_another_host_s_clock_is_told_on_the_desk(world: World) -> None:
    owner = world.sign_in(OWNER)
    world.service.db.write(note_skew, "second", timedelta(seconds=90), machine_now())
    assert "时间不一致" in owner.get(DESK).text and "second" in owner.get(DESK).text
    world.service.db.write(note_skew, "second", timedelta(seconds=1), machine_now())
    assert "时间不一致" not in owner.get(DESK).text
