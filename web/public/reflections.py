"""The shared reflections that were accepted, for members only (clause 5.3)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.declare.registry import shared
from engine.reports.worklists import ended_in
from web.app.services import services
from web.http.auth import link_for, visitor_here

reflections = Blueprint("reflections", __name__)

A_PAGE, MOST_PAGES = 20, 100_000


@reflections.get("/<slug>/reflections")
def reflections_page(slug: str) -> str | Response:
    page = min(max(0, request.args.get("page", default=0, type=int)), MOST_PAGES)
    with services().db.read() as session:
        club, you = visitor_here(session, slug)
        if you is None:
            return redirect(url_for("desk.overview_page", slug=slug), 302)
        found = ended_in(session, shared(), limit=A_PAGE + 1, offset=page * A_PAGE)
        mine = {
            matter.case.id: link_for(club, you, "case", matter.case.id)
            for matter in found
            if matter.who.id == you.id
        }
    return render_template(
        "pages/reflections.html",
        found=found[:A_PAGE],
        more=len(found) > A_PAGE,
        page=page,
        mine=mine,
    )
