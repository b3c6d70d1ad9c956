"""Reminders, and the next wake-up of each case.

Cases that are alike share one plan; a whole batch is written in a handful of statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, select, tuple_, update

from engine.cases.deadlines import reminders_of
from engine.charter.model import Numbers
from engine.club.context import load_clubs, time_context
from engine.declare.due_times import morning_after_quiet
from engine.declare.registry import state_of
from engine.declare.roles import person as the_person
from engine.declare.workflow import LetterSpec, State
from engine.outbox.queue import UNSENT, CaseLetter, recipients
from engine.storage.bulk import write_many
from engine.storage.database import in_club
from engine.storage.models import Case, Club, Letter, Person
from engine.storage.unit_of_work import ClubSession

LATER_ONE = "skipped: a later reminder took its place"
FEWER = "skipped: fewer reminders are wanted"
ASK_FIRST = "skipped: what it reminds of has not left yet"

# A case, its entered version, and the persons asked in it.
Asked = tuple[int, int, int | None, int | None]


@dataclass(frozen=True)
class Planned:
    """The due reminders, each with the reason why it is dropped (or none), and the wake-up."""

    passed: list[tuple[datetime, LetterSpec, str]]
    wake_at: datetime


def plan(
    state: State, entered: datetime, due: datetime, now: datetime, numbers: Numbers, *, fewer: bool
) -> Planned:
    """Plan the reminders of a case: of several due ones only the last leaves.

    A person who wants fewer gets only the last one before the deadline. Includes reminders already
    sent; the unique key prevents duplicates.
    """
    every = reminders_of(state, entered, due, numbers)
    passed = [pair for pair in every if pair[0] <= now]
    wake_at = every[len(passed)][0] if len(passed) < len(every) else due
    reasons = [LATER_ONE] * (len(passed) - 1) + [
        FEWER if fewer and len(passed) < len(every) else ""
    ]
    return Planned(
        [
            (moment, letter, reason)
            for (moment, letter), reason in zip(passed, reasons, strict=False)
        ],
        wake_at,
    )


def remind_due(session: ClubSession, now: datetime, size: int) -> int:
    """Remind in the oldest cases whose deadline is still ahead; return in how many."""
    found = session.connection().execute(_DUE, {"now": now, "size": size}).all()
    _remind(session, found, now)
    return len(found)


def remind_case(session: ClubSession, case: Case, now: datetime) -> None:
    """Remind in one case: a batch of one."""
    session.flush()
    found = session.connection().execute(_ONE, {"club": case.club_id, "case": case.id}).all()
    _remind(session, found, now)
    session.expire(case, ["wake_at", "trouble"])


def _remind(session: ClubSession, found: Sequence[Any], now: datetime) -> None:
    """Queue the planned reminders of these cases, and set their wake-ups."""
    # perf: P3, 500 reminders one by one 350 ms, together 35 ms, 2026-12-01
    if not found:
        return
    clubs = load_clubs(session, {row.club_id for row in found})
    unasked = _not_yet_asked(session, [(row.club_id, row.id) for row in found if row.waits])
    letters: list[dict[str, Any]] = []
    wakes: list[dict[str, Any]] = []
    waiting: list[tuple[tuple[int, int, int], Planned]] = []
    for first, rows in _group_alike(found):
        context = time_context(clubs[first.club_id])
        state = state_of(first.workflow, first.state)
        planned = plan(
            state,
            first.entered_at,
            first.due_at,
            now,
            context.numbers,
            fewer=first.fewer_reminders,
        )
        morning = morning_after_quiet(now, context)
        waiting += [
            ((row.club_id, row.id, row.entered_version), planned) for row in rows if row.waits
        ]
        for moment, spec, reason in planned.passed:
            letter = CaseLetter(first, spec, now, morning, by_clock=True, moment=moment)
            letters += _to_everybody(session, rows, state, letter, reason, unasked)
        wakes += [
            {"club": row.club_id, "case": row.id, "at": planned.wake_at, "trouble": ""}
            for row in rows
        ]
    _supersede_older(session, waiting, now)
    session.unit.letters += letters
    write_many(session, _WAKE, wakes)


def _to_everybody(
    session: ClubSession,
    rows: Sequence[Any],
    state: State,
    letter: CaseLetter,
    reason: str,
    unasked: set[Asked],
) -> Iterator[dict[str, Any]]:
    """Yield the letter's row for each person whose turn it is in these cases."""
    spec = letter.spec
    own_turn = state.turn == the_person and not (state.poll or spec.to or spec.at or spec.gathers)
    for row in rows:
        case, asked = row, [row.person_id]
        if not own_turn:
            with in_club(session, row.club_id):
                case = session.get_one(Case, (row.club_id, row.id))
                asked = recipients(session, case, spec, state)
        for person_id in asked:
            early = (row.club_id, row.id, row.entered_version, person_id) in unasked
            why_not = reason or (ASK_FIRST if early else "")
            yield letter.to(case, person_id, row.entered_version, why_not=why_not)


_case, _club = Case.__table__.c, Club.__table__.c
_person, _letter = Person.__table__.c, Letter.__table__.c
_ALIKE = (
    _case.club_id,
    _case.workflow,
    _case.state,
    _case.entered_at,
    _case.due_at,
    _person.fewer_reminders,
)
_WANTED = select(
    *_ALIKE,
    _case.id,
    _case.person_id,
    _case.entered_version,
    exists()
    .where(_letter.club_id == _case.club_id, _letter.case_id == _case.id, _letter.state.in_(UNSENT))
    .label("waits"),
).join_from(
    Case.__table__,
    Person.__table__,
    (_person.club_id == _case.club_id) & (_person.id == _case.person_id),
)
_DUE = (
    _WANTED.join(Club.__table__, _club.id == _case.club_id)
    .where(_case.wake_at <= bindparam("now"), _case.due_at > bindparam("now"))
    .where(_club.paused_at.is_(None))
    .order_by(_case.wake_at)
    .limit(bindparam("size"))
    .with_for_update(skip_locked=True, of=Case.__table__)
)
_ONE = _WANTED.where(_case.club_id == bindparam("club"), _case.id == bindparam("case"))
_WAKE = (
    update(Case.__table__)  # type: ignore[arg-type]
    .where(_case.club_id == bindparam("club"), _case.id == bindparam("case"))
    .values(wake_at=bindparam("at"), trouble=bindparam("trouble"))
)


def _group_alike(found: Sequence[Any]) -> Iterable[tuple[Any, list[Any]]]:
    """Group cases that are alike in all that decides on their reminders.

    A club's newcomers or a week's reflections share one plan.
    """
    alike: dict[tuple[Any, ...], list[Any]] = {}
    for row in found:
        alike.setdefault(row[: len(_ALIKE)], []).append(row)
    return ((rows[0], rows) for rows in alike.values())


def _not_yet_asked(session: ClubSession, cases: list[tuple[int, int]]) -> set[Asked]:
    """Return the persons whose ask has not left yet, so that no reminder overtakes it.

    An outage, or a provider that defers it.
    """
    if not cases:
        return set()
    unsent = session.connection().execute(_ASKS_UNSENT, {"cases": cases})
    return {
        (row.club_id, row.case_id, row.version, row.person_id)
        for row in unsent
        if not row.data.get("reminder")
    }


def _supersede_older(
    session: ClubSession, planned: Sequence[tuple[tuple[int, int, int], Planned]], now: datetime
) -> None:
    """Drop an earlier reminder that still waits when a newer one is queued.

    For the morning, or for the mail server.
    """
    newest = {key: what.passed[-1][0].isoformat() for key, what in planned if what.passed}
    if not newest:
        return
    waiting = session.connection().execute(_WAITING, {"cases": sorted({key[:2] for key in newest})})
    gone = [
        {"club": row.club_id, "letter": row.id, "now": now}
        for row in waiting
        if row.data.get("reminder")
        and newest.get((row.club_id, row.case_id, row.version or 0), row.key) not in row.key
    ]
    if gone:
        session.connection().execute(_GIVE_WAY, gone)


_ASKS_UNSENT = select(
    _letter.club_id, _letter.case_id, _letter.version, _letter.person_id, _letter.data
).where(
    tuple_(_letter.club_id, _letter.case_id).in_(bindparam("cases", expanding=True)),
    _letter.asks,
    _letter.state.in_(UNSENT),
)
_WAITING = select(
    _letter.club_id, _letter.id, _letter.case_id, _letter.version, _letter.key, _letter.data
).where(
    tuple_(_letter.club_id, _letter.case_id).in_(bindparam("cases", expanding=True)),
    _letter.state == "queued",
)
_GIVE_WAY = (
    update(Letter.__table__)  # type: ignore[arg-type]
    .where(_letter.club_id == bindparam("club"), _letter.id == bindparam("letter"))
    .values(state="dropped", answer=LATER_ONE, settled_at=bindparam("now"))
)
