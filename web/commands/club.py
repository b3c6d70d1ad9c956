"""``flask club``: found, show and change clubs."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import tomli_w
from flask.cli import with_appcontext
from sqlalchemy import select

from engine.cases.offers import CannotOffer, offer
from engine.charter.model import CharterError, read_charter, shipped_charter
from engine.club.context import all_clubs, current_charter, current_owner
from engine.declare.registry import listed_on
from engine.declare.transition import Actor
from engine.scheduler.pause import pause, resume
from engine.setup.club_admin import BadClub, CharterChanged, apply_charter, change_club, create_club
from engine.setup.first_club import only_club
from engine.storage.database import enter_club
from engine.storage.models import Person
from engine.storage.states import PersonStatus
from engine.text.addresses import BadAddress, fold_address
from engine.text.i18n import LANGUAGES
from web.app import demo
from web.app.services import services
from web.commands.options import as_json, of_club, print_rows, the_club

SHARED_ACCOUNT = (
    "the mail account that the first club's owner set now carries this club's sign-in links, too;"
    " set one of the installation's own with `flask mail-account set`"
)
OVERTAKEN = (
    "somebody gave it another charter in the same moment, so nothing was changed; look at "
    "`club export` and apply once more"
)


@click.group()
def club() -> None:
    """Found, show and change clubs."""


@club.command("create")
@click.option(
    "--slug", required=True, help="The club's name in addresses: small letters, digits, hyphens."
)
@click.option("--name", required=True, help="The club's name for people.")
@click.option("--owner-email", required=True, help="Where the owner reads mail.")
@click.option("--owner-name", required=True)
@click.option("--timezone", "zone", default="Asia/Shanghai", show_default=True)
@click.option("--locale", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.option(
    "--charter",
    "charter_file",
    type=click.Path(path_type=Path),
    help="A charter in TOML; else the founding club's.",
)
@click.option("--replace-demo", is_flag=True, help="Remove the demo club and its clock first.")
@with_appcontext
def create(charter_file: Path | None, replace_demo: bool, locale: str, **given: str) -> None:
    """Found a club. Its charter may be changed later with `club apply`."""
    here = services()
    with here.db.read() as session:
        demo_exists = any(found.is_demo for found in all_clubs(session))
    if demo_exists and not replace_demo:
        raise click.ClickException(
            "the demo club is still there; add --replace-demo to remove it and its clock first"
        )
    try:
        shipped = shipped_charter(locale)
        charter = read_charter(charter_file, shipped) if charter_file else shipped
        if demo_exists:
            demo.end(here)
        now = here.clock.now()
        here.db.write(create_club, locale=locale, charter=charter.plain(), now=now, **given)  # type: ignore[arg-type]
    except (BadClub, CharterError) as wrong:
        raise click.UsageError(str(wrong)) from None
    click.echo(here.links.url(f"{given['slug']}/"))
    with here.db.read() as session:
        shared = only_club(session) is None and here.outgoing().origin == "page"
    if shared:
        click.echo(SHARED_ACCOUNT, err=True)


@club.command("list")
@as_json
@with_appcontext
def list_clubs(as_json: bool) -> None:
    """Every club of this installation."""
    with services().db.read() as session:
        rows = [
            {"slug": found.slug, "name": found.name, "timezone": found.zone, "locale": found.locale}
            for found in all_clubs(session)
        ]
    print_rows(rows, as_json)


@club.command("show")
@of_club
@as_json
@with_appcontext
def show_club(slug: str | None, as_json: bool) -> None:
    """One club: its owner, its address, how many members it has."""
    with services().db.read() as session:
        found = the_club(session, slug)
        enter_club(session, found.id)
        members = len(
            session.execute(select(Person.id).where(Person.status == PersonStatus.MEMBER)).all()
        )
        row = {
            "slug": found.slug,
            "name": found.name,
            "url": services().links.url(f"{found.slug}/"),
            "timezone": found.zone,
            "locale": found.locale,
            "owner": current_owner(session).address,
            "members": members,
            "charter_version": found.charter_version,
        }
    print_rows([row], as_json)


@club.command("apply")
@click.argument("charter_file", metavar="CHARTER.toml", type=click.Path(path_type=Path))
@of_club
@with_appcontext
def apply(charter_file: Path, slug: str | None) -> None:
    """Change a club's charter; what the file leaves out stays. Moments that were told stay, later
    ones use the new numbers."""
    here = services()
    with here.db.read() as session:
        found = the_club(session, slug)
    try:
        charter = read_charter(charter_file, current_charter(found))
        version = here.db.write(
            apply_charter, found.id, charter.plain(), here.clock.now(), over=found.charter_version
        )
    except CharterError as wrong:
        raise click.UsageError(str(wrong)) from None
    except CharterChanged:
        raise click.ClickException(f"{found.slug}: {OVERTAKEN}") from None
    click.echo(f"charter version {version}")


@club.command("change")
@click.option("--name", help="Another name for people. The address on the web stays.")
@click.option("--timezone", "zone", help="Another time zone. Moments that were told stay.")
@of_club
@with_appcontext
def change(slug: str | None, name: str | None, zone: str | None) -> None:
    """Give a club another name or time zone."""
    here = services()
    with here.db.read() as session:
        found = the_club(session, slug)
    try:
        here.db.write(change_club, found.id, name=name, zone=zone, now=here.clock.now())
    except BadClub as wrong:
        raise click.UsageError(str(wrong)) from None


@club.command("export")
@of_club
@with_appcontext
def export(slug: str | None) -> None:
    """Print a club's charter as TOML, ready for `club apply`."""
    with services().db.read() as session:
        charter = current_charter(the_club(session, slug))
    click.echo(tomli_w.dumps(charter.plain(), multiline_strings=True), nl=False)


@club.command("pause")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day of the rest; else it lasts until `club resume`.",
)
@of_club
@with_appcontext
def pause_club(until: datetime | None, slug: str | None) -> None:
    """Let a club rest: nothing falls due, nobody is reminded, nothing opens."""
    here = services()
    with here.db.read() as session:
        found = the_club(session, slug)
    ends = (
        datetime.combine(until.date() + timedelta(days=1), time(), ZoneInfo(found.zone)).astimezone(
            UTC
        )
        if until
        else None
    )
    if ends is not None and ends <= here.clock.now():
        raise click.UsageError("--until: takes a day that is not over yet")
    here.db.write(pause, found.id, here.clock.now(), ends)


@club.command("resume")
@of_club
@with_appcontext
def resume_club(slug: str | None) -> None:
    """Let a club go on: every due time moves by the days of the rest."""
    here = services()
    with here.db.read() as session:
        found = the_club(session, slug)
    click.echo(f"{here.db.write(resume, found.id, here.clock.now())} matters go on")


@club.command("transfer")
@click.option(
    "--to",
    "address",
    required=True,
    metavar="EMAIL",
    help="A member; they are the owner once they say yes.",
)
@of_club
@with_appcontext
def transfer(address: str, slug: str | None) -> None:
    """Offer a club to a member in its owner's place. Nothing changes before they accept."""
    here = services()
    with here.db.read() as session:
        found = the_club(session, slug)
    try:
        here.db.write(
            offer,
            found.id,
            listed_on("club")[0].key,
            fold_address(address),
            by=Actor(None, "command"),
            now=here.clock.now(),
        )
    except (CannotOffer, BadAddress) as reason:
        raise click.UsageError(f"--to: {reason}") from None
