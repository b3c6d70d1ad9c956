"""A member's signed-in browsers, and how to end one or all others."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.cases.member_links import reissue_links
from engine.security.web_sessions import sessions_of, sign_out, sign_out_elsewhere
from engine.storage.database import enter_club
from engine.storage.models import Person
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.auth import redirect_to_sign_in, session_id_here, visitor_here
from web.http.link_sessions import forget_device
from web.http.paging import MOST_ID
from web.http.security import SESSION_COOKIE as COOKIE
from web.labels.user_agent import device_words

sessions = Blueprint("sessions", __name__)

Page = str | Response | tuple[str, int]


@sessions.get("/<slug>/sessions")
def sessions_page(slug: str) -> Page:
    now = services().clock.now()
    with services().db.read() as session:
        _club, you = visitor_here(session, slug)
        if you is None:
            redirect_to_sign_in(url_for("desk.overview_page", slug=slug))
        here = session_id_here(session)
        found = sessions_of(session, you, now)
    # The current one first, as the others are compared with it.
    rows = [
        (row, device_words(row.device)) for row in sorted(found, key=lambda row: row.id != here)
    ]
    return render_template(
        "pages/sessions.html", rows=rows, here=here, done=request.args.get("done", "")
    )


@sessions.post("/<slug>/sessions")
def press_sessions(slug: str) -> Page:
    """End one session (*revoke*), all others (*others*), or this one (*sign_out*).

    *sign_out_links*: this one, and every link mailed so far, whichever of them were opened here.
    """
    with services().db.read() as session:
        club, you = visitor_here(session, slug)
        here = session_id_here(session)
    if you is None or here is None:
        redirect_to_sign_in(url_for("desk.overview_page", slug=slug))
    action, chosen = request.form.get("action"), request.form.get("session", 0, type=int)
    if action == "others":
        services().db.write(sign_out_elsewhere, club.id, you.id, here)
        return redirect(url_for("sessions.sessions_page", slug=slug, done="others"), 303)
    if action not in ("revoke", "sign_out", "sign_out_links") or not 0 <= chosen < MOST_ID:
        abort(400)
    ended = chosen if action == "revoke" else here
    services().db.write(sign_out, club.id, you.id, ended)
    if action == "sign_out_links":
        services().db.write(_end_links, club.id, you.id)
    if ended != here:
        return redirect(url_for("sessions.sessions_page", slug=slug, done="revoke"), 303)
    response = make_response(redirect(url_for("clubs.club_page", slug=slug), 303))
    response.delete_cookie(COOKIE, path=f"{request.script_root}/{slug}/")
    forget_device(response)
    return response


def _end_links(session: ClubSession, club_id: int, person_id: int) -> None:
    enter_club(session, club_id)
    person = session.get_one(Person, (club_id, person_id))
    reissue_links(session, person, services().clock.now())
