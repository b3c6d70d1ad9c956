"""The web processes that are measured, each in waitress with 8 threads: ``python -m benchmarks.servers product|reference PORT``."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from waitress.server import create_server

from benchmarks.processes import free_port, running, settings_of, wait_for_port

THREADS = 8


@contextlib.contextmanager
def running_server(kind: str, folder: Path, smtp_port: int = 0) -> Iterator[int]:
    """``product``: create_app(), no thread of its own; ``reference``: the plain app. Yields the port."""
    port = free_port()
    environment = settings_of(folder, port, smtp_port) | {"BENCH_FOLDER": str(folder), "BENCH_SMTP_PORT": str(smtp_port)}
    with running(["-m", "benchmarks.servers", kind, str(port)], folder, environment) as process:
        wait_for_port(process, port, folder)
        yield port


@contextlib.contextmanager
def running_app(folder: Path, smtp_port: int = 0, port: int = 0) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """``python app.py``, all of it: web, sweep, post and, without a mail server, the built-in mailbox."""
    port = port or free_port()
    app = str(Path(__file__).resolve().parent.parent / "app.py")
    with running([app], folder, settings_of(folder, port, smtp_port)) as process:
        wait_for_port(process, port, folder)
        yield port, process


def _app(kind: str) -> Flask:
    if kind == "reference":
        from benchmarks.reference import create_reference

        return create_reference()
    from app import create_app

    return create_app()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        create_server(_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), threads=THREADS).run()
