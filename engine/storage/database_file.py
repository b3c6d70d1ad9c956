"""Notice that the file of a SQLite database was moved away or replaced under a running process.

An unlinked file takes every write and loses it with the last connection; a new connection by the
same name would even begin an empty database.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy.exc import OperationalError

GONE = "the database file was moved away or replaced while the service runs"


class DatabaseFile:
    """A SQLite file as it was when it was first opened, known by device and inode."""

    def __init__(self, path: str | None, error: type[Exception]) -> None:
        """Remember the file. ``error``: the driver's OperationalError."""
        self.path, self.error = path, error
        self._identity: tuple[int, int] | None = None

    def note_opened(self) -> None:
        """Remember the file by its first connection."""
        self._identity = self._identity or self._present()

    def forget(self) -> None:
        """Take whichever file is opened next."""
        self._identity = None

    def check(self) -> None:
        """Raise OperationalError where the file by this name is not the one that was opened."""
        if self._identity is not None and self._present() != self._identity:
            raise OperationalError("BEGIN", None, self.error(GONE))

    def check_before_connect(self, *_given: Any) -> None:
        """Check as ``check`` does, with the driver's error that ``do_connect`` expects."""
        if self._identity is not None and self._present() != self._identity:
            raise self.error(GONE)

    def _present(self) -> tuple[int, int] | None:
        if not self.path or self.path == ":memory:":
            return None
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
