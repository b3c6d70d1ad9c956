"""Plain data in a row. What was damaged by hand reads as nothing, and says so, instead of stopping
every page that lists it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class CorruptJSON(dict[str, Any]):
    """Stands, empty, for what is no JSON object; ``raw`` is what the row holds, and what a copy of
    the row gets."""

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
