"""The one clock, moved by a file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.clock import FileClock, machine_now, move_clock, read_shift

NEAR = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("+3d2h", timedelta(days=3, hours=2)),
        ("-45m", timedelta(minutes=-45)),
        ("+2w", timedelta(weeks=2)),
        ("+90s", timedelta(seconds=90)),
        ("-1w2d3h4m5s", -timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
    ],
)
def test_an_offset_moves_the_clock_by_that_much(text: str, shift: timedelta) -> None:
    assert read_shift(text, 1_000_000.0) == shift


@pytest.mark.parametrize("text", ["", "+", "-", "3d", "+3x", "soon", "+2h3d", "2026-13-01"])
def test_what_is_neither_offset_nor_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_shift(text, 1_000_000.0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T10:00:00+08:00",
        "2026-11-30T02:00:00Z",
        "2026-11-30T02:00",
        "2026-11-30 02:00:00",
    ],
)
def test_a_time_is_read_as_the_time_at_the_files_mtime_utc_when_it_names_no_zone(text: str) -> None:
    written = datetime(2026, 11, 1, tzinfo=UTC)
    assert written + read_shift(text, written.timestamp()) == datetime(2026, 11, 30, 2, tzinfo=UTC)


def test_without_a_file_it_is_the_machines_time(tmp_path: Path) -> None:
    assert abs(FileClock(tmp_path / "clock").now() - machine_now()) < NEAR


def test_it_follows_its_file_and_runs_on_and_comes_back_when_the_file_goes(tmp_path: Path) -> None:
    path, clock = tmp_path / "clock", FileClock(tmp_path / "clock")
    path.write_text("2030-01-01T00:00:00Z")
    hour_ago = machine_now().timestamp() - 3600
    os.utime(path, (hour_ago, hour_ago))
    assert abs(clock.now() - datetime(2030, 1, 1, 1, tzinfo=UTC)) < NEAR
    path.write_text("+3d2h")
    assert abs(clock.now() - machine_now() - timedelta(days=3, hours=2)) < NEAR
    path.unlink()
    assert abs(clock.now() - machine_now()) < NEAR


@pytest.mark.parametrize(
    "damage", [b"", b"soon", b"\xff\xfe", b"+", b"+9999999w", b"+999999999999w"]
)
def test_a_file_that_is_empty_or_unreadable_keeps_the_last_reading(
    tmp_path: Path, damage: bytes
) -> None:
    path = tmp_path / "clock"
    clock = FileClock(path)
    path.write_text("+5d")
    clock.now()
    path.write_bytes(damage)
    os.utime(path, ns=(1, 1))
    assert abs(clock.now() - machine_now() - timedelta(days=5)) < NEAR


def test_the_clock_is_moved_from_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    move_clock(path, timedelta(days=1))
    move_clock(path, timedelta(hours=-30))
    assert abs(FileClock(path).now() - machine_now() + timedelta(hours=6)) < NEAR
    assert [entry.name for entry in tmp_path.iterdir()] == ["clock"]
