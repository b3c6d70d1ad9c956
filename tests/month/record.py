"""The record of a month as plain data: rows of every table, arrived mails, people's reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import SimpleNamespace as Row
from typing import Any

from sqlalchemy import select

from engine.storage.database import Database
from engine.storage.models import Case, Club, Event, Letter, Mark, Person


@dataclass(frozen=True)
class Posted:
    """A mail as the mail server took it; ``message_id`` without brackets and domain."""

    at: datetime
    club: str
    letter: str
    to: str
    message_id: str
    subject: str
    text: str


@dataclass(frozen=True)
class Vote:
    """A vote that the page took."""

    at: datetime
    club: str
    case: int
    person: int
    choice: str


@dataclass(frozen=True)
class Poke:
    """Somebody fetched an old link, or pressed without the page; ``before`` and ``after``: what was
    counted in the tables."""

    at: datetime
    what: str
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass
class Record:
    begin: datetime
    end: datetime
    ticks: list[datetime]
    clubs: list[Row]
    people: list[Row]
    cases: list[Row]
    events: list[Row]
    marks: list[Row]
    letters: list[Row]
    mails: list[Posted]
    votes: list[Vote] = field(default_factory=list)
    pokes: list[Poke] = field(default_factory=list)
    names: dict[str, set[str]] = field(default_factory=dict)
    """Club to the names and addresses that belong to its people only."""
    admins: set[int] = field(default_factory=set)
    """Who was ever an admin, by the spreadsheet or by a vote."""
    erased: list[tuple[int, int, str]] = field(default_factory=list)
    """Who asked to be erased: club, person, name."""
    strays: list[Posted] = field(default_factory=list)
    """Mails to an address that nobody of the club has."""
    faults: list[str] = field(default_factory=list)
    """Pages that answered with an error of the server."""
    """When the mail server took nothing, or nobody swept."""
    kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """What a reader has worked out already."""

    @cached_property
    def by_message_id(self) -> dict[str, Row]:
        return {letter.message_id: letter for letter in self.letters}

    def sent(self) -> Iterator[tuple[Posted, Row]]:
        """The mails that arrived, each with its row in the ledger."""
        for mail in self.mails:
            if mail.message_id in self.by_message_id:
                yield mail, self.by_message_id[mail.message_id]


def rows_of(db: Database) -> dict[str, list[Row]]:
    """Every row of every club, as it stands."""
    tables = {
        "clubs": Club,
        "people": Person,
        "cases": Case,
        "events": Event,
        "marks": Mark,
        "letters": Letter,
    }
    with db.read() as session:
        connection = session.connection()
        return {name: _read(connection, model) for name, model in tables.items()}


def _read(connection: Any, model: Any) -> list[Row]:
    found: Iterable[Any] = connection.execute(select(model.__table__)).mappings()
    return [Row(**row) for row in found]
