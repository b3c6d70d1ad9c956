"""``flask erase``: remove a person's data."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from engine.cases.erasure import CannotErase, erase_for_good
from engine.club.people import by_address
from engine.storage.database import enter_club
from engine.storage.models import Person
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import BadAddress, fold_address
from web.app.services import services
from web.commands.options import of_club, the_club


@click.command()
@click.argument("person")
@of_club
@click.option("--yes", is_flag=True, help="Do not ask again.")
@with_appcontext
def erase(person: str, slug: str | None, yes: bool) -> None:
    """Erase PERSON (a mail address or an id): address, name, words, votes and letters. Backups made
    before still hold them."""
    here = services()
    with here.db.read() as session:
        club_id = the_club(session, slug).id
        enter_club(session, club_id)
        found = _named(session, club_id, person)
    if found is None:
        raise click.ClickException(f"nobody here is {person}")
    if not yes:
        who = f"{found.name or 'without a name'} ({found.status}, {found.address or 'no address'})"
        _ask(f"Erase {who} for good?")
    try:
        done = here.db.write(erase_for_good, club_id, found.id, here.clock.now())
    except CannotErase as reason:
        raise click.ClickException(f"{person}: {reason}") from None
    here.db.truncate_log()
    click.echo(
        f"erased; {done.cases} open cases ended, {done.letters} letters to them do not leave"
    )


def _ask(question: str) -> None:
    """Ask for confirmation at a terminal, or read a piped answer.

    An empty line is a no, as at a terminal; a script that gives no answer has confirmed.
    """
    if sys.stdin.isatty():
        click.confirm(question, abort=True)
    elif answer := sys.stdin.readline():
        click.echo(f"{question} {answer.strip()}")
        if answer.strip().lower() not in ("y", "yes"):
            raise click.Abort


def _named(session: ClubSession, club_id: int, text: str) -> Person | None:
    if text.isascii() and text.isdigit():
        return session.get(Person, (club_id, int(text))) if len(text) < 20 else None
    try:
        return by_address(session, fold_address(text))
    except BadAddress:
        return None
