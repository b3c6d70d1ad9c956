"""The tables. ``club_id`` leads every key: one club never sees another's rows."""

from __future__ import annotations

import itertools
import os
import secrets
import time
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from engine.storage.states import LetterState, PersonRole, PersonStatus
from engine.storage.types import EnumText, JSONObject, UTCDateTime

_EPOCH_MS = 1_767_225_600_000  # 2026-01-01
_serial = itertools.count(secrets.randbits(21))


def _count_anew() -> None:
    """Give a forked process a serial of its own.

    Workers that load the app before they fork would make equal ids in the same millisecond.
    """
    global _serial  # noqa: PLW0603
    _serial = itertools.count(secrets.randbits(21))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_count_anew)


def new_id() -> int:
    """Return a 63-bit id that sorts by its time, unique over processes without the database."""
    return ((time.time_ns() // 1_000_000 - _EPOCH_MS) << 21) | (next(_serial) & 0x1FFFFF)


def _where(condition: str) -> dict[str, Any]:
    """Build the condition of a partial index."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Row(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UTCDateTime,
        int: BigInteger,
        dict[str, Any]: JSONObject,
        list[str]: JSON,
        bytes: LargeBinary,
    }


class ClubRow:
    """A mixin of each table of a club.

    ``engine.storage.unit_of_work`` narrows each query on it to the session's club.
    """

    club_id: Mapped[int] = mapped_column(primary_key=True, sort_order=-10)


class Club(Row):
    __tablename__ = "club"
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str]
    zone: Mapped[str]
    locale: Mapped[str]
    charter: Mapped[dict[str, Any]]
    charter_version: Mapped[int] = mapped_column(default=1)
    address_salt: Mapped[str] = mapped_column(default=lambda: secrets.token_hex(16))
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]


class CharterChange(ClubRow, Row):
    """A version of a charter. ``by_id``: its author on a page; None from the command line."""

    __tablename__ = "charter_change"
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None]
    charter: Mapped[dict[str, Any]]


class Person(ClubRow, Row):
    """A person whom the club knows.

    The address is stored only while mail has to reach it; the hash finds it again. ``joined_at``:
    when they joined the club, perhaps long before ``registered_at``, when this service came to know
    them as a member.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_address", "club_id", "address_hash", unique=True),
        Index("uq_person_owner", "club_id", unique=True, **_where("role = 'owner'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    address: Mapped[str | None]
    address_hash: Mapped[str | None]
    name: Mapped[str] = mapped_column(default="")
    display_name: Mapped[str] = mapped_column(default="")
    locale: Mapped[str]
    status: Mapped[PersonStatus] = mapped_column(
        EnumText(PersonStatus), default=PersonStatus.APPLICANT
    )
    role: Mapped[PersonRole] = mapped_column(EnumText(PersonRole), default=PersonRole.MEMBER)
    charter_version: Mapped[int] = mapped_column(default=0)
    charter_acknowledged_at: Mapped[datetime | None]
    link_epoch: Mapped[int] = mapped_column(default=1)
    mail_trouble: Mapped[str] = mapped_column(default="")
    fewer_reminders: Mapped[bool] = mapped_column(default=False)
    feed_number: Mapped[int] = mapped_column(default=0, server_default="0")
    joined_at: Mapped[datetime | None]
    registered_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    away_until: Mapped[datetime | None]

    # Two units that change the same person at once: the second one is refused and run again.
    __mapper_args__ = {"version_id_col": version}


class Case(ClubRow, Row):
    """A run of a workflow about one person.

    ``turn`` names the role whose move it is, "" when the case has ended. ``entered_version``: the
    version at which the present state was entered; forms carry it.
    """

    __tablename__ = "case"
    __table_args__ = (
        ForeignKeyConstraint(["club_id", "person_id"], ["person.club_id", "person.id"]),
        Index("uq_case_key", "club_id", "workflow", "key", unique=True),
        Index("ix_case_person", "club_id", "person_id"),
        Index("ix_case_parent", "club_id", "parent_id"),
        Index("ix_case_turn", "club_id", "turn", "workflow", "due_at", **_where("turn <> ''")),
        Index("ix_case_ended", "workflow", "state", "entered_at", **_where("turn = ''")),
        Index("ix_case_wake_at", "wake_at", **_where("wake_at IS NOT NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    workflow: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int]
    parent_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(40))
    turn: Mapped[str] = mapped_column(String(60))
    version: Mapped[int] = mapped_column()
    entered_version: Mapped[int]
    opened_at: Mapped[datetime]
    entered_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    wake_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    private: Mapped[dict[str, Any]] = mapped_column(default=dict)
    person: Mapped[Person] = relationship()

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class Event(ClubRow, Row):
    """The record of a transition, never changed; erasure empties its words.

    ``device``: the browser of a decider's press, for the receipt.
    """

    __tablename__ = "event"
    __table_args__ = (
        ForeignKeyConstraint(["club_id", "case_id"], ["case.club_id", "case.id"]),
        Index("ix_event_who", "club_id", "who_id", "at"),
    )
    case_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who_id: Mapped[int | None]
    on_behalf_of_id: Mapped[int | None]
    via: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[str] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(default="")
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    device: Mapped[str] = mapped_column(String(200), default="", server_default="")


class Mark(ClubRow, Row):
    """A person's vote, sign-in or attendance in one entered version of a case."""

    __tablename__ = "mark"
    __table_args__ = (ForeignKeyConstraint(["club_id", "case_id"], ["case.club_id", "case.id"]),)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    entered_version: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    choice: Mapped[str]
    sequence: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[int | None]


class Letter(ClubRow, Row):
    """A letter in the queue.

    ``key`` prevents queueing it twice. ``address``: where it goes instead of to the person's own (a
    new address to be confirmed). ``lease_until`` follows the machine's clock.
    """

    __tablename__ = "letter"
    __table_args__ = (
        Index("uq_letter_key", "club_id", "key", unique=True),
        Index("ix_letter_case", "club_id", "case_id", "version"),
        Index("ix_letter_person", "club_id", "person_id"),
        Index("ix_letter_about", "club_id", "about_id"),
        Index("ix_letter_next_at", "priority", "next_at", "id", **_where("state = 'queued'")),
        Index("ix_letter_settled_at", "settled_at", **_where("bytes IS NOT NULL")),
        Index("ix_letter_lease_until", "lease_until", **_where("lease_until IS NOT NULL")),
        Index("ix_letter_trouble", "club_id", **_where("state = 'failed'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(160))
    name: Mapped[str] = mapped_column(String(80))
    case_id: Mapped[int | None]
    version: Mapped[int | None]
    person_id: Mapped[int | None]
    about_id: Mapped[int | None]
    address: Mapped[str | None]
    asks: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=5)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[LetterState] = mapped_column(EnumText(LetterState), default=LetterState.QUEUED)
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[str] = mapped_column(String(80), default=lambda: secrets.token_hex(12))
    answer: Mapped[str] = mapped_column(default="")
    maybe_twice: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[datetime | None]
    bytes: Mapped[bytes | None]


class Schedule(ClubRow, Row):
    """The next time of a rule of the calendar (an opening, the daily letter)."""

    __tablename__ = "schedule"
    __table_args__ = (Index("ix_schedule_next_at", "next_at"),)
    rule: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime]
    not_opened: Mapped[list[str]] = mapped_column(default=list)


class WebSession(ClubRow, Row):
    """A signed-in browser; its cookie's value is stored only as a hash.

    ``device``: its own name, for its owner to know it.
    """

    __tablename__ = "web_session"
    __table_args__ = (
        Index("uq_web_session_secret_hash", "secret_hash", unique=True),
        Index("uq_web_session_link", "club_id", "link", unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[int]
    secret_hash: Mapped[str] = mapped_column(String(64))
    link: Mapped[str] = mapped_column(String(80))
    device: Mapped[str] = mapped_column(String(200), default="")
    browser: Mapped[str] = mapped_column(String(64), default="", server_default="")
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class KnownBrowser(ClubRow, Row):
    """A browser in which a decider acted or signed in; its cookie's value is only a hash."""

    __tablename__ = "known_browser"
    __table_args__ = (
        ForeignKeyConstraint(["club_id", "person_id"], ["person.club_id", "person.id"]),
    )
    person_id: Mapped[int] = mapped_column(primary_key=True)
    browser: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class SpentLink(ClubRow, Row):
    """A used one-time link: the letter that held it, and its purpose."""

    __tablename__ = "spent_link"
    letter_id: Mapped[int] = mapped_column(primary_key=True)
    use: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]


class Draft(ClubRow, Row):
    """A saved, unsubmitted form. ``form``: kind and target of the link that opens it."""

    __tablename__ = "draft"
    __table_args__ = (
        ForeignKeyConstraint(["club_id", "person_id"], ["person.club_id", "person.id"]),
    )
    person_id: Mapped[int] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    answers: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Rate(Row):
    """A count in a window of time, by the machine's clock, shared by all processes."""

    __tablename__ = "rate"
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    window: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class Heartbeat(Row):
    """A part of the service and its last sign of life, or the mail channel's trouble."""

    __tablename__ = "heartbeat"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class MailAccount(Row):
    """The installation's mail account, if set on a page. ``secret``: its encrypted password."""

    __tablename__ = "mail_account"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    security: Mapped[str] = mapped_column(String(16))
    host: Mapped[str]
    port: Mapped[int]
    user: Mapped[str] = mapped_column(default="")
    secret: Mapped[bytes]
    sender: Mapped[str]
    at: Mapped[datetime]
