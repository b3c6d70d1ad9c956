"""Many rows in one statement, where SQLAlchemy's ORM is too slow.

Each function has a mark: measured without and with it, on SQLite, in CPU time, and when. The
benchmarks (sweep, forms) say whether it still pays; what does not is to be deleted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Dialect, Insert, Update, bindparam, insert, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.exc import StaleDataError

from engine.storage.models import Case, Event, Letter, Person, Row

if TYPE_CHECKING:
    from engine.storage.unit_of_work import NewEvent

Maker = Callable[[Any], Any] | None  # What makes a column's value ready for the driver.

_NOTHING = object()


def insert_new(session: Session, model: type[Row], **values: Any) -> bool:
    """Insert a row unless its unique key is taken; return True if it was inserted."""
    statement = _insert_and_say(session.get_bind().dialect.name, model)
    return (
        session.connection().execute(statement, values).first() is not None
    )  # psycopg's rowcount is -1, taken or not.


def insert_letters(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert letters, except those whose key is taken: they were queued before."""
    write_many(session, _insert_statement(session.get_bind().dialect.name, Letter), rows)


def insert_events(session: Session, events: Sequence[NewEvent]) -> None:
    """Insert events in one statement.

    The ORM would track each as a row that may still change.
    """
    # perf: P3, see write_many; sampled as rows of the ORM in ADR 3, 2026-11-23
    write_many(session, _INSERT[Event], [vars(event) for event in events])


def insert_people_and_cases(session: Session) -> None:
    """Insert the session's new people, then its new cases, and keep them as loaded rows.

    The ORM would sort them and flush each on its own.
    """
    # perf: P1, 100 forms 288 -> 250 ms, 2026-12-01
    for model in (Person, Case):
        rows = [row for row in session.new if isinstance(row, model)]
        if rows:
            write_many(session, _INSERT[model], [_every_column(row) for row in rows])
        for row in rows:
            session.expunge(row)
            make_transient_to_detached(row)
            session.add(row)


def update_cases(session: Session, cases: Sequence[Case]) -> None:
    """Write the changes of these cases, each guarded by its version; the session keeps them.

    Raises: StaleDataError if a case was changed meanwhile.
    """
    # perf: P3, 500 steps of a study plan 109 -> 74 ms; of a reflection, whose choice queries,
    # nothing, 2026-12-01
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
        if write_many(session, _update_statement(names), rows) != len(rows):
            raise StaleDataError("a case of this batch was changed meanwhile")


def write_many(
    session: Session, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Run one statement for many rows with the same keys; return the row count.

    As SQLAlchemy's own list of parameters, but the values are made ready for the driver column by
    column. Every parameter needs a key in the rows: a literal in the statement is a parameter, too.
    """
    # perf: P3, 1,000 letters 19 -> 10 ms, 1,000 events 20 -> 12 ms, 2026-12-01
    connection = session.connection()
    text, makers, positional = _made_ready(statement, connection.dialect, tuple(rows[0]))
    columns = [_ready([row[name] for row in rows], make) for name, make in makers.items()]
    values = list(zip(*columns, strict=True))
    parameters = values if positional else [dict(zip(makers, row, strict=True)) for row in values]
    return connection.exec_driver_sql(text, parameters).rowcount


def _ready(values: list[Any], make: Maker) -> list[Any]:
    """Make values ready for the driver, the same one of adjacent rows only once."""
    if make is None:
        return values
    ready = []
    last = _NOTHING
    made = None
    for value in values:
        if value is not last:
            last, made = value, make(value)
        ready.append(made)
    return ready


@functools.lru_cache(maxsize=64)
def _made_ready(
    statement: Insert | Update, dialect: Dialect, keys: tuple[str, ...]
) -> tuple[str, dict[str, Maker], bool]:
    """Return the statement's text, parameters in order with makers, True if positional."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    names = compiled.positiontup or list(compiled.binds)
    makers: dict[str, Maker] = {
        name: compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        for name in names
    }
    return str(compiled), makers, compiled.positional


_INSERT: dict[Any, Insert] = {model: insert(model.__table__) for model in (Person, Case, Event)}  # type: ignore[arg-type]


def _every_column(row: Row) -> dict[str, Any]:
    """Return every column's value; an unset one gets its default, in the row too."""
    values = vars(row)
    for column in row.__table__.columns:
        if column.name not in values:
            default: Any = column.default
            values[column.name] = (
                None
                if default is None
                else default.arg(None)
                if default.is_callable
                else default.arg
            )
    return {column.name: values[column.name] for column in row.__table__.columns}


@functools.lru_cache(maxsize=64)
def _update_statement(names: tuple[str, ...]) -> Update:
    """Return the update of these columns of one case, guarded by its version."""
    case = Case.__table__.c
    guarded = (
        case.club_id == bindparam("of_club"),
        case.id == bindparam("of_case"),
        case.version == bindparam("version_before"),
    )
    changes: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(Case.__table__).where(*guarded).values(changes)  # type: ignore[arg-type]


@functools.cache
def _insert_statement(dialect: str, model: type[Row]) -> Any:
    insert_unless_taken = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert_unless_taken(model.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]


@functools.cache
def _insert_and_say(dialect: str, model: type[Row]) -> Any:
    return _insert_statement(dialect, model).returning(*model.__table__.primary_key)
