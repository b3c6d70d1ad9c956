"""Alive and ready: what a watcher of the service is told, and that it learns nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from engine.clock import machine_now
from engine.storage.models import Heartbeat
from engine.storage.unit_of_work import ClubSession
from tests.world import APPLICATION, World


def asked(world: World, path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    response = world.browser().get(path).response
    return response.status_code, response.json()


def set_beat(world: World, **ago: float) -> None:
    def unit(session: ClubSession) -> None:
        session.execute(
            update(Heartbeat)
            .where(Heartbeat.name == "sweep")
            .values(at=machine_now() - timedelta(**ago))
        )

    world.service.db.write(unit)


def running_since(world: World, **ago: float) -> None:
    world.service.started_at = machine_now() - timedelta(**ago)


@pytest.mark.postgres
def test_a_fresh_start_is_not_a_fault(world: World) -> None:
    assert asked(world) == (
        200,
        {
            "status": "starting",
            "database": "ok",
            "schema": "current",
            "last_tick": None,
            "tick_age_seconds": None,
        },
    )
    world.tick()
    status, body = asked(world)
    assert (status, body["status"], body["database"], body["schema"]) == (
        200,
        "ready",
        "ok",
        "current",
    )
    assert 0 <= body["tick_age_seconds"] < 30 and body["last_tick"].endswith("+00:00")


def test_pages_beside_a_dead_worker_are_not_ready_to_run_a_club(world: World) -> None:
    running_since(world, seconds=61)
    assert asked(world)[0] == 503
    world.tick()
    assert asked(world)[0] == 200
    set_beat(world, seconds=61)
    status, body = asked(world)
    assert (status, body["status"], body["database"]) == (503, "worker", "ok")
    assert body["tick_age_seconds"] >= 61
    running_since(world, seconds=1)
    assert asked(world)[1]["status"] == "starting"


def test_a_machine_s_clock_that_went_back_is_no_dead_worker(world: World) -> None:
    running_since(world, hours=1)
    world.tick()
    set_beat(world, hours=-2)
    assert asked(world)[1] | {"last_tick": None} == {
        "status": "ready",
        "database": "ok",
        "schema": "current",
        "last_tick": None,
        "tick_age_seconds": 0.0,
    }


@pytest.mark.postgres
@pytest.mark.parametrize(("revision", "says"), [("0001", "behind"), ("9999", "newer")])
def test_another_schema_is_not_ready(world: World, revision: str, says: str) -> None:
    world.service.db.write(
        lambda session: session.execute(
            text(f"UPDATE alembic_version SET version_num = '{revision}'")
        )
    )
    status, body = asked(world)
    assert (status, body["status"], body["schema"]) == (503, "schema", says)


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_database_that_is_gone_is_said_without_details(world: World) -> None:
    world.service.db.dispose()
    path = world.folder / "data" / "jiuniu.sqlite"
    for part in path.parent.glob("jiuniu.sqlite*"):
        part.unlink()
    path.mkdir()
    assert asked(world) == (
        503,
        {
            "status": "database",
            "database": "unreachable",
            "schema": None,
            "last_tick": None,
            "tick_age_seconds": None,
        },
    )
    assert asked(world, "/healthz") == (200, {"status": "ok"})


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_what_was_typed_is_shown_again_when_the_database_does_not_take_it(world: World) -> None:
    """SQLite's own limit of pages stands in for a disk that is full."""
    words = "读书\n" * 20_000
    page = world.browser().get("/jiuniu/join")
    with world.service.db.writer.connect() as connection:
        connection.exec_driver_sql(
            "PRAGMA max_page_count = 1"
        )  # no smaller than it is: it does not grow
    refused = world.press_as_a_person(page, **(APPLICATION | {"about": words}))
    assert (refused.status, refused.value("about"), world.ledger()) == (503, words, [])
    with world.service.db.writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert refused.press().status == 200
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]
    assert world.case("join", "lilei@qq.com").answers["about"] == words.strip()


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_what_the_owner_typed_at_the_desk_is_shown_again_too(world: World) -> None:
    world.add_member("lilei@qq.com", "李雷")
    words, lilei = "电话里说。\n" * 1_600, world.person("lilei@qq.com").id
    browser = world.sign_in("owner@qq.com")
    page = browser.get(f"/jiuniu/desk/people/{lilei}/departure")
    clauses = browser.get("/jiuniu/desk/settings/clauses").press(
        "preview", **{"text-0": "读书。" * 300}
    )
    with world.service.db.writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    refused, unsaved = page.press(why=words), clauses.press("save")
    assert (refused.status, refused.value("why")) == (503, words)
    with world.service.db.writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert (unsaved.status, unsaved.value("text-0"), unsaved.press().status) == (
        503,
        "读书。" * 300,
        200,
    )
    assert "读书。读书。" in browser.get("/jiuniu/").text
    assert (refused.press().status, world.person("lilei@qq.com").status) == (200, "departed")
