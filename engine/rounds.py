"""What a round of steps wrote on its cases goes to the database in two statements; the ORM would take one for each case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.exc import StaleDataError

from engine.db import write_many
from engine.models import Case, Event

# All that a step may change, as many columns each time: one statement for all of them.
_CHANGING = (
    "state", "turn", "version", "entered_version", "entered_at", "due_at", "wake_at", "trouble", "answers", "data", "private",
)  # fmt: skip
_HAPPENED = tuple(column.name for column in Event.__table__.columns)

_case = Case.__table__.c
_MOVE = (
    update(Case.__table__)  # type: ignore[arg-type]
    .where(_case.club_id == bindparam("of_club"), _case.id == bindparam("of_case"), _case.version == bindparam("version_before"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_RECORD = insert(Event.__table__)  # type: ignore[arg-type]


def write_together(session: Session, cases: Sequence[Case]) -> None:
    """Write what changed in these cases, each guarded by its version, and their events. Raises StaleDataError.

    A case is read anew by whoever asks for it after this.
    """
    changed = session.dirty
    moved = [case for case in cases if case in changed]
    if not moved:
        return
    keys = {(case.club_id, case.id) for case in moved}
    events = [row for row in session.new if isinstance(row, Event) and (row.club_id, row.case_id) in keys]
    if write_many(session, _MOVE, [_row_of(case) for case in moved]) != len(moved):
        raise StaleDataError("a case of this round was changed meanwhile")
    if events:
        write_many(session, _RECORD, [{name: getattr(event, name) for name in _HAPPENED} for event in events])
    for event in events:
        session.expunge(event)
    for case in moved:
        session.expire(case)


def _row_of(case: Case) -> dict[str, Any]:
    before = get_history(case, "version").non_added()
    values = {f"new_{name}": getattr(case, name) for name in _CHANGING}
    return values | {"of_club": case.club_id, "of_case": case.id, "version_before": before[0]}
