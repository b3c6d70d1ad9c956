"""The entered states of every case, replayed from its events.

When a state was entered and left, whose turn it was, when it was due. The numbers are the shipped
charter's, written down here once more: "n days" end at 24:00 of the n-th day after, in the club's
zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace as Row
from typing import Any
from zoneinfo import ZoneInfo

from tests.month.people import EXTEND_DAYS
from tests.month.record import Record

DAYS = {
    "unconfirmed": 3,
    "asked": 3,
    "review": 7,
    "returned": 3,
    "owed": 3,
    "long_owed": 0,
    "overdue": 2,
    "removal_proposed": 14,
    "vote": 3,
    "erasing": 3,
}
PERSONS_TURN = {"unconfirmed", "asked", "returned", "owed", "long_owed", "overdue"}
DECIDES = {
    "approve",
    "return",
    "decline",
    "remove",
    "excuse",
    "extend",
    "readmit",
    "dismiss",
    "undo",
}
AFTER_END = {
    "approved": {"undo"},
    "declined": {"undo"},
    "accepted": {"undo", "share"},
    "shared": {"undo", "retract"},
    "excused": {"undo"},
    "not_pursued": {"undo"},
    "let_off": {"undo"},
    "removed": {"readmit"},
    "elected": {"step_down", "dismiss"},
}
SATURDAY, EVENING, BIG_BOOK = 6, time(20), timedelta(days=3)
REMIND_BEFORE = timedelta(days=1)


def is_end(state: str) -> bool:
    return state not in DAYS


@dataclass(frozen=True)
class Round:
    """One stay of a case in a state. ``events``: what happened in it, the one that ended it last.
    ``again``: the round to which an undo led back."""

    case: int
    club: int
    person: int
    workflow: str
    state: str
    version: int
    entered: datetime
    left: datetime
    is_running: bool
    entry: Row
    events: tuple[Row, ...]
    data: dict[str, Any]
    zone: ZoneInfo
    again: Round | None = None
    had: datetime | None = None
    """Until when its person had time, before it went on to a reader."""

    @property
    def turn_is_the_persons(self) -> bool:
        return self.state in PERSONS_TURN

    def told(self) -> list[tuple[datetime, datetime]]:
        """Each due time with the moment from which it held: the entry, then every time more was
        given."""
        found = [(self.entered, self._first_due())]
        for event in self.events:
            if event.action == "postponed":
                found.append((event.at, self._due_anew(event.at)))
        return found

    def due_at(self, moment: datetime) -> datetime:
        """The due time that held just before this moment."""
        return [due for since, due in self.told() if since < moment][-1]

    def reached(self) -> Iterator[datetime]:
        """The due times that came while they held."""
        told = self.told()
        for (_, due), until in zip(
            told, [*(since for since, _ in told[1:]), self.left], strict=True
        ):
            if due <= until:
                yield due

    def since(self, moment: datetime) -> list[Row]:
        return [event for event in self.events if event.at >= moment]

    def _first_due(self) -> datetime:
        if self.again is not None:
            due, warned = self.again.told()[-1][1], self.entered + REMIND_BEFORE
            return due if due >= warned else self._midnight(warned, 0)
        if self.workflow == "reflection" and self.state in ("owed", "long_owed"):
            return max(
                self.entered,
                self._week_ends() + (BIG_BOOK if self.state == "long_owed" else timedelta()),
            )
        own = self._midnight(
            self.entered, EXTEND_DAYS if self.entry.action == "extend" else DAYS[self.state]
        )
        if self.had is None or self.had <= self.entered or not self.turn_is_the_persons:
            return own
        return self.had if self.entry.action == "decline" else max(own, self.had)

    def _due_anew(self, moment: datetime) -> datetime:
        """As if entered now; what stands in the calendar moves by the span that it had."""
        if self.workflow == "reflection" and self.state in ("owed", "long_owed"):
            first = self._first_due()
            span = first - self.entered
            return first if first >= moment + span / 2 else moment + span
        own = self._midnight(moment, DAYS[self.state])
        early = self.turn_is_the_persons and self.had is not None and self.had > moment
        return max(own, self.had) if early and self.had else own

    def _midnight(self, moment: datetime, days: int) -> datetime:
        return datetime.combine(
            moment.astimezone(self.zone).date() + timedelta(days=days + 1), time(), self.zone
        )

    def _week_ends(self) -> datetime:
        year, week = self.data["period"].split("-W")
        return datetime.combine(
            date.fromisocalendar(int(year), int(week), SATURDAY), EVENING, self.zone
        )


def rounds_of(record: Record) -> dict[int, list[Round]]:
    """By case, in order. An end is a round, too: it lasts until somebody takes it back."""
    if "rounds" not in record.kept:
        told: dict[int, list[Row]] = defaultdict(list)
        for event in sorted(record.events, key=lambda event: event.version):
            told[event.case_id].append(event)
        zones = {club.id: ZoneInfo(club.zone) for club in record.clubs}
        record.kept["rounds"] = {
            case.id: list(_replay(case, told[case.id], zones[case.club_id], record.end))
            for case in record.cases
        }
    found: dict[int, list[Round]] = record.kept["rounds"]
    return found


def running_rounds(record: Record) -> Iterator[Round]:
    """Every round that is not an end."""
    for items in rounds_of(record).values():
        yield from (item for item in items if not is_end(item.state))


def _replay(case: Row, events: list[Row], zone: ZoneInfo, end: datetime) -> Iterator[Round]:
    gone: list[Round] = []
    had: datetime | None = None
    for number, event in enumerate(events):
        if event.from_state == event.to_state and event.action != "apply_again":
            continue
        rest = events[number + 1 :]
        leaves = next((at for at, later in enumerate(rest) if _enters(later)), None)
        inside = rest if leaves is None else rest[: leaves + 1]
        if gone and _goes_over(gone[-1], event):
            had = gone[-1].due_at(event.at)
        gone.append(
            Round(
                case.id,
                case.club_id,
                case.person_id,
                case.workflow,
                event.to_state,
                event.version,
                event.at,
                inside[-1].at if leaves is not None else end,
                leaves is None,
                event,
                tuple(inside),
                case.data,
                zone,
                gone[-2] if event.action == "undo" else None,
                had,
            )
        )
        yield gone[-1]


def _goes_over(left: Round, event: Row) -> bool:
    """Does the case go on from its person to somebody else?"""
    on = event.to_state not in PERSONS_TURN and not is_end(event.to_state)
    return left.turn_is_the_persons and on and event.action != "undo"


def _enters(event: Row) -> bool:
    return event.from_state != event.to_state or event.action == "apply_again"


def member_since(record: Record, person: Row, moment: datetime) -> datetime | None:
    """Since when somebody is a member at that moment; None when they are not."""
    since = next(
        (
            row.created_at
            for row in record.letters
            if row.name == "club.imported" and row.person_id == person.id
        ),
        None,
    )
    for event in _story(record).get(person.id, []):
        if event.at > moment:
            break
        if event.to_state in ("approved", "readmitted"):
            since = event.at
        elif event.to_state in ("removed", "departed", "erasing") or event.from_state == "approved":
            since = None
    return since


def _story(record: Record) -> dict[int, list[Row]]:
    """What made people members or ended it, by person, in the order of time."""
    if "story" not in record.kept:
        whose = {case.id: case.person_id for case in record.cases}
        found: dict[int, list[Row]] = defaultdict(list)
        for event in sorted(record.events, key=lambda event: event.at):
            if {event.to_state, event.from_state} & {
                "approved",
                "readmitted",
                "removed",
                "departed",
                "erasing",
            }:
                found[whose[event.case_id]].append(event)
        record.kept["story"] = found
    story: dict[int, list[Row]] = record.kept["story"]
    return story
