"""What a club keeps about people, how long, and who sees it: in plain words, with the club's own numbers."""

from __future__ import annotations

from flask import Blueprint, render_template

from engine.at_hand import numbers_of, owner_at_hand
from engine.drafts import KEPT
from engine.erasure import BYTES_KEPT
from web.access import MEMBER_LIFE, OFFICE_LIFE, met_here
from web.service import service

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
