"""Other processes on loopback: started, awaited, measured, ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import database

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
SECRET_KEY = "a key for benchmarks only"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process with its working directory in ``folder`` (no ``.env`` of the project reaches
    it), ended afterwards."""
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("JIUNIU_", "DEMO"))
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=clean | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_port(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.005)
    said = (folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} does not listen:\n{said}")


def resident_mib(process: subprocess.Popen[bytes] | None = None) -> float:
    """The memory a process holds now (of this one, without an argument)."""
    pid = process.pid if process else "self"
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no memory figure of process {pid}")


def settings_of(folder: Path, port: int, smtp_port: int = 0) -> dict[str, str]:
    """The environment of a product whose data lies in ``folder``, or in a database of PostgreSQL's
    made for the folder."""
    return {
        "JIUNIU_DATABASE_URL": database.url(folder, "product"),
        "JIUNIU_DATA_DIR": str(folder / "data"),
        "JIUNIU_PORT": str(port),
        "JIUNIU_SECRET_KEY": SECRET_KEY,
        "JIUNIU_RATE_LIMITS": "off",
        "JIUNIU_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}" if smtp_port else "",
    }
