"""No commit of the clock keeps a form waiting (case D11)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import func, select, update

from engine.cases.erasure import BYTES_AT_ONCE, BYTES_KEPT, forget_bytes
from engine.scheduler.sweep import LONGEST, forget_old, sweep
from engine.storage.models import Case, Letter, Person
from tests.club import House

APPLICATIONS = 300
# Of one commit, in seconds of work; its wall clock would depend on what else runs here.
MOST = 0.1


@pytest.fixture
def commits(house: House, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the CPU seconds of each following commit."""
    taken: list[float] = []
    write = house.db.write

    def measured(unit: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return write(unit, *args, **kwargs)
        finally:
            taken.append(time.thread_time() - began)

    monkeypatch.setattr(house.db, "write", measured)
    return taken


def crowd(house: House) -> None:
    """Hundreds of applications that nobody confirms, and a ledger of letters with their bytes."""
    for number in range(APPLICATIONS):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    house.deliver()
    house.write(
        lambda session: session.execute(update(Letter).values(bytes=b"x" * 20_000)) and None
    )


def test_d11_hundreds_of_applications_are_erased_in_short_commits(
    house: House, commits: list[float]
) -> None:
    crowd(house)
    due = house.rows(select(func.max(Case.due_at)))[0]
    commits.clear()
    sweep(house.db, due)
    assert house.rows(
        select(func.count()).select_from(Person).where(Person.status == "erased")
    ) == [APPLICATIONS]
    assert house.rows(
        select(func.count()).select_from(Letter).where(Letter.bytes.is_not(None))
    ) == [0]
    assert len(commits) > 5
    assert sorted(commits)[-2] < MOST, "one may be late: the machine stopped for something else"


def test_d11_what_is_kept_no_longer_goes_in_short_commits(
    house: House, commits: list[float]
) -> None:
    crowd(house)
    later = house.now + 2 * BYTES_KEPT
    commits.clear()
    emptied = []
    while count := house.db.write(forget_bytes, later):
        emptied.append(count)
    assert (emptied[0], sum(emptied)) == (BYTES_AT_ONCE, APPLICATIONS)
    assert house.db.write(forget_old, later, longest=LONGEST) == 0
    assert max(commits) < MOST
