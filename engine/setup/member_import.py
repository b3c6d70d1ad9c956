"""The import of members from before this service (clause 2.2).

``read_roster`` and ``compare`` say what would happen and change nothing; ``import_members`` does
it, in one commit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select

from engine.cases.offers import open_existing_offices
from engine.club.context import current_club
from engine.club.people import add_person, address_hash
from engine.declare.fields import SHORT_CHARACTERS, clean_line
from engine.outbox.queue import BULK, queue_for_person
from engine.storage.database import enter_club
from engine.storage.models import Case, Club, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import BadAddress, fold_address
from engine.text.csv_table import CellError, Table, TableRow, fold, read_table, read_text
from engine.text.i18n import LANGUAGES, best_language
from engine.text.i18n import marked as _
from engine.text.name_list import is_name_list, read_name_list

COLUMNS = {
    "name": ("name", "fullname", "realname", "姓名", "名字", "真实姓名"),
    "email": (
        "email",
        "e-mail",
        "mail",
        "emailaddress",
        "邮箱",
        "电子邮箱",
        "邮箱地址",
        "邮件",
        "电子邮件",
    ),
    "city": ("city", "城市", "所在城市"),
    "joined": (
        "joined",
        "joined_at",
        "joinedat",
        "joinedon",
        "加入日期",
        "入会日期",
        "入群日期",
        "加入时间",
    ),
    "locale": ("locale", "language", "语言"),
    "role": ("role", "角色", "身份"),
}
REQUIRED = {"name": "name (姓名)", "email": "email (邮箱)"}
_LANGUAGE_WORDS = {
    "中文": "zh-CN",
    "简体中文": "zh-CN",
    "chinese": "zh-CN",
    "英文": "en",
    "英语": "en",
    "english": "en",
}
_ROLE_WORDS = {
    "": "member",
    "member": "member",
    "成员": "member",
    "群员": "member",
    "会员": "member",
    "admin": "admin",
    "管理员": "admin",
    "owner": "owner",
    "群主": "owner",
}
LONGEST_CELL = 1_000
_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 0?0:00(?::00)?)?|(\d{4})(\d{2})(\d{2})"
)
_LANGUAGE_TAG = re.compile(r"[a-z]{2}(?:[-_]\w+)*")


@dataclass(frozen=True)
class ImportedMember:
    """A valid row. ``joined`` and ``locale`` are None if not given."""

    row: int
    name: str
    address: str
    city: str
    joined: date | None
    locale: str | None
    role: str

    @property
    def display_name(self) -> str:
        return f"{self.city}+{self.name}" if self.city else self.name


@dataclass(frozen=True)
class BadRow:
    """A row that stays out: its own name, and all of its errors."""

    row: int
    who: str
    faults: tuple[CellError, ...]


@dataclass(frozen=True)
class Roster:
    """A file as it was read; ``ignored``: unknown headers."""

    entries: tuple[ImportedMember, ...]
    bad: tuple[BadRow, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class ImportPlan:
    """The result of a roster: ``new`` come in, ``known`` are members, ``bad`` stay out."""

    new: tuple[ImportedMember, ...]
    known: tuple[ImportedMember, ...]
    bad: tuple[BadRow, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class _Known:
    id: int
    status: str
    role: str
    was_removed: bool
    applies: bool


def read_roster(source: bytes | str, club: Club, now: datetime) -> Roster:
    """Read a file or pasted cells.

    Raises: CellError if it cannot be used at all.
    """
    text = read_text(source)
    table = (
        Table(read_name_list(text), ())
        if is_name_list(text)
        else read_table(text, COLUMNS, required=REQUIRED)
    )
    today = now.astimezone(ZoneInfo(club.zone)).date()
    entries: list[ImportedMember] = []
    bad: list[BadRow] = []
    seen: dict[str, int] = {}
    for row in table.rows:
        read = _read_row(row, today, seen)
        if isinstance(read, ImportedMember):
            entries.append(read)
        else:
            bad.append(read)
    return Roster(tuple(entries), tuple(bad), table.unknown)


def _read_row(row: TableRow, today: date, seen: dict[str, int]) -> ImportedMember | BadRow:
    readers: dict[str, Callable[[str], Any]] = {
        "name": _name,
        "email": lambda cell: _address(cell, row.number, seen),
        "city": _short,
        "joined": lambda cell: _joined(cell, today),
        "locale": _locale,
        "role": _role,
    }
    values: dict[str, Any] = {}
    faults = (
        [CellError(_("There is something to the right of the last column; is a comma in a cell?"))]
        if row.spare
        else []
    )
    for column, read in readers.items():
        try:
            values[column] = read(_cell(row.cells.get(column, "")))
        except CellError as fault:
            faults.append(fault)
    if faults:
        who = row.cells.get("name") or row.cells.get("email") or ""
        return BadRow(row.number, clean_line(who[:LONGEST_CELL])[:80], tuple(faults))
    return ImportedMember(row.number, address=values.pop("email"), **values)


def _cell(text: str) -> str:
    """Clean a cell to one line; refuse an overlong one before any work on it."""
    if len(text) > LONGEST_CELL:
        raise CellError(_("A cell is longer than %(limit)s characters"), limit=SHORT_CHARACTERS)
    return clean_line(text)


def _name(cell: str) -> str:
    if not cell:
        raise CellError(_("The name is missing"))
    return _short(cell)


def _short(cell: str) -> str:
    if len(cell) > SHORT_CHARACTERS:
        raise CellError(_("A cell is longer than %(limit)s characters"), limit=SHORT_CHARACTERS)
    return cell


def _address(cell: str, number: int, seen: dict[str, int]) -> str:
    if not cell:
        raise CellError(_("The e-mail address is missing"))
    try:
        address = fold_address(cell)
    except BadAddress:
        raise CellError(
            _("“%(cell)s” is no e-mail address; an example is lilei@qq.com"), cell=cell[:80]
        ) from None
    if address in seen:
        raise CellError(_("The same address is in row %(row)s"), row=seen[address])
    seen[address] = number
    return address


def _joined(cell: str, today: date) -> date | None:
    if not cell:
        return None
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", cell))
    if found is None:
        raise CellError(
            _(
                "“%(cell)s” is no date; examples are 2026-03-01, 2026/3/1, "
                "2026年3月1日 and 20260301"
            ),
            cell=cell[:80],
        )
    year, month, of_month = (int(part) for part in found.groups() if part)
    try:
        day = date(year, month, of_month)
    except ValueError:
        raise CellError(_("There is no day “%(cell)s” in the calendar"), cell=cell[:80]) from None
    if day > today:
        raise CellError(_("“%(cell)s” lies in the future"), cell=cell[:80])
    return day


def _locale(cell: str) -> str | None:
    if not cell:
        return None
    word = fold(cell)
    language = _LANGUAGE_WORDS.get(word) or (
        best_language(word, "") if _LANGUAGE_TAG.fullmatch(word) else ""
    )
    if not language:
        raise CellError(
            _("“%(cell)s” is no language of this service; it speaks %(languages)s"),
            cell=cell[:80],
            languages=", ".join(LANGUAGES),
        )
    return language


def _role(cell: str) -> str:
    role = _ROLE_WORDS.get(fold(cell))
    if role is None:
        raise CellError(
            _("“%(cell)s” is no role; a role is member (成员) or admin (管理员)"), cell=cell[:80]
        )
    return role


def compare(session: ClubSession, roster: Roster) -> ImportPlan:
    """Compare a roster with the people of the current club."""
    club = current_club(session)
    known = _known(session, [address_hash(club, entry.address) for entry in roster.entries])
    new: list[ImportedMember] = []
    members: list[ImportedMember] = []
    bad = list(roster.bad)
    for entry in roster.entries:
        person = known.get(address_hash(club, entry.address))
        fault = _objection(entry, person)
        if fault:
            bad.append(BadRow(entry.row, entry.name, (fault,)))
        else:
            (members if person and person.status == PersonStatus.MEMBER else new).append(entry)
    return ImportPlan(
        tuple(new), tuple(members), tuple(sorted(bad, key=lambda item: item.row)), roster.ignored
    )


def _known(session: ClubSession, hashes: list[str]) -> dict[str, _Known]:
    of_person = (Case.club_id == Person.club_id) & (Case.person_id == Person.id)
    open_case = exists().where(of_person & (Case.turn != ""))
    wanted = select(
        Person.address_hash, Person.id, Person.status, Person.role, Person.removed_at, open_case
    )
    rows = session.execute(wanted.where(Person.address_hash.in_(hashes)))
    return {
        str(key): _Known(number, status, role, removed_at is not None, applies)
        for key, number, status, role, removed_at, applies in rows
    }


def _objection(entry: ImportedMember, person: _Known | None) -> CellError | None:
    """Return why this row cannot come in, else None.

    A removed member comes back by a decision, not by a list (clause 2.3).
    """
    if entry.role == PersonRole.OWNER and not (person and person.role == PersonRole.OWNER):
        return CellError(_("A club has one owner; nobody becomes it by a list"))
    if person is None or person.status in (PersonStatus.MEMBER, PersonStatus.DEPARTED):
        return None
    if person.was_removed:
        return CellError(_("Was removed from the club; coming back is decided by an application"))
    if person.status in (PersonStatus.REFUSED_MAIL, PersonStatus.ERASED):
        return CellError(_("Wants no mail from this club"))
    return (
        CellError(_("An application of this person is open; please decide that"))
        if person.applies
        else None
    )


def import_members(session: ClubSession, club_id: int, roster: Roster, now: datetime) -> ImportPlan:
    """Add the new members, who owe nothing yet, and send each one welcome."""
    enter_club(session, club_id)
    plan = compare(session, roster)
    club = current_club(session)
    hashes = [address_hash(club, entry.address) for entry in plan.new]
    found = session.execute(select(Person).where(Person.address_hash.in_(hashes))).scalars()
    back = {person.address_hash: person for person in found}
    people = []
    for key, entry in zip(hashes, plan.new, strict=True):
        person = back.get(key) or add_person(
            session, entry.address, locale=entry.locale or club.locale
        )
        _take_in(person, entry, ZoneInfo(club.zone), now)
        people.append(person)
    session.flush()
    for person in people:
        open_existing_offices(session, person, now)
    for person in people:
        queue_for_person(session, person, "club.imported", purpose="once", now=now, priority=BULK)
    return plan


def _take_in(person: Person, entry: ImportedMember, zone: ZoneInfo, now: datetime) -> None:
    """Add one member.

    ``joined_at`` becomes the start of the given day in the club's zone.
    """
    person.status, person.role = PersonStatus.MEMBER, PersonRole(entry.role)
    person.address = entry.address
    person.name, person.display_name = entry.name, entry.display_name
    person.locale = entry.locale or person.locale
    person.joined_at = (
        datetime.combine(entry.joined, time(), zone).astimezone(UTC) if entry.joined else now
    )
    person.registered_at = now


def members(session: ClubSession) -> list[dict[str, Any]]:
    """Return the members of the current club, longest-standing first."""
    wanted = (
        select(Person)
        .where(Person.status == PersonStatus.MEMBER)
        .order_by(Person.joined_at, Person.id)
    )
    return [
        {
            "name": person.name,
            "display_name": person.display_name,
            "email": person.address,
            "role": person.role,
            "locale": person.locale,
            "joined": person.joined_at.isoformat(timespec="seconds") if person.joined_at else None,
            "charter": person.charter_version,
            "mail_trouble": person.mail_trouble,
        }
        for person in session.execute(wanted).scalars()
    ]
