"""The owner's page of the charter's versions: when, by whom, changes, restoring one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine.charter.diff import charter_diff
from engine.charter.loading import load_charter
from engine.setup.club_admin import CharterChanged, apply_charter
from engine.storage.models import CharterChange, Person
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.desk.charter.diff_view import Amended, describe_diff
from web.http.auth import officer_here

history = Blueprint("history", __name__)

Page = str | Response | tuple[str, int]

A_PAGE = 20


@dataclass(frozen=True)
class Version:
    """A version of the charter.

    ``by`` is None for the command line and for the version of the founding.
    """

    number: int
    at: datetime
    by: Person | None
    amended: list[Amended]


@history.get("/<slug>/desk/settings/history")
def charter_history_page(slug: str) -> Page:
    """Show the newest versions; ``before`` leads to older ones."""
    before = request.args.get("before", default=0, type=int)
    with services().db.read() as session:
        club, _you = officer_here(session, slug, only_owner=True)
        found = _versions(
            session,
            min(before, club.charter_version + 1) if before > 0 else club.charter_version + 1,
        )
    return render_template(
        "pages/desk/history.html",
        versions=found,
        more=bool(found) and found[-1].number > 1,
        faster="faster" in request.args,
    )


@history.post("/<slug>/desk/settings/history")
def press_charter_history(slug: str) -> Page:
    """Restore an earlier version as a new one."""
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        wanted = request.form.get("take", default=0, type=int)
        earlier = (
            session.get(CharterChange, (club.id, wanted))
            if 0 < wanted < club.charter_version
            else None
        )
    if earlier is None:
        abort(400)
    seen = request.form.get("version", default=0, type=int)
    try:
        services().db.write(
            apply_charter, club.id, earlier.charter, services().clock.now(), by_id=you.id, over=seen
        )
    except CharterChanged:
        return redirect(url_for("history.charter_history_page", slug=slug, faster=1), 303)
    return redirect(url_for("history.charter_history_page", slug=slug), 303)


def _versions(session: ClubSession, before: int) -> list[Version]:
    """Return at most A_PAGE versions below a number, newest first, each with its predecessor."""
    by = (Person.club_id == CharterChange.club_id) & (Person.id == CharterChange.by_id)
    wanted = (
        select(CharterChange, Person).outerjoin(Person, by).where(CharterChange.version < before)
    )
    rows = session.execute(wanted.order_by(CharterChange.version.desc()).limit(A_PAGE + 1)).all()
    plain = [load_charter(change.charter, g.club.locale).plain() for change, _by in rows]
    older = [*plain[1:], plain[-1]] if rows else []
    return [
        Version(change.version, change.at, by, describe_diff(charter_diff(then, now), g.language))
        for (change, by), now, then in zip(rows[:A_PAGE], plain, older, strict=False)
    ]
