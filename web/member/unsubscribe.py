"""The unsubscribe link of reminders (RFC 8058): GET shows, POST acts."""

from __future__ import annotations

from flask import abort, render_template

from engine.security.links import Link
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.auth import read_token, visitor
from web.http.csrf import no_token_needed
from web.member.auth import Page, member


@member.get("/unsubscribe/<path:token>")
def unsubscribe_page(token: str) -> Page:
    link = read_token(token)
    if link.kind != "unsubscribe":
        abort(404)
    with services().db.read() as session:
        visitor(session, link)
    return render_template("pages/unsubscribe.html", token=token, done=False)


@member.post("/unsubscribe/<path:token>")
@no_token_needed
def unsubscribe(token: str) -> Page:
    link = read_token(token)
    services().db.write(_fewer, link)
    with services().db.read() as session:
        visitor(session, link)
    return render_template("pages/unsubscribe.html", token=token, done=True)


def _fewer(session: ClubSession, link: Link) -> None:
    met = visitor(session, link)
    if link.kind != "unsubscribe":
        abort(404)
    met.you.fewer_reminders = True
