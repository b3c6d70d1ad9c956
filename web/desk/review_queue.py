"""The decider's review queue: read the start of each submission, tick, approve the ticked ones."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.reports.worklists import count_waiting, waiting_for
from web.app.services import services
from web.cases.review_queue import approve_ticked, entries, nothing_ticked
from web.http.auth import officer_here
from web.http.paging import Paging

waiting = Blueprint("waiting", __name__)

Page = str | Response | tuple[str, int]
SIZE = 15


@waiting.get("/<slug>/desk/waiting")
def waiting_page(slug: str) -> Page:
    return _page(slug)


@waiting.post("/<slug>/desk/waiting")
def press_waiting(slug: str) -> Page:
    """Approve the ticked cases, and return to the page of the queue."""
    with services().db.read() as session:
        officer_here(session, slug)
    if nothing_ticked():
        return _page(slug, pressed_again=True), 400
    done, missed = approve_ticked(lambda session: officer_here(session, slug)[1])
    back = (
        "desk.overview_page" if request.form.get("from") == "overview" else "waiting.waiting_page"
    )
    return redirect(url_for(back, slug=slug, done=done, missed=missed), 303)


def _page(slug: str, *, pressed_again: bool = False) -> str:
    with services().db.read() as session:
        _club, you = officer_here(session, slug)
        paging = Paging.asked(count_waiting(session, you), SIZE)
        listed = entries(session, you, waiting_for(session, you, SIZE, paging.offset))
    return render_template(
        "pages/desk/waiting.html",
        entries=listed,
        paging=paging,
        pressed_again=pressed_again,
        ticked=set(request.form.getlist("case", type=int)),
    )
