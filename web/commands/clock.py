"""``flask due``, ``tick`` and ``worker``: show the scheduler's next actions, and run it."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import click
from flask.cli import with_appcontext

from engine.reports.forecast import forecast_letters
from mailers.dev_mailbox import DevMailbox
from web.app.background import Ticker
from web.app.services import Services, services
from web.commands.options import as_json, of_club, print_rows, the_club
from web.http import request_log

# The reasons of letters without a case.
WHY = {
    "club.daily": "something waits for a decision",
    "club.receipt": "something was decided",
    "club.imported": "brought in from a list",
}


@click.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 366))
@of_club
@as_json
@with_appcontext
def due(days: int, slug: str | None, as_json: bool) -> None:
    """What would be sent to whom, when and why, if nobody acted. Sends nothing, changes nothing."""
    here = services()
    now = here.clock.now()
    with here.db.read() as session:
        club_id = the_club(session, slug).id
    rows = [
        {
            "at": item.at.isoformat(timespec="seconds"),
            "letter": item.letter,
            "to": item.address,
            "case": item.case_id,
            "why": f"{item.state} (clause {item.clause})"
            if item.clause
            else WHY.get(item.letter, "somebody's act asks for it"),
        }
        for item in forecast_letters(here.db, club_id, now, now + timedelta(days=days))
    ]
    print_rows(rows, as_json)


@click.command()
@with_appcontext
def tick() -> None:
    """One sweep and one round of the post, then exit."""
    _with_mail_server(lambda here: click.echo(json.dumps(Ticker(here).once())))


@click.command()
@with_appcontext
def worker() -> None:
    """Sweep, post and openings, until a signal comes."""
    request_log.set_level()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    def work(here: Services) -> None:
        ticker = Ticker(here)
        ticker.start()
        stopping.wait()
        ticker.stop()

    _with_mail_server(work)


def _with_mail_server(run: Callable[[Services], None]) -> None:
    """Run with the installation's mail server, or with this process's own mailbox."""
    here = services()
    catcher = DevMailbox(here.mailbox) if here.settings.built_in_mailbox else None
    if catcher:
        here.built_in = catcher.start()
    try:
        run(here)
    finally:
        if catcher:
            catcher.stop()
