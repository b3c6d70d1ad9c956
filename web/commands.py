"""The commands of ``flask --app app``."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import tomli_w
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import letters_ledger, schema
from engine.at_hand import owner_at_hand
from engine.charter import Charter, CharterError, read_charter, shipped_charter
from engine.clubs import BadClub, all_clubs, apply_charter, by_slug, create_club
from engine.db import enter_club
from engine.forecast import foresee
from engine.language import LANGUAGES
from engine.models import Club, Person
from mailers.catcher import Catcher
from web import demo
from web.service import Service, service
from web.ticker import Ticker

as_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
of_club = click.option("--club", "slug", metavar="SLUG", help="Which club; may be left out while there is one.")


def init(app: Flask) -> None:
    for command in (club, letters, db, worker, tick, due):
        app.cli.add_command(command)


def _with_mail_server(run: Callable[[Service], None]) -> None:
    """Run with the installation's mail server, or with a built-in mailbox of this process's own."""
    here = service()
    catcher = Catcher(here.mailbox) if here.settings.built_in_mailbox else None
    if catcher:
        here.built_in = catcher.start()
    try:
        run(here)
    finally:
        if catcher:
            catcher.stop()


def _the_club(session: Session, slug: str | None) -> Club:
    if slug:
        found = by_slug(session, slug)
        if found is None:
            raise click.ClickException(f"--club: there is no club named {slug}")
        return found
    clubs = all_clubs(session)
    if len(clubs) != 1:
        raise click.UsageError("--club: say which; there are " + (", ".join(club.slug for club in clubs) or "none yet"))
    return clubs[0]


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values() if value not in (None, "")))


@click.group()
def club() -> None:
    """Found, show and change clubs."""


@club.command("create")
@click.option("--slug", required=True, help="The club's name in addresses: small letters, digits, hyphens.")
@click.option("--name", required=True, help="The club's name for people.")
@click.option("--owner-email", required=True, help="Where the owner reads mail.")
@click.option("--owner-name", required=True)
@click.option("--timezone", "zone", default="Asia/Shanghai", show_default=True)
@click.option("--locale", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option("--charter", "charter_file", type=click.Path(path_type=Path), help="A charter in TOML; else the founding club's.")
@click.option("--replace-demo", is_flag=True, help="Remove the demo club and its clock first.")
@with_appcontext
def create(charter_file: Path | None, replace_demo: bool, locale: str, **given: str) -> None:
    """Found a club. Its charter may be changed later with `club apply`."""
    here = service()
    with here.db.read() as session:
        demo_exists = any(found.is_demo for found in all_clubs(session))
    if demo_exists and not replace_demo:
        raise click.ClickException("the demo club is still there; add --replace-demo to remove it and its clock first")
    try:
        charter = read_charter(charter_file) if charter_file else shipped_charter(locale)
        if demo_exists:
            demo.end(here)
        here.db.write(create_club, locale=locale, charter=charter.plain(), now=here.clock.now(), **given)  # type: ignore[arg-type]
    except (BadClub, CharterError) as wrong:
        raise click.UsageError(str(wrong)) from None
    click.echo(here.links.url(f"{given['slug']}/"))


@club.command("list")
@as_json
@with_appcontext
def list_clubs(as_json: bool) -> None:
    """Every club of this installation."""
    with service().db.read() as session:
        rows = [
            {"slug": found.slug, "name": found.name, "timezone": found.zone, "locale": found.locale} for found in all_clubs(session)
        ]
    _print(rows, as_json)


@club.command("show")
@of_club
@as_json
@with_appcontext
def show_club(slug: str | None, as_json: bool) -> None:
    """One club: its owner, its address, how many members it has."""
    with service().db.read() as session:
        found = _the_club(session, slug)
        enter_club(session, found.id)
        members = len(session.execute(select(Person.id).where(Person.status == "member")).all())
        row = {
            "slug": found.slug, "name": found.name, "url": service().links.url(f"{found.slug}/"), "timezone": found.zone,
            "locale": found.locale, "owner": owner_at_hand(session).address, "members": members,
            "charter_version": found.charter_version,
        }  # fmt: skip
    _print([row], as_json)


@club.command("apply")
@click.argument("charter_file", metavar="CHARTER.toml", type=click.Path(path_type=Path))
@of_club
@with_appcontext
def apply(charter_file: Path, slug: str | None) -> None:
    """Give a club a new charter. Moments that were told stay; what opens later uses the new numbers."""
    here = service()
    try:
        charter = read_charter(charter_file)
    except CharterError as wrong:
        raise click.UsageError(str(wrong)) from None
    with here.db.read() as session:
        club_id = _the_club(session, slug).id
    click.echo(f"charter version {here.db.write(apply_charter, club_id, charter.plain(), here.clock.now())}")


@club.command("export")
@of_club
@with_appcontext
def export(slug: str | None) -> None:
    """Print a club's charter as TOML, ready for `club apply`."""
    with service().db.read() as session:
        charter = Charter.parse(_the_club(session, slug).charter)
    click.echo(tomli_w.dumps(charter.plain(), multiline_strings=True), nl=False)


@click.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 366))
@of_club
@as_json
@with_appcontext
def due(days: int, slug: str | None, as_json: bool) -> None:
    """What would be sent to whom, when and why, if nobody acted. Sends nothing, changes nothing."""
    here = service()
    now = here.clock.now()
    with here.db.read() as session:
        club_id = _the_club(session, slug).id
    rows = [
        {
            "at": item.at.isoformat(timespec="seconds"), "letter": item.letter, "to": item.to, "case": item.case_id,
            "why": f"{item.state} (clause {item.clause})" if item.clause else "something waits for a decision",
        }
        for item in foresee(here.db, club_id, now, now + timedelta(days=days))
    ]  # fmt: skip
    _print(rows, as_json)


@click.group()
def letters() -> None:
    """The life of every letter."""


@letters.command("list")
@click.option("--state", help="Only letters in this state: queued claimed transmitting sent failed dropped held.")
@of_club
@as_json
@with_appcontext
def list_letters(state: str | None, slug: str | None, as_json: bool) -> None:
    """Every letter: what, to whom, about which case, how it fared."""
    with service().db.read() as session:
        enter_club(session, _the_club(session, slug).id)
        rows = letters_ledger.rows(session, state)
    _print(rows, as_json)


@letters.command("show")
@click.argument("letter_id", type=int)
@of_club
@with_appcontext
def show_letter(letter_id: int, slug: str | None) -> None:
    """One letter with all that is known of it, and its mail if it was composed."""
    with service().db.read() as session:
        enter_club(session, _the_club(session, slug).id)
        row, content = letters_ledger.one(session, letter_id)
    if row is None:
        raise click.ClickException(f"there is no letter {letter_id}")
    click.echo(json.dumps(row, ensure_ascii=False, indent=1))
    if content:
        click.echo(content.decode("utf-8", "replace"))


def _change(name: str, change: Callable[[Session, int, int, datetime], bool], text: str) -> None:
    @letters.command(name, help=text)
    @click.argument("letter_id", type=int)
    @of_club
    @with_appcontext
    def command(letter_id: int, slug: str | None) -> None:
        here = service()
        with here.db.read() as session:
            club_id = _the_club(session, slug).id
        if not here.db.write(change, club_id, letter_id, here.clock.now()):
            raise click.ClickException(f"letter {letter_id} is in no state for that")
        click.echo("done")


_change("retry", letters_ledger.retry, "Send a failed letter again.")
_change("hold", letters_ledger.hold, "Keep a queued letter back.")
_change("release", letters_ledger.release, "Let a held letter go.")


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the database to the schema of this version."""
    schema.upgrade(service().db)
    click.echo(f"schema {schema.newest()}")


@click.command()
@with_appcontext
def tick() -> None:
    """One sweep and one round of the post, then exit."""
    _with_mail_server(lambda here: click.echo(json.dumps(Ticker(here).once())))


@click.command()
@with_appcontext
def worker() -> None:
    """Sweep, post and openings, until a signal comes."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    def work(here: Service) -> None:
        ticker = Ticker(here)
        ticker.start()
        stopping.wait()
        ticker.stop()

    _with_mail_server(work)
