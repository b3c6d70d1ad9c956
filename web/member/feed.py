"""A member's calendar feed of deadlines."""

from __future__ import annotations

from datetime import UTC

from flask import Response, abort, request
from icalendar import Calendar, Event

from engine.cases.open_cases import open_cases_of
from engine.declare.registry import workflow
from engine.declare.roles import is_turn_of, person
from engine.storage.models import Case, Club, Person
from engine.storage.states import PersonStatus
from engine.text.i18n import as_said, translate
from web.app.services import services
from web.http.auth import DeadLink, read_token, token_for, visitor
from web.http.i18n import gettext
from web.member.auth import member


@member.get("/<slug>/calendar.ics")
def calendar(slug: str) -> Response:
    """Write iCalendar: instants in UTC, so that no program shifts them.

    A deadline at the end of a day belongs to that day.
    """
    link = read_token(request.args.get("token", ""))
    with services().db.read() as session:
        met = visitor(session, link)
        if link.kind != "calendar" or met.club.slug != slug:
            abort(404)
        if link.target != met.you.feed_number or met.you.status != PersonStatus.MEMBER:
            raise DeadLink(met.club)
        cases = open_cases_of(session, met.you)
        feed = _feed(
            met.club,
            met.you,
            [item for item in cases if is_turn_of(item.turn, person) and item.due_at],
        )
    return Response(
        feed,
        mimetype="text/calendar",
        headers={"Content-Disposition": "inline; filename=calendar.ics"},
    )


def address_of(club: Club, you: Person) -> str:
    return services().links.url(
        f"{club.slug}/calendar.ics?token={token_for(club, you, 'calendar', you.feed_number)}"
    )


def _feed(club: Club, you: Person, cases: list[Case]) -> bytes:
    feed = Calendar()
    feed.add("prodid", "-//Jiuniu//jiuniu//")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", club.name)
    for item in cases:
        assert item.due_at, "only what has a due time is in the calendar"
        event = Event()
        event.add("uid", f"{item.id}-{item.entered_version}@jiuniu")
        event.add("dtstamp", item.entered_at)
        event.add("dtstart", as_said(item.due_at, club.zone).astimezone(UTC))
        event.add("dtend", item.due_at)
        event.add(
            "summary", translate(workflow(item.workflow).label, you.locale) + " · " + gettext("due")
        )
        event.add("url", services().links.url(f"{club.slug}/me"))
        feed.add_component(event)
    return bytes(feed.to_ical())
