"""The privacy page: what a club stores, how long, and who reads it, in its own numbers."""

from __future__ import annotations

from flask import Blueprint, render_template

from engine.cases.drafts import KEPT
from engine.cases.erasure import BYTES_KEPT
from engine.club.context import charter_numbers, current_owner
from web.app.services import services
from web.http.auth import MEMBER_LIFE, OFFICE_LIFE, visitor_here

privacy = Blueprint("privacy", __name__)


@privacy.get("/<slug>/privacy")
def privacy_page(slug: str) -> str:
    with services().db.read() as session:
        club, _you = visitor_here(session, slug)
        owner = current_owner(session)
    return render_template(
        "pages/privacy.html",
        numbers=charter_numbers(club),
        owner=owner.name,
        drafts=KEPT.days,
        mails=BYTES_KEPT.days,
        sessions=MEMBER_LIFE.days,
        office_sessions=OFFICE_LIFE.days,
    )
