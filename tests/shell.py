"""The commands as a person types them, each in a process of its own.

Starting Python and importing the product takes a second; so these processes are forked from one
that has imported it already.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["flask.cli", "app", "tests.shell"])


class Shell:
    def __init__(self, settings: dict[str, str]) -> None:
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("JIUNIU_")
        }
        self.environment |= settings

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
            files = [
                multiprocessing.reduction.DupFd(file.fileno()) for file in (stdin, stdout, stderr)
            ]
            process = _fork.Process(
                target=_flask, args=(words, self.environment | environment, files)
            )
            process.start()
            process.join(60)
            assert process.exitcode is not None, f"flask {' '.join(words)} does not end"
            return subprocess.CompletedProcess(
                words, process.exitcode, _text(stdout), _text(stderr)
            )

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _flask(words: Sequence[str], environment: dict[str, str], files: Sequence[Any]) -> None:
    """In the forked process: ``flask --app app …``."""
    for number, file in enumerate(files):
        os.dup2(file.detach(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as the process lives)
        for number, mode in enumerate(("r", "w", "w"))
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["flask", "--app", "app", *words]
    from flask.cli import main  # noqa: PLC0415 (imported by the process that this one was forked from)

    main()
