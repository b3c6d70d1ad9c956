"""A watcher of the tests' PostgreSQL: when their process ends, it stops the server.

Its folder is removed, too. ``python watch.py FOLDER``; standard input is a pipe that only the
tests' process holds open.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    sys.stdin.buffer.read()
    with contextlib.suppress(OSError, ValueError, IndexError):
        os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    for _ in range(100):  # what the server still writes on its way out
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
