"""The desk of owner and admins: what waits, who is late, which letters are in trouble. Behind a mailed sign-in link."""

from __future__ import annotations

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form

from engine import desk as desk_queries
from engine.clubs import by_slug
from engine.db import enter_club
from engine.fields import Address
from engine.intake import send_sign_in
from engine.language import marked as _
from engine.models import Club, Person
from engine.rates import ANONYMOUS_POSTS
from engine.registry import label_of, workflow
from web.access import signed_in
from web.forms import TOO_MANY
from web.guard import PRESS_AGAIN, allow, client_address, keeps_text, new_stamp, read_stamp
from web.member import link_for
from web.service import service
from web.speak import meet

desk = Blueprint("desk", __name__)

Page = str | Response | tuple[str, int]


class SignInForm(Form):
    email = Address(_("Your mail address"), hint=_("The one that the club writes to"))


@desk.get("/<slug>/desk")
def show(slug: str) -> Page:
    with service().db.read() as session:
        club = _club(session, slug)
        you = signed_in(session, club.id)
        meet(club, you)
        if you is None:
            return _sign_in_page(SignInForm(), sent="sent" in request.args)
        if you.role not in ("owner", "admin"):
            return redirect(url_for("member.signed_in_page", slug=slug), 302)
        return _desk_page(session, club, you)


@desk.post("/<slug>/desk")
@keeps_text
def sign_in(slug: str) -> Page:
    """Ask for a sign-in link; the answer is the same for everybody."""
    with service().db.read() as session:
        club = _club(session, slug)
    form = SignInForm(request.form)
    form_id, _by_a_person = read_stamp(request.form.get("form", ""))
    if not form.validate():
        return _sign_in_page(form), 422
    if g.refused:
        return _sign_in_page(form, message=PRESS_AGAIN), 400
    if not allow(ANONYMOUS_POSTS, client_address()):
        return _sign_in_page(form, message=TOO_MANY), 429
    service().db.write(
        send_sign_in, club.id, form.data["email"], request_id=form_id, now=service().clock.now(),
        limited=service().settings.rate_limits,
    )  # fmt: skip
    return redirect(url_for("desk.show", slug=slug, sent=1), 303)


def _club(session: Session, slug: str) -> Club:
    club = by_slug(session, slug)
    if club is None:
        abort(404)
    enter_club(session, club.id)
    meet(club)
    return club


def _sign_in_page(form: Form, *, sent: bool = False, message: str = "") -> str:
    return render_template("pages/sign_in.html", form=form, sent=sent, stamp=new_stamp(), message=message)


def _desk_page(session: Session, club: Club, you: Person) -> str:
    is_owner = you.role == "owner"
    trouble = desk_queries.letters_in_trouble(session) if is_owner else []
    return render_template(
        "pages/desk.html",
        waiting=_rows(club, you, desk_queries.waiting_for(session, you)),
        late=_rows(club, you, desk_queries.late(session)),
        resting=_rows(club, you, desk_queries.resting(session)) if is_owner else [],
        trouble=[(letter, person, label_of(letter.name)) for letter, person in trouble],
        channel=desk_queries.channel_trouble(session) if is_owner else None,
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
