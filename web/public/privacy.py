"""What a club keeps about people, how long, and who sees it: in plain words, with the club's own numbers."""

from __future__ import annotations

from flask import Blueprint, render_template

from engine.cases.drafts import KEPT
from engine.cases.erasure import BYTES_KEPT
from engine.club.context import numbers_of, owner_at_hand
from web.app.services import service
from web.http.auth import MEMBER_LIFE, OFFICE_LIFE, met_here

privacy = Blueprint("privacy", __name__)


@privacy.get("/<slug>/privacy")
def show(slug: str) -> str:
    with service().db.read() as session:
        club, _you = met_here(session, slug)
        owner = owner_at_hand(session)
    return render_template(
        "pages/privacy.html", numbers=numbers_of(club), owner=owner.name, drafts=KEPT.days,
        mails=BYTES_KEPT.days, sessions=MEMBER_LIFE.days, office_sessions=OFFICE_LIFE.days,
    )  # fmt: skip
