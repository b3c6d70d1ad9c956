"""Backup and restore in one file: the database at one instant, its signing keys, counts.

A copy of a live database's file loses what is still in its write-ahead log; SQLite's own backup
does not.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from engine import VERSION
from engine.storage import schema
from engine.storage.database import Database, across_clubs
from engine.storage.engines import sqlite_module
from engine.storage.heartbeats import hold_post
from engine.storage.models import Club, Heartbeat, Letter
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sqlite"
KEYS = "secret_key"
HELD = "restored: held until released"


class BadBackup(ValueError):
    """A file that is no backup for this version; the text says why."""


class InTheWay(RuntimeError):
    """A refusal because something would be lost; nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """The result of a restore.

    ``keys``: those that sign the restored links. ``aside``: where the earlier files are now.
    """

    manifest: dict[str, Any]
    keys: tuple[str, ...]
    held: int
    aside: list[Path]


def make(db: Database, keys: Sequence[str], path: Path, made_at: datetime) -> dict[str, Any]:
    """Write a backup, whole or not at all, readable by its owner only; return its manifest.

    Raises: InTheWay.
    """
    if path.exists():
        raise InTheWay(f"{path} is there already; a backup overwrites nothing")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        copy, whole = Path(folder) / DATABASE, Path(folder) / "whole"
        _copy(db, copy)
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "made_at": made_at.isoformat(timespec="seconds"),
        } | _inspect(copy)
        with open(os.open(whole, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
                _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
                _add(archive, KEYS, "\n".join(keys).encode())
                archive.add(copy, DATABASE)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(whole, path)  # Unlike a rename it never overwrites.
        except FileExistsError:
            raise InTheWay(f"{path} is there already; a backup overwrites nothing") from None
        except OSError:  # A disk without hard links.
            os.replace(whole, path)
    return manifest


def restore(
    path: Path,
    db: Database,
    data_dir: Path,
    *,
    replace: bool,
    clock: Path | None,
    machine_now: datetime,
) -> Restored:
    """Put a backup in the place of an empty database, and hold its letters.

    ``replace``: set the present files and a moved clock aside. Unsent letters and the post are
    held, so that nothing on its way leaves twice.

    Raises: BadBackup, InTheWay.
    """
    target = Path(db.url.database or "")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".restore-") as folder:
        manifest, keys = _unpack(path, Path(folder))
        copy = Path(folder) / DATABASE
        held = _prepare(copy, machine_now)
        with (
            db.read() as session
        ):  # Only now: unpacking takes a while, and a club may be founded meanwhile.
            occupied = session.execute(select(Club.id).limit(1)).first() is not None
        if occupied and not replace:
            raise InTheWay(
                "there is a club in this database already; --replace keeps it aside and restores"
            )
        db.dispose()
        _close_the_log(target)
        copy.chmod(0o600)
        fresh_keys = _written(data_dir, "\n".join(keys))
        stamp = machine_now.strftime("%Y%m%dT%H%M%SZ")
        old = [target, data_dir / "secret-key", clock] if occupied else [clock]
        aside = [_aside(file, stamp) for file in old if file is not None and file.exists()]
        os.replace(fresh_keys, data_dir / "secret-key")
        os.replace(copy, target)
    return Restored(manifest, keys, held, aside)


def _copy(db: Database, to: Path) -> None:
    source, target = db.reader.raw_connection(), sqlite_module().connect(to)
    try:
        source.driver_connection.backup(target)  # type: ignore[union-attr]
        target.execute("PRAGMA journal_mode=DELETE")  # One file, without a log beside it.
    finally:
        target.close()
        source.close()


def _inspect(file: Path) -> dict[str, Any]:
    """Return schema and number of rows per table.

    Raises: BadBackup for a damaged database.
    """
    with _opened(file) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise BadBackup("its database is damaged (PRAGMA quick_check)")
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
        ]
        counts = {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for name in tables
        }
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    counts.pop("alembic_version", None)
    return {"schema": found[0] if found else None, "counts": counts}


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Any]:
    module = sqlite_module()
    connection = module.connect(file, isolation_level=None, timeout=0)
    try:
        yield connection
    except (module.Error, sqlite3.Error) as trouble:
        raise BadBackup(f"its database cannot be read ({trouble})") from None
    finally:
        connection.close()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _extract(archive: tarfile.TarFile, name: str, to: Path) -> None:
    source = archive.extractfile(
        name
    )  # By name, and only as bytes: what an archive says about paths is not followed.
    if source is None:
        raise KeyError(name)
    with source, to.open("wb") as file:
        shutil.copyfileobj(source, file)


def _unpack(path: Path, folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Unpack the three files of a backup, checked against its own numbers.

    Raises: BadBackup.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            for name in (MANIFEST, KEYS, DATABASE):
                _extract(archive, name, folder / name)
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        keys = tuple((folder / KEYS).read_text(encoding="utf-8").splitlines())
        written, promised = (
            manifest["format"],
            {name: manifest[name] for name in ("schema", "counts")},
        )
    except (
        tarfile.TarError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        zlib.error,
        gzip.BadGzipFile,
    ) as trouble:
        raise BadBackup(
            f"it is no backup of Jiuniu, or damaged ({type(trouble).__name__})"
        ) from None
    if written != FORMAT:
        raise BadBackup(f"it has format {written}, this version reads {FORMAT}")
    if not keys or _inspect(folder / DATABASE) != promised:
        raise BadBackup("its content is not what its manifest promises")
    return manifest, keys


def _prepare(file: Path, machine_now: datetime) -> int:
    """Upgrade the unpacked database and hold its letters; return how many."""
    db = Database(f"sqlite:///{file}")
    try:
        schema.upgrade(db)
        return db.write(hold_unsent, machine_now)
    except (schema.SchemaIsNewer, DatabaseError) as trouble:
        raise BadBackup(str(trouble).splitlines()[0]) from None
    finally:
        db.dispose()


@across_clubs
def hold_unsent(session: ClubSession, machine_now: datetime) -> int:
    """Hold unsent letters and the post, and forget the other machine's heartbeats."""
    session.execute(
        update(Letter).where(Letter.state == LetterState.TRANSMITTING).values(maybe_twice=True)
    )
    unsent = update(Letter).where(
        Letter.state.in_((LetterState.QUEUED, LetterState.CLAIMED, LetterState.TRANSMITTING))
    )
    held = session.execute(
        unsent.values(state=LetterState.HELD, answer=HELD, lease_until=None).returning(Letter.id)
    ).all()
    session.execute(delete(Heartbeat))
    hold_post(session, "restored", machine_now)
    return len(held)


def _close_the_log(target: Path) -> None:
    """Fold the old database's log into its file.

    SQLite refuses while another process has it open: a running server.
    """
    module = sqlite_module()
    connection = module.connect(target, isolation_level=None, timeout=0)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    except module.OperationalError:
        raise InTheWay("a server or a worker is running on this database; stop it first") from None
    finally:
        connection.close()


def _written(folder: Path, text: str) -> Path:
    """Write a new file that only its owner reads, to be moved into its place."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".secret-key-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _aside(file: Path, stamp: str) -> Path:
    kept = file.with_name(f"{file.name}.before-restore-{stamp}")
    os.rename(file, kept)
    return kept
