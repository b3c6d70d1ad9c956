"""A backup of a working club, restored elsewhere: nothing lost, nothing mailed by surprise."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Signal

import pytest
from sqlalchemy import func, select, text

from engine import VERSION
from engine.clock import machine_now
from engine.operations import backup
from engine.operations.backup import BadBackup, InTheWay
from engine.outbox import delivery_log
from engine.storage import schema
from engine.storage.database import Database
from engine.storage.heartbeats import beat, post_is_held
from engine.storage.models import Case, Heartbeat, Letter
from tests.club import LATER, LILEI, House
from tests.databases import Databases, databases, memory


@pytest.fixture(scope="session")
def template() -> Databases:
    """A backup is a copy of SQLite's file; PostgreSQL brings its own tools."""
    return databases("sqlite")


KEYS = ("the key of the house, long enough", "an older key, long enough too")


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """An empty installation elsewhere, as its first start leaves it."""
    opened: list[Database] = []

    def start(name: str = "elsewhere") -> Database:
        (tmp_path / name).mkdir()
        db = Database(f"sqlite:///{tmp_path / name / 'jiuniu.sqlite'}")
        schema.upgrade(db)
        opened.append(db)
        return db

    yield start
    for db in opened:
        db.dispose()


def made(house: House, path: Path) -> Path:
    backup.make(house.db, KEYS, path, machine_now())
    return path


def restored(
    path: Path, db: Database, *, replace: bool = False, clock: Path | None = None
) -> backup.Restored:
    return backup.restore(
        path,
        db,
        Path(str(db.url.database)).parent,
        replace=replace,
        clock=clock,
        machine_now=machine_now(),
    )


def counts(db: Database) -> dict[str, int]:
    with db.reader.connect() as connection:
        names = ("club", "person", "case", "event", "letter")
        return {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
            for name in names
        }


def test_the_version_is_the_project_s() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION


def test_what_is_in_a_backup(house: House, tmp_path: Path) -> None:
    house.join()
    path = made(house, tmp_path / "club.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["club.tar.gz"]
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["manifest.json", "secret_key", "database.sqlite"]
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert (manifest["format"], manifest["version"], manifest["schema"]) == (
        1,
        VERSION,
        schema.newest(),
    )
    assert manifest["counts"] == house.counts()


def test_a_backup_overwrites_nothing(house: House, tmp_path: Path) -> None:
    path = tmp_path / "club.tar.gz"
    path.write_text("precious")
    with pytest.raises(InTheWay):
        made(house, path)
    assert path.read_text() == "precious"


def test_a_backup_made_while_others_write_is_whole(
    house: House, tmp_path: Path, away: Callable[[str], Database]
) -> None:
    """Each application writes a person, a case, an event and a letter in one commit: no backup may
    hold one without the others."""
    stop = Signal()

    def write_on() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            house.apply(f"n{number}@qq.com", form=f"form-{number}")
        return number

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_on)
        seen = []
        for number in range(8):
            db = away(str(number))
            restored(made(house, tmp_path / f"{number}.tar.gz"), db)
            seen.append(counts(db))
        stop.set()
        written = writing.result()
    assert seen == [
        {
            "club": 1,
            "person": one["case"] + 1,
            "case": one["case"],
            "event": one["case"],
            "letter": one["case"],
        }
        for one in seen
    ]
    assert [one["case"] for one in seen] == sorted({one["case"] for one in seen}), (
        "each backup came later than the one before"
    )
    assert seen[-1]["case"] <= written


def test_restored_elsewhere_nothing_leaves_until_it_is_released(
    house: House, tmp_path: Path, away: Callable[[], Database]
) -> None:
    """Queued, claimed, in transmission, waiting for a second try: every one of them is held. What
    was sent stays sent."""
    house.join()
    house.deliver()
    for name in ("a", "b", "c", "d"):
        house.apply(f"{name}@qq.com", form=name)
    one, two, _three = house.claim(limit=3)
    house.freeze(one)
    house.freeze(two)
    house.settle(two, LATER)
    house.write(beat, "sweep", machine_now())
    sent = [letter.id for letter in house.letters() if letter.state == "sent"]
    db = away()
    done = restored(made(house, tmp_path / "b.tar.gz"), db)
    unsent = [
        letter.id
        for letter in house.letters()
        if letter.state in ("queued", "claimed", "transmitting")
    ]
    assert (done.held, done.keys, done.aside) == (len(unsent), KEYS, [])
    assert counts(db) == {name: house.counts()[name] for name in counts(db)}
    with db.read(house.club_id) as session:
        letters = session.execute(select(Letter).order_by(Letter.id)).scalars().all()
        assert [letter.id for letter in letters if letter.state == "sent"] == sent
        assert {
            (letter.state, letter.answer, letter.lease_until)
            for letter in letters
            if letter.id in unsent
        } == {("held", "restored: held until released", None)}
        assert [letter.id for letter in letters if letter.maybe_twice] == [one.letter_id]
        assert session.execute(select(Heartbeat.name)).scalars().all() == ["rest"]
    assert (Path(str(db.url.database)).parent / "secret-key").read_text() == "\n".join(KEYS)
    assert (Path(str(db.url.database)).parent / "secret-key").stat().st_mode & 0o777 == 0o600


def test_the_post_rests_for_new_letters_too_and_one_may_go_ahead(house: House) -> None:
    house.apply()
    house.db.write(backup.hold_unsent, machine_now())
    house.apply("hanmeimei@163.com", form="after")
    assert house.deliver() == []
    [held] = [letter for letter in house.letters() if letter.state == "held"]
    assert house.db.write(delivery_log.release, house.club_id, held.id, house.now)
    assert house.deliver() == [("join.confirm_address", LILEI)]
    assert house.db.write(delivery_log.release_all, house.now) == 0
    assert house.deliver() == [("join.confirm_address", "hanmeimei@163.com")]
    assert house.deliver() == []


def test_hold_all_and_release_all(house: House) -> None:
    house.apply()
    house.db.write(delivery_log.hold_all, machine_now())
    house.db.write(delivery_log.hold_all, machine_now())
    with house.read() as session:
        rest = post_is_held(session)
    assert rest is not None and rest.why == "by hand"
    assert house.deliver() == []
    house.db.write(delivery_log.release_all, house.now)
    assert house.deliver() == [("join.confirm_address", LILEI)]
    with house.read() as session:
        assert post_is_held(session) is None


def test_a_database_with_a_club_is_kept_aside_or_not_touched(
    house: House, tmp_path: Path, template: Databases
) -> None:
    house.apply()
    path = made(house, tmp_path / "b.tar.gz")
    other = House(template, file="other", slug="other")
    folder = Path(str(other.db.url.database)).parent
    (folder / "secret-key").write_text("the other house's key, long")
    (folder / "clock").write_text("+3d")
    try:
        with pytest.raises(InTheWay):
            restored(path, other.db)
        assert counts(other.db)["case"] == 0 and (folder / "clock").exists()
        done = restored(path, other.db, replace=True, clock=folder / "clock")
        assert counts(other.db)["case"] == 1
        assert [kept.name.partition(".before-restore-")[0] for kept in done.aside] == [
            "other.sqlite",
            "secret-key",
            "clock",
        ]
        old = Database(f"sqlite:///{done.aside[0]}")
        with old.reader.connect() as connection:
            assert connection.execute(text("SELECT slug FROM club")).scalars().all() == ["other"]
        old.dispose()
        assert done.aside[1].read_text() == "the other house's key, long"
        assert not (folder / "clock").exists()
    finally:
        other.end()
        for kept in (*memory().glob("*.before-restore-*"), folder / "secret-key"):
            kept.unlink()


def test_never_under_a_running_server(
    house: House, tmp_path: Path, away: Callable[[], Database]
) -> None:
    path = made(house, tmp_path / "b.tar.gz")
    db = away()
    running = Database(str(db.url))
    with running.read() as session:
        session.execute(select(func.count()).select_from(Heartbeat))
    # The connection went back to the pool of the other one; it is idle and still open, as in a
    # server that nobody asks.
    with pytest.raises(InTheWay):
        restored(path, db)
    running.dispose()
    restored(path, db)
    assert counts(db)["club"] == 1


def test_a_backup_of_an_earlier_version_comes_along(
    house: House, tmp_path: Path, away: Callable[[], Database]
) -> None:
    from alembic import command  # noqa: PLC0415

    old = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    config = schema._config()
    with old.writer.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    backup.make(old, KEYS, tmp_path / "old.tar.gz", machine_now())
    old.dispose()
    db = away()
    assert restored(tmp_path / "old.tar.gz", db).manifest["schema"] == "0001"
    assert schema.standing(db) == "current"


def _changed(path: Path, **members: bytes) -> Path:
    """The same archive with other content in some of its members."""
    with tarfile.open(path) as archive:
        content = {item.name: archive.extractfile(item).read() for item in archive.getmembers()}  # type: ignore[union-attr]
    content |= {
        name.replace("_json", ".json").replace("_sqlite", ".sqlite"): data
        for name, data in members.items()
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "damage", ["no archive", "cut", "counts", "database", "newer", "format", "no keys"]
)
def test_what_is_no_backup_changes_nothing(
    house: House, tmp_path: Path, away: Callable[[], Database], damage: str
) -> None:
    house.apply()
    path = made(house, tmp_path / "b.tar.gz")
    with tarfile.open(path) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        database = archive.extractfile("database.sqlite").read()  # type: ignore[union-attr]
    if damage == "no archive":
        path.write_bytes(gzip.compress(b"hello"))
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "counts":
        _changed(
            path,
            manifest_json=json.dumps(
                manifest | {"counts": manifest["counts"] | {"case": 7}}
            ).encode(),
        )
    elif damage == "database":
        _changed(path, database_sqlite=database[:4096] + b"x" * (len(database) - 4096))
    elif damage == "newer":
        later = database.replace(manifest["schema"].encode(), b"9999")
        _changed(
            path,
            database_sqlite=later,
            manifest_json=json.dumps(manifest | {"schema": "9999"}).encode(),
        )
    elif damage == "format":
        _changed(path, manifest_json=json.dumps(manifest | {"format": 2}).encode())
    else:
        _changed(path, secret_key=b"")
    db = away()
    with pytest.raises(BadBackup):
        restored(path, db)
    assert counts(db) == dict.fromkeys(counts(db), 0)
    folder = Path(str(db.url.database)).parent
    assert [item.name for item in folder.iterdir() if item.is_dir() or "key" in item.name] == []
    assert house.rows(select(func.count()).select_from(Case)) == [1]
