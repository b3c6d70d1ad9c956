"""What must be true of the steps that cases take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import pairwise
from types import SimpleNamespace as Row
from zoneinfo import ZoneInfo

from tests.month.record import Record
from tests.month.rounds import AFTER_END, is_end, member_since, rounds_of, running_rounds
from tests.month.rule import AT_ONCE, rules

RULES, rule = rules()
HALF_A_WEEK = timedelta(days=3, hours=6)  # from Sunday 08:00, due on Saturday 20:00


@rule("every due step happened once, when it was due")
def due_steps(record: Record) -> Iterator[str]:
    """At the first tick after the due time the case takes its step, or gets more time; never
    before, never twice."""
    resting = {case.id for case in record.cases if case.trouble == "unreachable"}
    for item in running_rounds(record):
        taken = [event for event in item.events if event.action == "due"]
        if len(taken) > 1:
            yield f"case {item.case}: {len(taken)} due steps in one round"
        for event in taken:
            if event.at < item.due_at(event.at):
                yield f"case {item.case} {item.workflow}.{item.state}: stepped at {event.at}, due {item.due_at(event.at)}"
        for due in item.reached():
            tick = next((tick for tick in record.ticks if tick >= due), None)
            if tick is None or item.left < tick or item.case in resting:
                continue
            if not any(
                event.action in ("due", "postponed") and event.at <= tick + AT_ONCE
                for event in item.since(due)
            ):
                yield f"case {item.case} {item.workflow}.{item.state}: due {due}, nothing by {tick}"


@rule("no step against a person before the ask was sent in time")
def unwarned(record: Record) -> Iterator[str]:
    asks = defaultdict(list)
    for mail, letter in record.sent():
        if letter.asks and not letter.data.get("reminder"):
            asks[(letter.case_id, letter.version, letter.person_id)].append(mail.at)
    for item in running_rounds(record):
        taken = next((event for event in item.events if event.action == "due"), None)
        if taken is None or not item.turn_is_the_persons:
            continue
        due = item.due_at(taken.at)
        latest = due - min(timedelta(days=1), (due - item.entered) / 2) + AT_ONCE
        if not any(at <= latest for at in asks[(item.case, item.version, item.person)]):
            yield f"case {item.case} {item.workflow}.{item.state}: the ask did not come by {latest}, step at {taken.at}"


@rule("a record is whole")
def chains(record: Record) -> Iterator[str]:
    """Events count from 1, each begins where the last one ended, and the case stands where they
    lead."""
    told = defaultdict(list)
    for event in sorted(record.events, key=lambda event: event.version):
        told[event.case_id].append(event)
    for case in record.cases:
        events = told[case.id]
        if [event.version for event in events] != list(range(1, case.version + 1)):
            yield f"case {case.id}: versions {[event.version for event in events]} of {case.version}"
        states = ["", *(event.to_state for event in events)]
        if [event.from_state for event in events] != states[:-1] or states[-1] != case.state:
            yield f"case {case.id}: {states} does not lead to {case.state}"
        for before, event in pairwise(events):
            if event.at < before.at:
                yield f"case {case.id}: {event.action} before {before.action}"
            if is_end(before.to_state) and event.action not in AFTER_END.get(
                before.to_state, set()
            ):
                yield f"case {case.id}: {event.action} after the end in {before.to_state}"


@rule("a week opens once for everybody whom it concerns")
def weeks(record: Record) -> Iterator[str]:
    """Who was a member on Sunday and owed no reflection and had no removal proposed gets one, and
    nobody else does but who was held up by what they owed."""
    cases = [case for case in record.cases if case.workflow == "reflection"]
    for key, count in Counter((case.person_id, case.data.get("period")) for case in cases).items():
        if count > 1:
            yield f"person {key[0]} has {count} reflections for {key[1]}"
    for club in record.clubs:
        for opening, tick in _openings(record, club):
            period = (opening.astimezone(ZoneInfo(club.zone)).date() + timedelta(days=6)).strftime(
                "%G-W%V"
            )
            got = {
                case.person_id
                for case in cases
                if case.club_id == club.id and case.data.get("period") == period
            }
            late = _held_up(record, period)
            for person in record.people:
                if person.club_id != club.id or (person.id in got and person.id in late):
                    continue
                if (person.id in got) != (wanted := _reads(record, person, opening, tick)):
                    yield f"person {person.id} {person.name}: reflection of {period}: {not wanted}, should be {wanted}"


def _openings(record: Record, club: Row) -> Iterator[tuple[datetime, datetime]]:
    """Each Sunday at 08:00 in the club's zone, and the tick at which it is opened, unless the next
    one overtakes it."""
    zone = ZoneInfo(club.zone)
    day = record.begin.astimezone(zone).date()
    while day <= record.end.astimezone(zone).date():
        opening = datetime.combine(day, time(8), zone)
        tick = next((tick for tick in record.ticks if tick >= opening), None)
        if (
            day.isoweekday() == 7
            and opening > record.begin
            and tick
            and tick < datetime.combine(day + timedelta(days=7), time(8), zone)
        ):
            yield opening, tick
        day += timedelta(days=1)


def _held_up(record: Record, period: str) -> set[int]:
    """Whom an owed reflection kept from this week: they may have begun it late."""
    whose = {case.id: case.person_id for case in record.cases}
    held = (event for event in record.events if event.action == "held_up")
    return {whose[event.case_id] for event in held if event.answers.get("name") == period}


def _reads(record: Record, person: Row, opening: datetime, tick: datetime) -> bool:
    since = member_since(record, person, tick)
    if tick > opening + HALF_A_WEEK:  # too late to begin: told, and nothing owed
        return False
    if person.role == "owner" or since is None or since > opening:
        return False
    mine = [
        item
        for items in rounds_of(record).values()
        for item in items
        if item.person == person.id and not is_end(item.state)
    ]
    open_then = [item for item in mine if item.entered < tick <= item.left]
    return not any(
        (item.workflow == "reflection" and item.turn_is_the_persons)
        or item.state == "removal_proposed"
        for item in open_then
    )
