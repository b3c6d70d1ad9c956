"""What the commands share: options, the named club, the printing of rows."""

from __future__ import annotations

import json
from typing import Any

import click

from engine.club.context import all_clubs, by_slug
from engine.storage.models import Club
from engine.storage.unit_of_work import ClubSession

as_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
of_club = click.option(
    "--club", "slug", metavar="SLUG", help="Which club; may be left out while there is one."
)


def the_club(session: ClubSession, slug: str | None) -> Club:
    if slug:
        found = by_slug(session, slug)
        if found is None:
            raise click.ClickException(f"--club: there is no club named {slug}")
        return found
    clubs = all_clubs(session)
    if len(clubs) != 1:
        raise click.UsageError(
            "--club: say which; there are " + (", ".join(club.slug for club in clubs) or "none yet")
        )
    return clubs[0]


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values() if value not in (None, "")))
