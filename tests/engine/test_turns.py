"""The fair lock: first come, first served; no returning thread overtakes those that wait."""

from __future__ import annotations

import threading

import pytest

from engine.storage.fair_lock import FairLock
from tests.web.test_process import wait_for


def test_those_who_wait_come_in_the_order_in_which_they_asked() -> None:
    turns, served = FairLock(), list[str]()

    def take(name: str) -> None:
        with turns:
            served.append(name)

    with turns:
        served.append("sweep")
        forms = [threading.Thread(target=take, args=(f"form {number}",)) for number in range(5)]
        for number, form in enumerate(forms):
            form.start()
            wait_for(lambda before=number: turns.waiting == before + 1)  # type: ignore[misc]
    take("sweep again")  # it never slept, so a lock of Python's would be its own at once
    for form in forms:
        form.join()
    assert served == ["sweep", *(f"form {number}" for number in range(5)), "sweep again"]


def test_what_breaks_while_it_has_its_turn_gives_it_on() -> None:
    turns = FairLock()
    with pytest.raises(ZeroDivisionError), turns:
        _ = 1 / 0
    with turns:
        assert turns.waiting == 0


def test_twenty_threads_never_have_it_together() -> None:
    turns, counted = FairLock(), [0]

    def add() -> None:
        for _ in range(50):
            with turns:
                seen = counted[0]
                threading.Event().wait(0)
                counted[0] = seen + 1

    threads = [threading.Thread(target=add) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [1000]
