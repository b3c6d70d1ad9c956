"""What must be true of what people decide, and of what others get to see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.month.record import Record
from tests.month.rounds import DECIDES, running_rounds
from tests.month.rule import AT_ONCE, rules

RULES, rule = rules()
UNDO = timedelta(hours=24)


@rule("every removal was decided by a person")
def removals(record: Record) -> Iterator[str]:
    owners = {person.club_id: person.id for person in record.people if person.role == "owner"}
    people = {person.id: person for person in record.people}
    removed = set()
    for event in record.events:
        if event.to_state != "removed" or event.from_state == "removed":
            continue
        concerned = next(case.person_id for case in record.cases if case.id == event.case_id)
        removed.add(concerned)
        said = event.note or people[concerned].status == "erased"
        if (
            event.who_id != owners[event.club_id]
            or event.via != "page"
            or event.action != "remove"
            or not said
        ):
            yield f"case {event.case_id}: removed by {event.who_id} via {event.via} ({event.action}), reason {event.note!r}"
    for person in record.people:
        if person.status == "removed" and person.id not in removed:
            yield f"person {person.id} is removed, and nobody decided that"


@rule("nobody decided about themself, and only who may decided")
def deciders(record: Record) -> Iterator[str]:
    people = {person.id: person for person in record.people}
    cases = {case.id: case for case in record.cases}
    for event in record.events:
        if event.action not in DECIDES:
            continue
        who, case = people.get(event.who_id), cases[event.case_id]
        if who is None or who.id == case.person_id:
            yield f"case {case.id}: {event.action} by {event.who_id}"
        elif who.role == "member" and who.id not in record.admins:
            yield f"case {case.id}: {event.action} by member {who.id}"
        elif (
            who.role != "owner"
            and event.action != "undo"
            and people.get(event.on_behalf_of_id or 0) is None
        ):
            yield f"case {case.id}: {event.action} by deputy {who.id} in nobody's name"


@rule("two presses are one act")
def double_presses(record: Record) -> Iterator[str]:
    last: dict[tuple[int, int, str], datetime] = {}
    for event in sorted(record.events, key=lambda event: (event.at, event.version)):
        if event.who_id is None:
            continue
        key = (event.case_id, event.who_id, event.action)
        if key in last and event.at - last[key] < timedelta(seconds=20):
            yield f"case {event.case_id}: {event.action} twice by {event.who_id} at {event.at}"
        last[key] = event.at


@rule("a decision is taken back by its decider, within a day")
def undone(record: Record) -> Iterator[str]:
    told = {(event.case_id, event.version): event for event in record.events}
    for event in record.events:
        if event.action != "undo":
            continue
        entered = next(
            told[(event.case_id, version)]
            for version in range(event.version - 1, 0, -1)
            if told[(event.case_id, version)].to_state != told[(event.case_id, version)].from_state
        )
        if (
            entered.who_id != event.who_id
            or event.at - entered.at > UNDO + AT_ONCE
            or entered.from_state != event.to_state
        ):
            yield f"case {event.case_id}: {entered.action} by {entered.who_id} at {entered.at}, undone by {event.who_id} at {event.at}"


@rule("votes are counted as cast, and stay secret")
def ballots(record: Record) -> Iterator[str]:
    cast: dict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    items = [item for item in running_rounds(record) if item.state == "vote"]
    for vote in sorted(record.votes, key=lambda vote: vote.at):
        item = next(
            item
            for item in items
            if item.case == vote.case and item.entered <= vote.at <= item.left
        )
        cast[(item.case, item.version)][vote.person] = vote.choice
    for item in items:
        mine = cast[(item.case, item.version)]
        marks = [
            mark
            for mark in record.marks
            if (mark.case_id, mark.entered_version) == (item.case, item.version)
        ]
        voters = {mark.person_id for mark in marks}
        members = {person.id for person in record.people if person.status == "member"}
        if voters - set(mine) or (set(mine) - voters) & members or item.person in mine:
            yield f"case {item.case}: marks of {sorted(mark.person_id for mark in marks)}, votes of {sorted(mine)}"
        if item.is_running:
            continue
        mine = {who: choice for who, choice in mine.items() if who in voters}
        if any(mark.choice for mark in marks):
            yield f"case {item.case}: choices stand open after the vote"
        last = item.events[-1]
        counted = {choice: n for choice, n in last.answers.get("count", {}).items() if n}
        if last.action == "due" and counted != dict(Counter(mine.values())):
            yield f"case {item.case}: counted {counted}, cast {dict(Counter(mine.values()))}"
        if last.action == "due" and last.to_state != _outcome(
            Counter(mine.values()), item.data["electors"]
        ):
            yield f"case {item.case}: {last.to_state} with {dict(Counter(mine.values()))} of {item.data['electors']}"


def _outcome(count: Counter[str], electors: int) -> str:
    if not electors:
        return "elected"
    if 3 * count.total() < electors:
        return "too_few"
    return "elected" if count["yes"] > count["no"] else "rejected"


@rule("clubs do not see each other")
def apart(record: Record) -> Iterator[str]:
    slugs = {club.id: club.slug for club in record.clubs}
    clubs_of = {(row.club_id, row.id) for row in record.people} | {
        (row.club_id, row.id) for row in record.cases
    }
    for mail, letter in record.sent():
        if mail.club != slugs[letter.club_id]:
            yield f"letter {letter.id} of {slugs[letter.club_id]} came as one of {mail.club}"
        for slug, names in record.names.items():
            found = slug != mail.club and next(
                (name for name in names if name in mail.text or name in mail.subject), None
            )
            if found:
                yield f"letter {letter.id} of {mail.club} to {mail.to} names {found} of {slug}"
    for row in [*record.events, *record.letters, *record.marks, *record.cases]:
        for other in (
            getattr(row, name, None)
            for name in ("case_id", "who_id", "person_id", "about_id", "parent_id")
        ):
            if other is not None and (row.club_id, other) not in clubs_of:
                yield f"a row of club {row.club_id} points to {other} elsewhere"


@rule("an old link, fetched or pressed blindly, changes nothing")
def pokes(record: Record) -> Iterator[str]:
    for poke in record.pokes:
        if poke.before != poke.after:
            yield f"{poke.what} at {poke.at}: {poke.before} became {poke.after}"
    yield from record.faults


@rule("who was erased is gone")
def erased(record: Record) -> Iterator[str]:
    people = {person.id: person for person in record.people}
    for club_id, person_id, name in record.erased:
        person = people[person_id]
        if person.status == "erased":
            if person.address or person.name or person.display_name:
                yield f"person {person_id} keeps {person.address} {person.name}"
            yield from _words_of(record, person_id)
            yield from _letters_naming(record, club_id, name)


def _words_of(record: Record, person_id: int) -> Iterator[str]:
    mine = {case.id: case for case in record.cases if case.person_id == person_id}
    for case in mine.values():
        if case.answers or case.private:
            yield f"person {person_id}: words stand in case {case.id}"
    for event in record.events:
        if event.case_id in mine and (event.answers or event.note):
            yield f"person {person_id}: words stand in event {event.version} of case {event.case_id}"


def _letters_naming(record: Record, club_id: int, name: str) -> Iterator[str]:
    texts = {mail.message_id for mail in record.mails if name in mail.text or name in mail.subject}
    for letter in record.letters:
        if letter.club_id == club_id and letter.bytes and letter.message_id in texts:
            yield f"letter {letter.id} {letter.name} still names {name}"
