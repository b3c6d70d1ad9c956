"""The front door: the list of clubs, a club's own page, and the first steps on a new installation."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.at_hand import charter_of
from engine.clubs import all_clubs, by_slug
from engine.registry import all_workflows
from web import demo
from web.service import service
from web.speak import meet

clubs = Blueprint("clubs", __name__)

Page = str | Response
MOVES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


@clubs.get("/")
def front() -> Page:
    with service().db.read() as session:
        found = all_clubs(session)
    if not found:
        return redirect(url_for("clubs.setup"), 302)
    if len(found) == 1:
        return redirect(url_for("clubs.home", slug=found[0].slug), 302)
    return render_template("pages/clubs.html", clubs=found)


@clubs.get("/setup")
def setup() -> Page:
    with service().db.read() as session:
        found = all_clubs(session)
    return render_template("pages/setup.html", clubs=found, demo_possible=demo.possible(service()))


@clubs.post("/setup")
def begin_demo() -> Page:
    """Open the demo club; it exists only beside no other."""
    if request.form.get("action") != "demo":
        abort(400)
    if demo.possible(service()):
        demo.begin(service())
    return redirect(url_for("clubs.home", slug=demo.SLUG), 303)


@clubs.post("/setup/clock")
def move() -> Page:
    """Move the demo's clock; the ticker sees it at its next tick."""
    path, span = service().demo_clock, MOVES.get(request.form.get("by", ""))
    with service().db.read() as session:
        club = by_slug(session, demo.SLUG)
    if path is None or span is None or club is None or not club.is_demo or not service().settings.is_local:
        abort(404)
    demo.pass_time(service(), path, span)
    back_to_mailbox = request.form.get("back") == "mailbox"
    return redirect(url_for("mailbox.show") if back_to_mailbox else url_for("clubs.home", slug=demo.SLUG), 303)


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
