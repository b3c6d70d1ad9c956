"""What the doctor finds, and its exit status."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import make_url, text, update

from engine.clock import machine_now
from engine.operations import installation_checks
from engine.outbox.delivery_log import hold_all
from engine.storage.database import Database
from engine.storage.engines import sqlite_module
from engine.storage.models import Heartbeat
from engine.storage.unit_of_work import ClubSession
from mailers.dev_mailbox import free_port
from tests.databases import Databases
from tests.mailers.scripted import Scripted
from tests.shell import Shell
from tests.world import World
from web.commands.doctor import answers, base_url, examine

# The database's own checks differ; those of PostgreSQL have a story of their own below.
ON_SQLITE = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


@pytest.fixture
def real(begin: Callable[..., World]) -> World:
    """A club on real time whose worker runs."""
    world = begin()
    (world.folder / "clock-file").unlink()
    world.found_club()
    world.tick()
    (world.folder / "data").chmod(0o700)
    return world


def verdicts(world: World) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in examine(world.service)}


def found(world: World, check: str) -> installation_checks.Finding:
    [finding] = [finding for finding in examine(world.service) if finding.check == check]
    return finding


HEALTHY = {
    "mail server": "ok",
    "sender": "ok",
    "dns": "not checked",
    "base url": "ok",
    "reachable": "ok",
    "database": "ok",
    "schema": "ok",
    "clock": "ok",
    "worker": "ok",
    "channel": "ok",
    "letters": "ok",
    "rows": "ok",
    "secret key": "ok",
    "data folder": "ok",
}


@pytest.mark.postgres
def test_a_healthy_installation(real: World) -> None:
    assert verdicts(real) == HEALTHY
    before = len(real.mails)
    shell = Shell(real.same_data)
    shell.environment |= {
        "JIUNIU_SMTP_URL": real.sink.url,
        "JIUNIU_MAIL_FROM": "post@jiuniu.example",
        "JIUNIU_PORT": real.base.strip("/").rpartition(":")[2],
    }
    assert {row["check"]: row["verdict"] for row in shell.json("doctor")} == HEALTHY
    told = shell("doctor")
    assert told.returncode == 0 and told.stdout.startswith("ok          mail server 127.0.0.1:")
    assert len(told.stdout.splitlines()) == len(HEALTHY)
    broken = shell("doctor", "--json", JIUNIU_SMTP_URL=f"smtp://127.0.0.1:{free_port()}")
    assert broken.returncode == 1
    assert [row["check"] for row in json.loads(broken.stdout) if row["verdict"] == "wrong"] == [
        "mail server"
    ]
    assert set(json.loads(broken.stdout)[0]) == {"check", "verdict", "says", "do"}
    assert len(real.mails) == before, "the doctor sends nothing"


def test_worker_channel_letters_and_a_post_that_rests(real: World) -> None:
    def old_beat(session: ClubSession) -> None:
        session.execute(
            update(Heartbeat)
            .where(Heartbeat.name == "sweep")
            .values(at=machine_now() - timedelta(minutes=5))
        )

    real.service.db.write(old_beat)
    assert found(real, "worker").verdict == "wrong"
    real.sink.replies["RCPT"] = "550 5.1.1 user unknown"
    real.apply()
    real.tick()
    assert (
        found(real, "letters").says == "0 ready to leave, 0 turned away for now, 0 held, 1 failed"
    )
    assert found(real, "letters").verdict == "warning"
    real.sink.replies["RCPT"] = "450 greylisted"
    real.apply(email="wangwu@163.com")
    real.tick()
    assert (
        found(real, "letters").says == "0 ready to leave, 1 turned away for now, 0 held, 1 failed"
    )
    real.sink.replies["RCPT"] = "421 too busy"
    real.apply(email="hanmeimei@163.com")
    real.tick()
    assert (
        found(real, "channel").verdict == "wrong" and "421 too busy" in found(real, "channel").says
    )
    real.service.db.write(hold_all, machine_now())
    assert found(real, "post").verdict == "warning" and "release --all" in found(real, "post").do


@pytest.mark.postgres
def test_letters_that_wait_too_long(real: World) -> None:
    real.apply()
    with real.service.db.read() as session:
        assert installation_checks.letters(session, real.now)[-1].verdict == "ok"
        assert (
            installation_checks.letters(session, real.now + timedelta(minutes=16))[-1].verdict
            == "warning"
        )


def test_a_moved_clock(real: World) -> None:
    file = real.folder / "clock-file"
    file.write_text("+3d2h")
    assert (
        found(real, "clock").verdict == "wrong" and "3 days, 2:00:00" in found(real, "clock").says
    )
    assert installation_checks.clock(file, real_club=False).verdict == "warning"
    file.write_text("tomorrow")
    assert installation_checks.clock(file, real_club=False).verdict == "wrong"


@ON_SQLITE
def test_who_may_read_key_and_folder(real: World) -> None:
    (real.folder / "data" / "secret-key").chmod(0o644)
    (real.folder / "data").chmod(0o755)
    assert (found(real, "secret key").verdict, found(real, "data folder").verdict) == (
        "wrong",
        "warning",
    )
    (real.folder / "data" / "secret-key").unlink()
    assert found(real, "secret key").says == "from JIUNIU_SECRET_KEY"


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("free", "verdict"), [(50 * 1024**2, "wrong"), (500 * 1024**2, "warning"), (5 * 1024**3, "ok")]
)
def test_room_on_the_disk(
    real: World, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free, 0, free))
    assert found(real, "data folder").verdict == verdict


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    [finding] = installation_checks.data_folder(tmp_path / "gone")
    assert finding.verdict == "wrong"


@ON_SQLITE
def test_an_old_sqlite_another_schema_and_damage(
    real: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old:
        sqlite_version, sqlite_version_info = "3.51.2", (3, 51, 2)

    with monkeypatch.context() as patch:
        patch.setattr(installation_checks, "sqlite_module", lambda: Old)
        assert (
            found(real, "database").verdict == "warning"
            and "WAL-reset" in found(real, "database").says
        )
    real.service.db.write(
        lambda session: session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    )
    assert found(real, "schema") == installation_checks.Finding(
        "schema",
        "wrong",
        f"behind: this version needs {installation_checks.schema.newest()}",
        "run `db upgrade`",
    )


@ON_SQLITE
def test_a_damaged_file_is_said(template: Databases, tmp_path: Path) -> None:
    module, path = sqlite_module(), tmp_path / "damaged.sqlite"
    shutil.copy(make_url(template.empty("damaged")).database or "", path)
    with module.connect(path) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'person'"
        ).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(os.urandom(size))
    db = Database(f"sqlite:///{path}")
    findings = list(installation_checks.database(db))
    db.dispose()
    assert (findings[0].check, findings[0].verdict) == ("database", "wrong")


def test_the_base_url_and_who_answers_there(real: World) -> None:
    def at(**changed: Any) -> Any:
        return type(
            "Changed", (), {"base_url": "", "is_unsafe": False, "mail_server": None} | changed
        )()

    assert base_url(at(base_url="http://192.168.1.7", is_unsafe=True)).verdict == "warning"
    assert (
        base_url(
            at(base_url="http://127.0.0.1:8000", mail_server=type("S", (), {"host": "smtp.qq.com"}))
        ).verdict
        == "wrong"
    )
    assert answers(at(base_url=f"http://127.0.0.1:{free_port()}")).verdict == "warning"
    assert answers(at(base_url=f"{real.base}jiuniu")).verdict == "wrong", (
        "somebody answers, but not with our health"
    )
    no_tls = Scripted()
    assert answers(at(base_url=f"https://127.0.0.1:{no_tls.port}")).verdict == "wrong", (
        "whoever answers there has no certificate"
    )
    no_tls.stop()
