"""Reminders: which of them leaves now, and when a case next wants to be looked at. They write
letters and ``wake_at`` only.

Whoever's own turn it is is reminded for a whole round at once, in a handful of statements; a
ballot's electors case by case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, exists, select, tuple_, update

from engine.cases.deadlines import reminders_of
from engine.charter.model import Numbers
from engine.club.context import charter_numbers, current_club, load_clubs, time_context
from engine.declare.due_times import morning_after_quiet
from engine.declare.registry import state_of
from engine.declare.workflow import LetterSpec, State
from engine.outbox.queue import (
    UNSENT,
    key_suffix,
    queue_for_case,
    recipient_columns,
    shared_columns,
)
from engine.storage.bulk import write_many
from engine.storage.models import Case, Letter, Person
from engine.storage.unit_of_work import ClubSession

LATER_ONE = "skipped: a later reminder took its place"
FEWER = "skipped: fewer reminders are wanted"
ASK_FIRST = "skipped: what it reminds of has not left yet"

# A case, its round, and who is asked in it.
Asked = tuple[int, int, int | None, int | None]


@dataclass(frozen=True)
class Planned:
    """The reminders whose moment has passed, each with the reason why it does not leave (or none),
    and the next look."""

    passed: list[tuple[datetime, LetterSpec, str]]
    wake_at: datetime


def plan(
    state: State, entered: datetime, due: datetime, now: datetime, numbers: Numbers, *, fewer: bool
) -> Planned:
    """Of several reminders whose moment passed only the last leaves; who wants fewer gets only the
    last before the due time.

    Those that left before are among them: their keys are taken, so nothing leaves twice.
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


def remind(session: ClubSession, case: Case, now: datetime) -> None:
    """The reminders of one case, to everybody whose turn it is."""
    assert case.due_at is not None
    state, context = state_of(case.workflow, case.state), time_context(current_club(session))
    fewer = case.person.fewer_reminders
    planned = plan(state, case.entered_at, case.due_at, now, context.numbers, fewer=fewer)
    unasked = _not_yet_asked(session, [(case.club_id, case.id)])

    def why_not(reason: str, person_id: int) -> str:
        return reason or (
            ASK_FIRST if (case.club_id, case.id, case.entered_version, person_id) in unasked else ""
        )

    _supersede_older(session, [((case.club_id, case.id, case.entered_version), planned)], now)
    for moment, letter, reason in planned.passed:
        queue_for_case(
            session,
            case,
            [letter],
            state,
            version=case.entered_version,
            now=now,
            by_clock=True,
            context=context,
            moment=moment,
            why_not=partial(why_not, reason),
        )
    case.wake_at, case.trouble = planned.wake_at, ""


def remind_persons(session: ClubSession, now: datetime, size: int) -> int:
    """All at once: the oldest cases in which it is a person's own turn and the due time is still
    ahead."""
    found = session.connection().execute(_WANTED, {"now": now, "size": size}).all()
    if not found:
        return 0
    clubs = load_clubs(session, {row.club_id for row in found})
    letters: list[dict[str, Any]] = []
    wakes: list[dict[str, Any]] = []
    waiting: list[tuple[tuple[int, int, int], Planned]] = []
    unasked = _not_yet_asked(session, [(row.club_id, row.id) for row in found if row.waits])
    for first, rows in _group_alike(found):
        club = clubs[first.club_id]
        planned = _plan_group(first, now, charter_numbers(club))
        waiting += [
            ((row.club_id, row.id, row.entered_version), planned) for row in rows if row.waits
        ]
        letters += _letters(
            rows, planned, now, morning_after_quiet(now, time_context(club)), unasked
        )
        wakes += [
            {"club": row.club_id, "case": row.id, "at": planned.wake_at, "trouble": ""}
            for row in rows
        ]
    _supersede_older(session, waiting, now)
    session.unit.letters += letters
    write_many(session, _WAKE, wakes)
    return len(found)


_case, _person, _letter = Case.__table__.c, Person.__table__.c, Letter.__table__.c
_ALIKE = (
    _case.club_id,
    _case.workflow,
    _case.state,
    _case.entered_at,
    _case.due_at,
    _person.fewer_reminders,
)
_WANTED = (
    select(
        *_ALIKE,
        _case.id,
        _case.person_id,
        _case.entered_version,
        exists()
        .where(
            _letter.club_id == _case.club_id, _letter.case_id == _case.id, _letter.state.in_(UNSENT)
        )
        .label("waits"),
    )
    .join_from(
        Case.__table__,
        Person.__table__,
        (_person.club_id == _case.club_id) & (_person.id == _case.person_id),
    )
    .where(
        _case.turn == "person", _case.wake_at <= bindparam("now"), _case.due_at > bindparam("now")
    )
    .order_by(_case.wake_at)
    .limit(bindparam("size"))
    .with_for_update(skip_locked=True, of=Case.__table__)
)
_WAKE = (
    update(Case.__table__)  # type: ignore[arg-type]
    .where(_case.club_id == bindparam("club"), _case.id == bindparam("case"))
    .values(wake_at=bindparam("at"), trouble=bindparam("trouble"))
)


def _group_alike(found: Sequence[Any]) -> Iterable[tuple[Any, list[Any]]]:
    """Cases that are alike in all that decides on their reminders (a club's newcomers, a week's
    reflections) share one plan."""
    alike: dict[tuple[Any, ...], list[Any]] = {}
    for row in found:
        alike.setdefault(row[: len(_ALIKE)], []).append(row)
    return ((rows[0], rows) for rows in alike.values())


def _plan_group(row: Any, now: datetime, numbers: Numbers) -> Planned:
    return plan(
        state_of(row.workflow, row.state),
        row.entered_at,
        row.due_at,
        now,
        numbers,
        fewer=row.fewer_reminders,
    )


def _letters(
    rows: list[Any], planned: Planned, now: datetime, morning: datetime, unasked: set[Asked]
) -> Iterable[dict[str, Any]]:
    for moment, letter, reason in planned.passed:
        state, which = "dropped" if reason else "queued", key_suffix(letter, moment)
        alike = shared_columns(
            rows[0],
            letter,
            created_at=now,
            next_at=morning,
            by_clock=True,
            moment=moment,
            state=state,
            answer=reason,
        )
        for row in rows:
            early = (
                unasked
                and not reason
                and (row.club_id, row.id, row.entered_version, row.person_id) in unasked
            )
            mine = alike | recipient_columns(
                row, row.person_id, version=row.entered_version, which=which
            )
            yield mine | {"state": "dropped", "answer": ASK_FIRST} if early else mine


def _not_yet_asked(session: ClubSession, cases: list[tuple[int, int]]) -> set[Asked]:
    """Whom the letter that asks them has not left for yet (an outage, a provider that defers it):
    no reminder overtakes it."""
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
    """An earlier reminder that still waits (for the morning, for the mail server) gives way to the
    newest."""
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
