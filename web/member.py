"""A member's own page, their calendar feed, and the unsubscribe link of reminders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from icalendar import Calendar, Event
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from engine.desk import cases_of
from engine.intake import may_open
from engine.language import translate
from engine.links import Link
from engine.models import Case, Club, Person
from engine.registry import all_workflows, workflow
from engine.run import open_cases_of
from web.access import age_of_a_session, form_link, link_for, met_here, read_token, token_for, visitor
from web.guard import no_token_needed
from web.service import service
from web.speak import say

member = Blueprint("member", __name__)

Page = str | AnyResponse | tuple[str, int]


@dataclass
class Line:
    """One case on the member's page."""

    case: Case
    url: str


@member.get("/me/<path:token>")
def show(token: str) -> Page:
    link = read_token(token)
    with service().db.read() as session:
        met = visitor(session, link)
        if link.kind != "me":
            abort(404)
        return _page(session, met.club, met.you, token, link.made_at)


@member.get("/<slug>/me")
def signed_in_page(slug: str) -> Page:
    with service().db.read() as session:
        club, you = met_here(session, slug)
        if you is None:
            return redirect(url_for("desk.show", slug=slug), 302)
        return _page(session, club, you, "", age_of_a_session())


@member.post("/me/<path:token>")
def press(token: str) -> Page:
    """The acts of one's own page: acknowledging the charter, fewer reminders."""
    link = read_token(token)
    service().db.write(_press, link, request.form.get("action", ""))
    return redirect(url_for("member.show", token=token), 303)


def _press(session: Session, link: Link, action: str) -> None:
    met = visitor(session, link)
    if link.kind != "me":
        abort(404)
    if action == "acknowledge":
        met.you.charter_version, met.you.charter_acknowledged_at = met.club.charter_version, service().clock.now()
    elif action in ("fewer", "all"):
        met.you.fewer_reminders = action == "fewer"
    else:
        abort(400)


def _forms(club: Club, you: Person, open_now: set[str], made_at: datetime) -> list[tuple[str, str]]:
    """The forms that this member may open: label and link."""
    flows = [flow for flow in all_workflows() if may_open(flow, you) and not (flow.one_open and flow.key in open_now)]
    return [(flow.label, form_link(club, you, flow, made_at=made_at)) for flow in flows]


def _page(session: Session, club: Club, you: Person, token: str, made_at: datetime) -> str:
    lines = [Line(item, link_for(club, you, "case", item.id)) for item in cases_of(session, you)]
    return render_template(
        "pages/me.html",
        token=token or token_for(club, you, "me", 0, made_at=made_at),
        due=[line for line in lines if line.case.turn == "person"],
        waiting=[line for line in lines if line.case.turn and line.case.turn != "person"],
        ended=[line for line in lines if not line.case.turn],
        forms=_forms(club, you, {line.case.workflow for line in lines if line.case.turn}, made_at),
        calendar=service().links.url(f"{club.slug}/calendar.ics?token={token_for(club, you, 'calendar', 0)}"),
    )


@member.get("/<slug>/calendar.ics")
def calendar(slug: str) -> Response:
    """What is due, for a calendar program; instants in UTC, so no program can shift them."""
    link = read_token(request.args.get("token", ""))
    with service().db.read() as session:
        met = visitor(session, link)
        if link.kind != "calendar" or met.club.slug != slug:
            abort(404)
        cases = open_cases_of(session, met.you)
        feed = _feed(met.club, met.you, [item for item in cases if item.turn == "person" and item.due_at])
    return Response(feed, mimetype="text/calendar", headers={"Content-Disposition": "inline; filename=calendar.ics"})


def _feed(club: Club, you: Person, cases: list[Case]) -> bytes:
    feed = Calendar()
    feed.add("prodid", "-//Jiuniu//jiuniu//")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", club.name)
    for item in cases:
        event = Event()
        event.add("uid", f"{item.id}-{item.entered_version}@jiuniu")
        event.add("dtstamp", item.entered_at)
        event.add("dtstart", item.due_at)
        event.add("dtend", item.due_at)
        event.add("summary", translate(workflow(item.workflow).label, you.locale) + " · " + say("due"))
        event.add("url", service().links.url("c/" + token_for(club, you, "case", item.id)))
        feed.add_component(event)
    return bytes(feed.to_ical())


@member.get("/unsubscribe/<path:token>")
def unsubscribe_page(token: str) -> Page:
    link = read_token(token)
    if link.kind != "unsubscribe":
        abort(404)
    with service().db.read() as session:
        visitor(session, link)
    return render_template("pages/unsubscribe.html", token=token, done=False)


@member.post("/unsubscribe/<path:token>")
@no_token_needed
def unsubscribe(token: str) -> Page:
    link = read_token(token)
    service().db.write(_fewer, link)
    with service().db.read() as session:
        visitor(session, link)
    return render_template("pages/unsubscribe.html", token=token, done=True)


def _fewer(session: Session, link: Link) -> None:
    met = visitor(session, link)
    if link.kind != "unsubscribe":
        abort(404)
    met.you.fewer_reminders = True
