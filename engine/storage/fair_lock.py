"""A lock that is granted in the order of the requests."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """A first-come, first-served lock.

    Python's own lock goes to the thread that is awake: a sweep that commits batch after batch would
    keep every form waiting to its end.
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
        mine.acquire()  # The thread before us releases it.

    def __exit__(self, *trouble: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    @property
    def waiting(self) -> int:
        """Return how many threads wait."""
        return len(self._waiting)
