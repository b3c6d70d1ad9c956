"""The front door: the list of clubs, and a club's own page."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from engine.club.context import all_clubs, by_slug, charter_of
from engine.declare.registry import all_workflows
from web.app.services import service
from web.http.auth import club_here
from web.http.i18n import meet

clubs = Blueprint("clubs", __name__)

Page = str | Response


@clubs.get("/")
def front() -> Page:
    with service().db.read() as session:
        found = all_clubs(session)
    if not found:
        return redirect(url_for("setup.door"), 302)
    if len(found) == 1:
        return redirect(url_for("clubs.home", slug=found[0].slug), 302)
    return render_template("pages/clubs.html", clubs=found)


@clubs.get("/<slug>/")
def home(slug: str) -> Page:
    with service().db.read() as session:
        club = by_slug(session, slug)
    if club is None:
        abort(404)
    meet(club)
    flows = [flow for flow in all_workflows() if flow.fields]
    return render_template(
        "pages/home.html",
        charter=charter_of(club),
        open_forms=[flow for flow in flows if flow.open_to_anyone],
        member_forms=[flow for flow in flows if not flow.open_to_anyone and not flow.needs_fresh_link],
        now=service().clock.now(),
        demo=club.is_demo,
    )


@clubs.get("/<slug>/farewell")
def farewell(slug: str) -> Page:
    """What somebody sees who has just left the club."""
    with service().db.read() as session:
        club_here(session, slug)
    return render_template("pages/farewell.html")
