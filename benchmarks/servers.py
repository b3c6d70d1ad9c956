"""The web processes that are measured, each in waitress with 8 threads.

``python -m benchmarks.servers product|reference``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from flask import Flask
from waitress.server import create_server

from benchmarks import database
from benchmarks.processes import ROOT, free_port, running, settings_of, wait_for_port

THREADS = 8


Started = tuple[int, "subprocess.Popen[bytes]"]


@contextlib.contextmanager
def running_product(folder: Path) -> Iterator[Started]:
    """``create_app()``: the web alone, no thread of its own. Yields the port and the process."""
    with _listening(["-m", "benchmarks.servers", "product"], folder, {}) as started:
        yield started


@contextlib.contextmanager
def running_reference(folder: Path, smtp_port: int = 0) -> Iterator[Started]:
    """The plain app; with a mail server's port it mails within the request."""
    more = {"BENCH_DATABASE": database.url(folder, "reference"), "BENCH_SMTP_PORT": str(smtp_port)}
    with _listening(["-m", "benchmarks.servers", "reference"], folder, more) as started:
        yield started


@contextlib.contextmanager
def running_app(folder: Path, smtp_port: int = 0) -> Iterator[Started]:
    """``python app.py``, all of it: web, sweep, post and, without a mail server, the built-in
    mailbox."""
    with _listening([str(ROOT / "app.py")], folder, {}, smtp_port) as started:
        yield started


@contextlib.contextmanager
def _listening(
    command: list[str], folder: Path, more: dict[str, str], smtp_port: int = 0
) -> Iterator[Started]:
    port = free_port()
    with running(command, folder, settings_of(folder, port, smtp_port) | more) as process:
        wait_for_port(process, port, folder)
        yield port, process


def _app(kind: str) -> Flask:
    """Only what is asked for is imported: memory and start of the other are none of its business."""
    module, factory = {
        "product": ("app", "create_app"),
        "reference": ("benchmarks.reference", "create_reference"),
    }[kind]
    app: Flask = getattr(import_module(module), factory)()
    return app


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        create_server(
            _app(sys.argv[1]),
            host="127.0.0.1",
            port=int(os.environ["JIUNIU_PORT"]),
            threads=THREADS,
        ).run()
