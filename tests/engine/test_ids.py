"""Ids are unique over processes without asking the database."""

from __future__ import annotations

import os

import pytest

from engine.storage.models import new_id


def serial() -> int:
    """The part of an id that tells those of one millisecond apart."""
    return new_id() & 0x1FFFFF


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [number >> 21 for number in ids] == sorted(number >> 21 for number in ids)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_forked_process_counts_from_a_number_of_its_own() -> None:
    """As the workers of a WSGI server that loads the app before it forks."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(serial()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(read, 20)) != serial()
