"""The desk of owner and admins: what waits, who is late, which letters are in trouble. Behind a mailed sign-in link."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import desk as desk_queries
from engine.heartbeats import channel_trouble, post_rests
from engine.models import Club, Person
from engine.registry import label_of, workflow
from web import sign_in
from web.access import club_here, link_for, signed_in
from web.guard import keeps_text
from web.service import service
from web.speak import meet

desk = Blueprint("desk", __name__)

Page = str | Response | tuple[str, int]


@desk.get("/<slug>/desk")
def show(slug: str) -> Page:
    with service().db.read() as session:
        club = club_here(session, slug)
        you = signed_in(session, club.id)
        meet(club, you)
        if you is None:
            return sign_in.ask_page(sign_in.SignInForm(), sent="sent" in request.args)
        if you.role not in ("owner", "admin"):
            return redirect(url_for("member.signed_in_page", slug=slug), 302)
        return _desk_page(session, club, you)


@desk.post("/<slug>/desk")
@keeps_text
def ask_for_link(slug: str) -> Page:
    with service().db.read() as session:
        club = club_here(session, slug)
    return sign_in.ask(club)


def _desk_page(session: Session, club: Club, you: Person) -> str:
    is_owner = you.role == "owner"
    trouble = desk_queries.letters_in_trouble(session) if is_owner else []
    return render_template(
        "pages/desk.html",
        waiting=_rows(club, you, desk_queries.waiting_for(session, you)),
        late=_rows(club, you, desk_queries.late(session)),
        resting=_rows(club, you, desk_queries.resting(session)) if is_owner else [],
        trouble=[(letter, person, label_of(letter.name)) for letter, person in trouble],
        rest=post_rests(session) if is_owner else None,
        channel=channel_trouble(session) if is_owner else None,
        queue_since=desk_queries.queue_age(session, service().clock.now()) if is_owner else None,
    )


def _rows(club: Club, you: Person, matters: list[desk_queries.Matter]) -> list[dict[str, object]]:
    return [
        {
            "label": workflow(matter.case.workflow).label,
            "case": matter.case,
            "who": matter.who,
            "url": link_for(club, you, "case", matter.case.id),
        }
        for matter in matters
    ]
