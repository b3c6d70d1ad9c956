"""What a round of steps wrote on its cases goes to the database in a few statements; the ORM would take one for each case."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, inspect, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine.db import write_many
from engine.happening import write_happenings
from engine.models import Case


def write_together(session: Session, cases: Sequence[Case]) -> None:
    """Write what changed in these cases, each guarded by its version, and their events. Raises StaleDataError.

    A case is read anew by whoever asks for it after this.
    """
    changed = session.dirty
    moved = [case for case in cases if case in changed]
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for case in moved:
        before = inspect(case).committed_state
        names = tuple(sorted(before))
        guard = {"of_club": case.club_id, "of_case": case.id, "version_before": before.get("version", case.version)}
        alike.setdefault(names, []).append(guard | {f"new_{name}": getattr(case, name) for name in names})
    for names, rows in alike.items():
        if write_many(session, _move(names), rows) != len(rows):
            raise StaleDataError("a case of this round was changed meanwhile")
    write_happenings(session)
    for case in moved:
        session.expire(case)


@cache
def _move(names: tuple[str, ...]) -> Update:
    """These columns of one case, unless somebody was faster. Few different ones: what a step changes is declared."""
    case = Case.__table__.c
    guarded = (case.club_id == bindparam("of_club"), case.id == bindparam("of_case"), case.version == bindparam("version_before"))
    return update(Case.__table__).where(*guarded).values({name: bindparam(f"new_{name}") for name in names})  # type: ignore[arg-type]
