"""``flask db``: the database."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from engine import schema
from web.service import service


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the database to the schema of this version."""
    schema.upgrade(service().db)
    click.echo(f"schema {schema.newest()}")
