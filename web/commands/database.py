"""``flask db``: the database."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from engine.clock import machine_now
from engine.operations.copy_database import CannotMove, copy_database
from engine.storage import schema
from engine.storage.database import Database
from web.app.services import services


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the database to the schema of this version."""
    schema.upgrade(services().db)
    click.echo(f"schema {schema.newest()}")


@db.command("move")
@click.argument("url", metavar="URL")
@with_appcontext
def move_database(url: str) -> None:
    """Copy everything into an empty database, such as postgresql://…; stop the server first.

    From then on this one sends nothing. Start the service on the new one with the same secret key,
    so that every link lives.
    """
    here = services()
    try:
        target = Database(url)
        counts = copy_database(here.db, target, machine_now())
    except CannotMove as reason:
        raise click.ClickException(str(reason)) from None
    except (SQLAlchemyError, ImportError, schema.SchemaIsNewer) as trouble:
        raise click.UsageError(
            f"URL: the database cannot be opened ({str(trouble).splitlines()[0]})"
        ) from None
    click.echo(
        f"{sum(counts.values())} rows moved: "
        + ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    )
    click.echo(
        "Now set JIUNIU_DATABASE_URL to the new address and JIUNIU_SECRET_KEY to the key "
        "in use, and start the service."
    )
