"""What a round of steps wrote on its cases goes to the database in a few statements; the ORM would
take one for each case."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, inspect, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine.club.context import reset_session_cache
from engine.storage.database import write_many
from engine.storage.event_writer import write_events
from engine.storage.models import Case


def flush_cases(session: Session) -> None:
    """Write what changed, each case guarded by its version, and let go of all rows. Raises
    StaleDataError."""
    changed = list(session.dirty)
    cases = [row for row in changed if isinstance(row, Case)]
    if session.new or len(cases) < len(changed):
        session.flush()  # more than cases: what goes first is the ORM's to say
    else:
        _write_cases(session, cases)
        write_events(session)
    reset_session_cache(session)


def _write_cases(session: Session, cases: list[Case]) -> None:
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for case in cases:
        state = inspect(case)
        before, after = state.committed_state, state.dict
        guard = {
            "of_club": case.club_id,
            "of_case": case.id,
            "version_before": before.get("version", case.version),
        }
        alike.setdefault(tuple(before), []).append(
            guard | {f"new_{name}": after[name] for name in before}
        )
    for names, rows in alike.items():
        if write_many(session, _update_cases(names), rows) != len(rows):
            raise StaleDataError("a case of this round was changed meanwhile")


@cache
def _update_cases(names: tuple[str, ...]) -> Update:
    """These columns of one case, unless somebody was faster. Few different ones: what a step
    changes is declared."""
    case = Case.__table__.c
    guarded = (
        case.club_id == bindparam("of_club"),
        case.id == bindparam("of_case"),
        case.version == bindparam("version_before"),
    )
    return (
        update(Case.__table__)  # type: ignore[arg-type]
        .where(*guarded)
        .values({name: bindparam(f"new_{name}") for name in names})
    )
