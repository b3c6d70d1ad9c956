"""The owner's page to import members from a spreadsheet: preview first, then import."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.setup.member_import import ImportPlan, compare, import_members, read_roster
from engine.storage.models import Club
from engine.text.csv_table import MOST_BYTES, CellError, read_text
from web.app.services import services
from web.http.auth import officer_here

roster = Blueprint("roster", __name__)

Page = str | Response | tuple[str, int]


@roster.get("/<slug>/desk/members")
def member_import_page(slug: str) -> Page:
    with services().db.read() as session:
        officer_here(session, slug, only_owner=True)
    return _page(imported=request.args.get("imported", type=int))


@roster.post("/<slug>/desk/members")
def press_member_import(slug: str) -> Page:
    """Preview (the default), or import."""
    with services().db.read() as session:
        club, _you = officer_here(session, slug, only_owner=True)
    text, unreadable = _read()
    if unreadable:
        return _page(text, fault=unreadable), 422
    try:
        return _act(club, text)
    except CellError as fault:
        return _page(text, fault=fault), 422


def _act(club: Club, text: str) -> Page:
    here, now = services(), services().clock.now()
    found = read_roster(text, club, now)
    if request.form.get("action") != "import":
        with here.db.read(club.id) as session:
            return _page(text, plan=compare(session, found))
    plan = here.db.write(import_members, club.id, found, now)
    if plan.bad:
        return _page(text, plan=plan, imported=len(plan.new))
    return redirect(
        url_for("roster.member_import_page", slug=club.slug, imported=len(plan.new)), 303
    )


def _read() -> tuple[str, CellError | None]:
    """Return what was given as text, and its errors."""
    try:
        return read_text(_given()), None
    except CellError as fault:
        return request.form.get("cells", ""), fault


def _given() -> bytes | str:
    """Return the file, else the pasted cells."""
    file = request.files.get("file")
    data = file.read(MOST_BYTES + 1) if file else b""
    return data or request.form.get("cells", "")


def _page(
    text: str = "",
    *,
    plan: ImportPlan | None = None,
    fault: CellError | None = None,
    imported: int | None = None,
) -> str:
    return render_template(
        "pages/desk/roster.html", text=text, plan=plan, fault=fault, imported=imported
    )
