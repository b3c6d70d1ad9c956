"""``flask letters``: the fate of each letter, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import click
from flask.cli import with_appcontext

from engine.clock import machine_now
from engine.outbox import delivery_log
from engine.storage.database import enter_club
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.commands.options import as_json, of_club, print_rows, the_club

STATES = tuple(LetterState)


@click.group()
def letters() -> None:
    """The life of every letter."""


@letters.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only letters in this state.")
@of_club
@as_json
@with_appcontext
def list_letters(state: str | None, slug: str | None, as_json: bool) -> None:
    """Every letter: what, to whom, about which case, how it fared."""
    with services().db.read() as session:
        enter_club(session, the_club(session, slug).id)
        rows = delivery_log.rows(session, state)
    print_rows(rows, as_json)


@letters.command("show")
@click.argument("letter_id", type=int)
@of_club
@as_json
@with_appcontext
def show_letter(letter_id: int, slug: str | None, as_json: bool) -> None:
    """One letter with all that is known of it, and its mail if it was composed."""
    with services().db.read() as session:
        enter_club(session, the_club(session, slug).id)
        row, content = delivery_log.one(session, letter_id)
    if row is None:
        raise click.ClickException(f"there is no letter {letter_id}")
    mail = content.decode("utf-8", "replace") if content else ""
    if as_json:
        print_rows([row | {"mail": mail}], as_json)
        return
    click.echo(json.dumps(row, ensure_ascii=False, indent=1))
    if mail:
        click.echo(mail)


Change = Callable[[ClubSession, int, int, datetime], bool]


def _change(
    name: str, change: Change, text: str, change_all: Callable[[], str] | None = None
) -> None:
    @click.argument("letter_id", type=int, required=change_all is None)
    @of_club
    @with_appcontext
    def command(letter_id: int | None, slug: str | None, all_letters: bool = False) -> None:
        here = services()
        if (letter_id is None) != all_letters or (all_letters and slug):
            raise click.UsageError("say one letter by its id, or --all for the whole installation")
        if letter_id is None:
            assert change_all is not None, "only these have --all"
            click.echo(change_all())
            return
        with here.db.read() as session:
            club_id = the_club(session, slug).id
        if not here.db.write(change, club_id, letter_id, here.clock.now()):
            raise click.ClickException(f"letter {letter_id} is in no state for that")
        click.echo("done")

    if change_all is not None:
        everything = click.option(
            "--all",
            "all_letters",
            is_flag=True,
            help="Every letter of every club, and the post itself.",
        )
        command = everything(command)
    letters.command(name, help=text)(command)


def _hold_all() -> str:
    services().db.write(delivery_log.hold_all, machine_now())
    return "the post rests until `letters release --all`"


def _release_all() -> str:
    here = services()
    return (
        f"the post works; {here.db.write(delivery_log.release_all, here.clock.now())} held "
        "letters go"
    )


_change("retry", delivery_log.retry, "Send a failed letter again.")
_change(
    "hold", delivery_log.hold, "Keep a queued letter back, or with --all the whole post.", _hold_all
)
_change(
    "release",
    delivery_log.release,
    "Let a held letter go, or with --all every one: also after a restore.",
    _release_all,
)
