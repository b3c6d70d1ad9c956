"""Kill a worker that delivers, at a phase of the mail that it is handing over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from tests.mailers.scripted import Scripted


def kill_worker_at(server: Scripted, phase: str, environment: Mapping[str, str]) -> int:
    """Run ``flask tick`` on the same data and kill it when it says ``phase``. Returns its status."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "tick"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill() -> bytes:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return b""

    before = dict(server.replies)
    server.replies[phase] = kill
    status = process.wait(60)
    server.replies = before
    return status
