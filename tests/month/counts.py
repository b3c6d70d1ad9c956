"""The figures of a month: actions, steps, and letters per person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from statistics import mean, median

from tests.month.record import Record
from tests.month.rounds import member_since

WEEK, DAY = timedelta(days=7), timedelta(days=1)
Table = list[tuple[str, ...]]


def rows_in_all(record: Record) -> Table:
    """The size of the month."""
    copies = len(record.mails) - len({mail.message_id for mail in record.mails})
    actions = Counter(event.action for event in record.events)
    steps = (
        "due",
        "postponed",
        "void",
        "undo",
        "remove",
        "readmit",
        "excuse",
        "extend",
        "approve",
        "return",
        "decline",
        "submit",
    )
    sizes = {
        "people": len(record.people),
        "cases": len(record.cases),
        "events": len(record.events),
        "votes": len(record.votes),
        "mails": len(record.mails),
        "second copies after a crash": copies,
        "pokes at links": len(record.pokes),
    }
    states = Counter(f"letters {letter.state}" for letter in record.letters)
    told = {f"event {action}": actions[action] for action in steps}
    return [
        (name, str(count)) for name, count in (sizes | dict(sorted(states.items())) | told).items()
    ]


def per_week(record: Record) -> Table:
    """Letters per member and week, by rank and by letter: mean, median, most."""
    found: Table = [("letters per person and week", "mean", "p50", "max")]
    for rank in ("owner", "admin", "member"):
        found.append(_line(rank, _weeks(record, rank)))
        by_name = [
            (name, _weeks(record, rank, name))
            for name in sorted({letter.name for _, letter in record.sent()})
        ]
        often = sorted(by_name, key=lambda pair: -sum(pair[1]))
        found += [
            _line(f"  {name}", counts) for name, counts in often if mean(counts or [0]) >= 0.05
        ]
    return found


def owners_day(record: Record) -> Table:
    """What the owner of the large club gets in a day, by letter."""
    owner = next(person for person in record.people if person.role == "owner")
    mails = [
        (int((mail.at - record.begin) / DAY), letter.name)
        for mail, letter in record.sent()
        if letter.person_id == owner.id
    ]
    days = range(int((record.end - record.begin) / DAY) + 1)

    def line(said: str, wanted: Iterable[int]) -> tuple[str, ...]:
        return _line(said, [count[day] for count in (Counter(wanted),) for day in days])

    names = [name for name, _ in Counter(name for _, name in mails).most_common()]
    return [
        ("letters to the owner per day", "mean", "p50", "max"),
        line("all", [day for day, _ in mails]),
        *(line(f"  {name}", [day for day, letter in mails if letter == name]) for name in names),
    ]


def _weeks(record: Record, rank: str, name: str | None = None) -> list[int]:
    """One number for each week in which somebody of the large club was in it: how many letters they
    got."""
    came = Counter(
        (letter.person_id, int((mail.at - record.begin) / WEEK))
        for mail, letter in record.sent()
        if name in (None, letter.name)
    )
    return [came[pair] for pair in _person_weeks(record, rank)]


def _person_weeks(record: Record, rank: str) -> Iterator[tuple[int, int]]:
    large = next(club.id for club in record.clubs if club.slug == "jiuniu")
    for person in record.people:
        is_officer = person.id in record.admins or person.role == "owner"
        fits = person.role == rank if rank != "member" else not is_officer
        for week in range(int((record.end - record.begin) / WEEK) or 1):
            middle = record.begin + week * WEEK + WEEK / 2
            if (
                person.club_id == large
                and fits
                and (rank == "owner" or member_since(record, person, middle))
            ):
                yield person.id, week


def _line(said: str, counts: list[int]) -> tuple[str, ...]:
    counts = counts or [0]
    return said, f"{mean(counts):.2f}", f"{median(counts):.0f}", str(max(counts))


def shown(table: Table) -> str:
    wide = max(len(row[0]) for row in table)
    return "\n".join(
        f"{row[0]:<{wide}}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in table
    )
