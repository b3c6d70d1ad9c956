"""``flask backup`` and ``flask restore``: the whole installation as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from engine.clock import machine_now
from engine.operations import backup as archive
from engine.settings import load
from engine.storage.engines import sqlite_module
from web.app.services import Services, services

# A full disk's errors: the file's, the copied database's, the restored one's.
NO_ROOM = (OSError, sqlite_module().Error, DBAPIError)
SAID = {"club": "clubs", "person": "people", "case": "cases", "letter": "letters"}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Write database and keys into FILE (a .tar.gz), also while the service runs. It opens every
    link: keep it safe."""
    here = _on_sqlite("pg_dump, and keep JIUNIU_SECRET_KEY with it")
    try:
        manifest = archive.make(here.db, here.settings.secret_keys, file, machine_now())
    except archive.InTheWay as reason:
        raise click.ClickException(str(reason)) from None
    except (*NO_ROOM, archive.BadBackup) as trouble:
        raise click.ClickException(f"{file} cannot be written: {trouble}") from None
    click.echo(f"{file}: {_in_numbers(manifest)}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Keep the database that is here aside and restore in its place."
)
@with_appcontext
def restore(file: Path, replace: bool) -> None:
    """Put the backup FILE in the place of an empty database. Its letters are held until `letters
    release --all`."""
    here = _on_sqlite("pg_restore, then `letters hold --all` before you start")
    clock = here.demo_clock
    try:
        done = archive.restore(
            file,
            here.db,
            here.settings.data_dir,
            replace=replace,
            clock=clock,
            machine_now=machine_now(),
        )
    except archive.BadBackup as reason:
        raise click.UsageError(f"{file}: {reason}") from None
    except archive.InTheWay as reason:
        raise click.ClickException(str(reason)) from None
    except NO_ROOM as trouble:
        raise click.ClickException(f"{file} cannot be restored: {trouble}") from None
    click.echo(f"restored the backup of {done.manifest['made_at']}: {_in_numbers(done.manifest)}")
    for path in done.aside:
        click.echo(f"kept aside: {path}")
    click.echo(
        f"no mail leaves: {done.held} unsent letters are held and the post rests until "
        "`letters release --all`"
    )
    if not set(done.keys) <= set(load().secret_keys):
        click.echo(
            "JIUNIU_SECRET_KEY is set here and is another: links of earlier mails open "
            "once the keys in "
            f"{here.settings.data_dir / 'secret-key'} stand in JIUNIU_SECRET_KEY_FALLBACKS",
            err=True,
        )


def _on_sqlite(instead: str) -> Services:
    here = services()
    if not here.db.is_sqlite:
        raise click.UsageError(
            f"JIUNIU_DATABASE_URL: this is for SQLite; PostgreSQL brings its own: use {instead}"
        )
    return here


def _in_numbers(manifest: dict[str, object]) -> str:
    counts = manifest["counts"]
    assert isinstance(counts, dict), "a manifest counts rows"
    return (
        ", ".join(f"{name} {counts.get(table, 0)}" for table, name in SAID.items())
        + f", schema {manifest['schema']}"
    )
