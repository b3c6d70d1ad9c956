"""The checks of ``flask doctor``: one finding per question, each with its mend."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from engine.clock import read_shift
from engine.club.context import current_charter
from engine.declare.registry import UNREADABLE, standing
from engine.operations.health import LETTERS_ARE_LATE, Health
from engine.settings import Settings
from engine.storage import schema
from engine.storage.database import Database, across_clubs
from engine.storage.engines import sqlite_module
from engine.storage.heartbeats import channel_trouble, post_is_held
from engine.storage.models import Case, Club, Letter
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession

Verdict = Literal["ok", "warning", "wrong", "not checked"]

# The last SQLite in which a checkpoint racing with a writer can corrupt a database in WAL mode (the
# "WAL-reset" bug).
WAL_RESET_BUG = (3, 51, 2)
LITTLE_SPACE, NO_SPACE = 1024**3, 100 * 1024**2


@dataclass(frozen=True)
class Finding:
    """A result of a check. ``says``: what was found; ``do``: the mend, or ""."""

    check: str
    verdict: Verdict
    says: str
    do: str = ""


def database(db: Database) -> Iterator[Finding]:
    """Check kind, version, soundness and schema."""
    try:
        yield from _sqlite(db) if db.is_sqlite else _postgresql(db)
        standing = schema.standing(db)
    except DatabaseError as trouble:
        says = f"it does not answer ({type(trouble).__name__}: {str(trouble.orig).splitlines()[0]})"
        yield Finding(
            "database",
            "wrong",
            says,
            "look at JIUNIU_DATABASE_URL, the disk and the database server",
        )
        return
    if standing == "current":
        yield Finding("schema", "ok", f"{schema.newest()}, the one that this version needs")
    else:
        do = (
            "run `db upgrade`" if standing == "behind" else "use the version of Jiuniu that made it"
        )
        yield Finding("schema", "wrong", f"{standing}: this version needs {schema.newest()}", do)


def _sqlite(db: Database) -> Iterator[Finding]:
    module, path = sqlite_module(), Path(db.url.database or "")
    with db.reader.connect() as connection:
        sound = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
    size = sum(
        part.stat().st_size
        for part in path.parent.glob(f"{path.name}*")
        if part.name in _parts(path.name)
    )
    says = f"SQLite {module.sqlite_version}, {size / 1024**2:.1f} MiB"
    if sound != "ok":
        yield Finding(
            "database",
            "wrong",
            f"{says}, damaged: {sound}",
            "stop the service, keep a copy of the file, and restore the last backup",
        )
    elif mode != "wal":
        yield Finding(
            "database",
            "wrong",
            f"{says}, journal mode {mode} instead of wal",
            "is the disk a network share? Put it on a local one",
        )
    elif module.sqlite_version_info <= WAL_RESET_BUG:
        do = (
            "install pysqlite3, or a Python with SQLite 3.51.3 or newer; until then make "
            "backups often"
        )
        yield Finding(
            "database",
            "warning",
            f"{says}, sound; this SQLite can corrupt a database in rare moments (WAL-reset bug)",
            do,
        )
    else:
        yield Finding("database", "ok", f"{says}, sound, WAL")


def _parts(name: str) -> set[str]:
    return {name, f"{name}-wal", f"{name}-shm"}


def _postgresql(db: Database) -> Iterator[Finding]:
    with db.reader.connect() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    yield Finding("database", "ok", f"PostgreSQL {version}, {size / 1024**2:.1f} MiB")


def clock(path: Path, real_club: bool, written_at: float | None = None) -> Finding:
    """Check whether a file moves the club's time."""
    try:
        shift = read_shift(
            path.read_text(encoding="utf-8").strip(), written_at or path.stat().st_mtime
        )
    except FileNotFoundError:
        return Finding("clock", "ok", "real time")
    except (OSError, ValueError, OverflowError):
        return Finding(
            "clock",
            "wrong",
            f"{path} cannot be understood, the last reading counts",
            "write an offset such as +3d2h into it, or delete it",
        )
    says = f"{path} moves it by {shift}"
    if real_club:
        return Finding(
            "clock",
            "wrong",
            f"{says}: due times and reminders come at the wrong moment",
            "delete that file",
        )
    return Finding("clock", "warning", says, "right for a demo; a real club wants real time")


def secret_key(settings: Settings) -> Finding:
    path = settings.data_dir / "secret-key"
    try:
        in_file = path.read_text(encoding="utf-8").splitlines()[:1] == [settings.secret_keys[0]]
    except OSError:
        in_file = False
    if not in_file:
        return Finding("secret key", "ok", "from JIUNIU_SECRET_KEY")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        return Finding(
            "secret key",
            "wrong",
            f"other accounts of this machine can read {path}",
            f"chmod 600 {path}",
        )
    return Finding("secret key", "ok", f"{path}, readable by its owner only")


def data_folder(folder: Path) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as trouble:
        yield Finding(
            "data folder",
            "wrong",
            f"{folder} cannot be written ({trouble.strerror})",
            "give this account the right to write there",
        )
        return
    free = shutil.disk_usage(folder).free
    says = f"{folder}, {free / 1024**3:.1f} GiB free"
    if free < LITTLE_SPACE:
        yield Finding(
            "data folder",
            "wrong" if free < NO_SPACE else "warning",
            says,
            "make room: a full disk stops every form",
        )
    elif os.name == "posix" and folder.stat().st_mode & 0o077:
        yield Finding(
            "data folder",
            "warning",
            f"{says}; other accounts of this machine can look into it",
            f"chmod 700 {folder}",
        )
    else:
        yield Finding("data folder", "ok", says)


def clock_skew(health: Health) -> Iterator[Finding]:
    """Tell which hosts do not agree with the database about the time."""
    for host, seconds in sorted(health.skews.items()):
        which = "ahead of" if seconds > 0 else "behind"
        says = f"{host} is {abs(seconds):.0f} s {which} the database"
        yield Finding("clock skew", "wrong", says, "let every host follow a time server (NTP)")


def worker(health: Health) -> Finding:
    """Check when the last sweep ran, by the database's clock."""
    do = "start `python app.py`, or `worker` beside your web server"
    if health.tick_age is None:
        return Finding(
            "worker", "warning", "nobody has swept yet: no reminder and no mail leaves", do
        )
    age = health.tick_age
    if health.worker == "worker":
        return Finding(
            "worker",
            "wrong",
            f"last swept {age.total_seconds():.0f} s ago: no reminder and no mail leaves",
            do,
        )
    return Finding("worker", "ok", f"last swept {age.total_seconds():.0f} s ago")


@across_clubs
def letters(session: ClubSession, now: datetime) -> list[Finding]:
    """Check the channel, a held post, and letters that wait or failed."""
    found = []
    if (trouble := channel_trouble(session)) is not None:
        says = f"the mail server refuses since {trouble.since:%Y-%m-%d %H:%M} UTC: {trouble.answer}"
        found.append(
            Finding(
                "channel",
                "wrong",
                says,
                f"nothing is lost; the next try is at {trouble.next_try:%H:%M} UTC",
            )
        )
    else:
        found.append(
            Finding("channel", "ok", "the mail server took the last letter, or none was due yet")
        )
    if (rests := post_is_held(session)) is not None:
        says = f"it rests since {rests.since:%Y-%m-%d %H:%M} UTC ({rests.why}): no letter leaves"
        found.append(
            Finding(
                "post",
                "warning",
                says,
                "look through `letters list --state held`, then `letters release --all`",
            )
        )
    return [*found, _waiting(session, now)]


def _waiting(session: ClubSession, now: datetime) -> Finding:
    ready = (Letter.state == LetterState.QUEUED) & (Letter.next_at <= now)
    waiting, oldest = session.execute(
        select(func.count(), func.min(Letter.next_at)).where(ready)
    ).one()
    again = (Letter.state == LetterState.QUEUED) & (Letter.next_at > now) & (Letter.attempts > 0)
    later, failed, held = (
        session.execute(select(func.count()).select_from(Letter).where(which)).scalar_one()
        for which in (again, Letter.state == LetterState.FAILED, Letter.state == LetterState.HELD)
    )
    says = f"{waiting} ready to leave, {later} turned away for now, {held} held, {failed} failed"
    if waiting and now - oldest > LETTERS_ARE_LATE:
        return Finding(
            "letters",
            "warning",
            f"{says}; the oldest waits for {now - oldest}",
            "look at worker, channel and mail server",
        )
    if failed:
        return Finding(
            "letters",
            "warning",
            says,
            "see `letters list --state failed`: wrong address, or `letters retry`",
        )
    if later:
        return Finding(
            "letters",
            "ok",
            says,
            "they are tried again by themselves; `letters list --state queued` has the answers",
        )
    return Finding("letters", "ok", says)


@across_clubs
def rows(session: ClubSession) -> list[Finding]:
    """Find open cases and charters that this version cannot read, each by its name."""
    found = []
    clubs = {club.id: club for club in session.execute(select(Club)).scalars()}
    for case in session.execute(
        select(Case).where(Case.turn != "").execution_options(yield_per=500)
    ).scalars():
        if standing(case) is UNREADABLE:
            says = (
                f"case {case.id} of club {clubs[case.club_id].slug} cannot be read "
                f"({case.workflow}/{case.state}): it waits"
            )
            do = (
                "start the version of Jiuniu that made it; else put workflow, state or answers "
                "of that row right by hand"
            )
            found.append(Finding("case", "wrong", says, do))
    for club in clubs.values():
        if damaged := current_charter(club).damaged:
            says = (
                f"the charter of club {club.slug} is damaged in {', '.join(damaged)}: there it "
                "is as shipped"
            )
            found.append(
                Finding(
                    "charter",
                    "wrong",
                    says,
                    "look at it with `club export`, mend it, and `club apply` it",
                )
            )
    return found or [Finding("rows", "ok", "every open case and every charter can be read")]


def has_real_club(session: ClubSession) -> bool:
    return (
        session.execute(select(Club.id).where(Club.is_demo.is_(False)).limit(1)).first() is not None
    )
