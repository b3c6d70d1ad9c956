"""The script that Alembic runs, on the connection of ``engine.storage.schema``."""

from typing import Any, Literal

from alembic import context

from engine.storage.models import Row
from engine.storage.types import UTCDateTime


def _render(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    return (
        "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False
    )


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    render_item=_render,
)
context.run_migrations()
