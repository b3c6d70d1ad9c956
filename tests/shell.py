"""The commands as a person types them, each in a process of its own.

Starting Python and importing the product takes a second; so these processes are forked from one
that has imported it already.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["flask.cli", "app", "tests.shell"])


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of the product."""
    return {key: value for key, value in os.environ.items() if not key.startswith("JIUNIU_")}


class Program:
    """``app.py``, or ``flask --app app …`` for other words; handled as a ``subprocess.Popen``."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], *files: IO[bytes]
    ) -> None:
        """``files``: standard input, output and error."""
        handed = [multiprocessing.reduction.DupFd(file.fileno()) for file in files]
        self.words = words
        self._process = _fork.Process(
            target=_run, args=(words, dict(environment), handed), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float = 60) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"{' '.join(self.words)} does not end"
        return self._process.exitcode


class Shell:
    def __init__(self, settings: Mapping[str, str]) -> None:
        self.environment = clean_environment() | settings

    def __call__(
        self, *words: str, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(typed.encode())
            stdin.seek(0)
            code = Program(words, self.environment | environment, stdin, stdout, stderr).wait()
            return subprocess.CompletedProcess(words, code, _text(stdout), _text(stderr))

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _run(words: Sequence[str], environment: dict[str, str], files: Sequence[Any]) -> None:
    """In the forked process."""
    for number, file in enumerate(files):
        os.dup2(file.detach(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as the process lives)
        for number, mode in enumerate(("r", "w", "w"))
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    # Imported by the process that this one was forked from.
    from flask import cli  # noqa: PLC0415

    import app  # noqa: PLC0415

    if list(words) == ["app.py"]:
        sys.argv = list(words)
        app.main()
    else:
        sys.argv = ["flask", "--app", "app", *words]
        cli.main()
