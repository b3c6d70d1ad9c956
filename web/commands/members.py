"""``flask members``: list the members, and import them from a spreadsheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from engine.setup.member_import import ImportPlan, compare, import_members, read_roster
from engine.setup.member_import import members as all_members
from engine.storage.database import enter_club
from engine.text.csv_table import MOST_BYTES, CellError
from web.app.services import services
from web.commands.options import as_json, of_club, print_rows, the_club


@click.group()
def members() -> None:
    """The members of a club."""


@members.command("list")
@of_club
@as_json
@with_appcontext
def list_members(slug: str | None, as_json: bool) -> None:
    """Every member: name, address, role, language, since when."""
    with services().db.read() as session:
        enter_club(session, the_club(session, slug).id)
        rows = all_members(session)
    print_rows(rows, as_json)


@members.command("import")
@click.argument(
    "file", metavar="FILE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@of_club
@as_json
@with_appcontext
def import_file(file: Path, dry_run: bool, slug: str | None, as_json: bool) -> None:
    """Bring in the members of FILE.csv: columns name (姓名) and email (邮箱); city, joined, locale
    and role if you like.

    Exit status 0: every row is in; 1: some row was bad, the others are in; 2: the file cannot be
    used.
    """
    here = services()
    now = here.clock.now()
    with here.db.read() as session:
        club = the_club(session, slug)
        try:
            roster = read_roster(_start_of(file), club, now)
        except CellError as fault:
            raise click.UsageError(f"{file.name}: {fault}") from None
        enter_club(session, club.id)
        plan = compare(session, roster) if dry_run else None
    plan = plan or here.db.write(import_members, club.id, roster, now)
    print_rows(_outcomes(plan, dry_run), as_json)
    if not as_json:
        click.echo(_sum(plan, dry_run))
    sys.exit(1 if plan.bad else 0)


def _start_of(file: Path) -> bytes:
    """Read as much as can be used, and one byte more that shows a larger file."""
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _outcomes(plan: ImportPlan, dry_run: bool) -> list[dict[str, Any]]:
    """Return an object per row, in the order of the file."""
    done = "would be imported" if dry_run else "imported"
    rows = [
        {"row": entry.row, "name": entry.name, "outcome": outcome, "reason": ""}
        for entries, outcome in ((plan.new, done), (plan.known, "already a member"))
        for entry in entries
    ]
    rows += [
        {
            "row": bad.row,
            "name": bad.who,
            "outcome": "bad",
            "reason": "; ".join(map(str, bad.faults)),
        }
        for bad in plan.bad
    ]
    return sorted(rows, key=lambda row: int(str(row["row"])))


def _sum(plan: ImportPlan, dry_run: bool) -> str:
    done = "would be imported" if dry_run else "imported"
    counts = f"{len(plan.new)} {done}, {len(plan.known)} already a member, {len(plan.bad)} bad"
    return counts + (f"; ignored columns: {', '.join(plan.ignored)}" if plan.ignored else "")
