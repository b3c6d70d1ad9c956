"""The home page with the list of clubs, and a club's own page."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from engine.club.context import all_clubs, by_slug, current_charter
from engine.declare.registry import all_workflows
from web.app.services import services
from web.http.auth import club_here
from web.http.i18n import set_request_owner

clubs = Blueprint("clubs", __name__)

Page = str | Response


@clubs.get("/")
def front_page() -> Page:
    with services().db.read() as session:
        found = all_clubs(session)
    if not found:
        return redirect(url_for("setup.door_page"), 302)
    if len(found) == 1:
        return redirect(url_for("clubs.club_page", slug=found[0].slug), 302)
    return render_template("pages/clubs.html", clubs=found)


@clubs.get("/<slug>/")
def club_page(slug: str) -> Page:
    with services().db.read() as session:
        club = by_slug(session, slug)
    if club is None:
        abort(404)
    set_request_owner(club)
    flows = [flow for flow in all_workflows() if flow.fields]
    return render_template(
        "pages/home.html",
        charter=current_charter(club),
        open_forms=[flow for flow in flows if flow.open_to_anyone],
        member_forms=[
            flow for flow in flows if not flow.open_to_anyone and not flow.needs_fresh_link
        ],
        now=services().clock.now(),
        demo=club.is_demo,
    )


@clubs.get("/<slug>/farewell")
def farewell_page(slug: str) -> Page:
    """Show the farewell after a departure."""
    with services().db.read() as session:
        club_here(session, slug)
    return render_template("pages/farewell.html")
