"""A lock that goes to whoever asked for it first."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """First come, first served.

    Python's own lock goes to whoever is awake: a sweep that commits round after round would keep
    every form waiting to its end.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # whoever is before us lets go of it

    def __exit__(self, *trouble: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)
