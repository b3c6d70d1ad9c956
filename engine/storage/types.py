"""Column types: aware instants, JSON objects, enumerated texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused as ambiguous.

    SQLite stores it as the text of SQLAlchemy's own type, without a dictionary per value in
    between.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _to_sqlite if dialect.name == "sqlite" else _to_utc

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None]:
        return _from_sqlite if dialect.name == "sqlite" else _to_utc


def _to_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return value.astimezone(UTC)


def _to_sqlite(value: datetime | None) -> str | None:
    moment = _to_utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")[:-6]


def _from_sqlite(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class CorruptJSON(dict[str, Any]):
    """An empty dict for corrupt JSON; ``raw`` is written back unchanged."""

    def __init__(self, raw: object) -> None:
        super().__init__()
        self.raw = raw


class JSONObject(TypeDecorator[dict[str, Any]]):
    """A JSON object."""

    impl = JSON
    cache_ok = True

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], dict[str, Any] | None]:
        read = self.impl_instance.dialect_impl(dialect).result_processor(dialect, coltype)

        def plain(value: Any) -> dict[str, Any] | None:
            try:
                found = read(value) if read else value
            except json.JSONDecodeError:
                return CorruptJSON(value)
            return found if isinstance(found, dict) or value is None else CorruptJSON(found)

        return plain

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value.raw if isinstance(value, CorruptJSON) else value

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        return self.impl_instance.coerce_compared_value(op, value)


class EnumText(TypeDecorator[StrEnum]):
    """A member of a StrEnum, stored as its text. A text that is no member reads as it is."""

    impl = String(16)
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        return _to_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        known: dict[str, StrEnum] = {member.value: member for member in self.members}
        return lambda text: known.get(text, text)


def _to_text(value: str | None) -> str | None:
    return value.value if isinstance(value, StrEnum) else value
