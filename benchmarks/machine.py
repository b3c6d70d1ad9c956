"""The description of the machine, printed above every run."""

from __future__ import annotations

import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.database import on_postgresql, shown
from engine.storage.database import Database
from engine.storage.engines import sqlite_module

_SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


def say_machine() -> None:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    name, kept = _postgresql() if on_postgresql() else _sqlite()
    print(f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    print(f"machine   {os.cpu_count()} × {_model()}, load {load} before the run")
    print(f"versions  Python {platform.python_version()}, {name}, {_packages()}")
    print(f"fsync     {kept}, files on {_file_system(Path(tempfile.gettempdir()))}")


def _postgresql() -> tuple[str, str]:
    """The server's name, and what of a commit reaches the disk."""
    settings = ", ".join(
        f"{name}={shown(name)}"
        for name in ("synchronous_commit", "full_page_writes", "wal_sync_method")
    )
    fsync = "on" if (shown("fsync"), shown("synchronous_commit")) == ("on", "on") else "OFF"
    kept = f"{fsync}: {settings}, shared_buffers={shown('shared_buffers')} (PostgreSQL's defaults)"
    return f"PostgreSQL {shown('server_version')} (psycopg {version('psycopg')})", kept


def _sqlite() -> tuple[str, str]:
    """As the product opens it."""
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as folder:
        database = Database(f"sqlite:///{folder}/empty.sqlite")
        with database.writer.connect() as connection:
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        database.dispose()
    kept = f"{'on' if synchronous >= 2 else 'OFF'}: synchronous={_SYNCHRONOUS[synchronous]}, journal_mode={journal}"
    return f"SQLite {sqlite_module().sqlite_version} ({sqlite_module().__name__})", kept


def _packages() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("SQLAlchemy", "Flask", "waitress"))


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def _file_system(folder: Path) -> str:
    """The kind of file system behind the data files; on tmpfs an fsync costs nothing."""
    try:
        mounts = [
            line.split()[1:3]
            for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        ]
    except OSError:
        return "an unknown file system"
    fitting = [(point, kind) for point, kind in mounts if folder.is_relative_to(point)]
    return max(fitting, key=lambda item: len(item[0]))[1] if fitting else "an unknown file system"
