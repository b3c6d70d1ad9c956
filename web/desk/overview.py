"""The desk's first page: what waits, who is late, what is broken."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.club.authority import set_absence
from engine.club.context import current_charter
from engine.outbox.delivery_log import counts
from engine.reports import worklists as desk_queries
from engine.storage.heartbeats import channel_trouble, post_is_held
from engine.storage.models import Club, Person
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.cases.review_queue import entries
from web.desk.club import end_of
from web.desk.late import rows as late_rows
from web.http.auth import club_here, link_for, officer_here, visitor_here
from web.labels.mail_words import advice_on
from web.public import sign_in

# This page shows this many of each; the others are on their own page.
FEW = 8

desk = Blueprint("desk", __name__)

Page = str | Response | tuple[str, int]


@desk.get("/<slug>/desk")
def overview_page(slug: str) -> Page:
    with services().db.read() as session:
        club, you = visitor_here(session, slug)
        if you is None:
            return sign_in.ask_page(sign_in.SignInForm(), sent="sent" in request.args)
        if you.role not in (PersonRole.OWNER, PersonRole.ADMIN):
            return redirect(url_for("member.signed_in_page", slug=slug), 302)
        return _desk_page(session, club, you)


@desk.post("/<slug>/desk")
def press_overview(slug: str) -> Page:
    """Mail a sign-in link, or set the owner's absence."""
    action = request.form.get("action")
    with services().db.read() as session:
        if action not in ("away", "back"):
            return sign_in.ask(club_here(session, slug))
        club, you = officer_here(session, slug, only_owner=True)
    until = end_of(club, request.form.get("until", "")) if action == "away" else None
    if action == "away" and until is None:
        return _again(slug, request.form.get("until", "")), 422
    services().db.write(set_absence, club.id, you.id, until)
    return redirect(url_for("desk.overview_page", slug=slug), 303)


def _again(slug: str, typed: str) -> str:
    """Show the desk with the error beside the day that was typed."""
    with services().db.read() as session:
        club, you = visitor_here(session, slug)
        assert you is not None, "the press found them signed in"
        return _desk_page(session, club, you, typed=typed)


def _desk_page(session: ClubSession, club: Club, you: Person, *, typed: str | None = None) -> str:
    is_owner = you.role == PersonRole.OWNER
    channel, way = (channel_trouble(session), services().outgoing()) if is_owner else (None, None)
    return render_template(
        "pages/desk/overview.html",
        entries=entries(session, you, desk_queries.waiting_for(session, you, FEW)),
        waiting=desk_queries.count_waiting(session, you),
        rows=late_rows(session, you, desk_queries.late(session, FEW)),
        late=desk_queries.count_late(session),
        resting=[
            (matter, link_for(club, you, "case", matter.case.id))
            for matter in (desk_queries.stuck_cases(session, FEW) if is_owner else [])
        ],
        letters=counts(session) if is_owner else {},
        typed=typed,
        damaged=current_charter(club).damaged,
        rest=post_is_held(session) if is_owner else None,
        channel=channel,
        way=way,
        advice=advice_on(channel, way.server) if way else None,
        queue_since=desk_queries.queue_age(session, services().clock.now()) if is_owner else None,
    )
