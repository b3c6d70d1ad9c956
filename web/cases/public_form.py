"""The club's forms for anyone: the application, or the request for a personal link."""

from __future__ import annotations

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form as WTForm

from engine.cases.erasure import BYTES_KEPT
from engine.cases.open_cases import open_case_of
from engine.cases.submissions import may_submit, send_form_link, submit_application
from engine.club.context import current_charter
from engine.declare.fields import Address, answers_of, form_for
from engine.declare.registry import by_form
from engine.declare.workflow import Workflow
from engine.security.rate_limits import ANONYMOUS_POSTS, FormTokenSpent, TooManyMails
from engine.storage.models import Club
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.auth import club_here, form_link, link_for, signed_in
from web.http.security import (
    MAILBOX_FULL,
    PRESS_AGAIN,
    SENT_BEFORE,
    TOO_MANY,
    check_network_limit,
    new_form_token,
    read_form_token,
)

forms = Blueprint("forms", __name__)

Page = str | Response | tuple[str, int]


class AddressForm(WTForm):
    email = Address(_("Your e-mail address"), hint=_("The one that the club writes to"))


@forms.get("/<slug>/<path>")
def form_page(slug: str, path: str) -> Page:
    club, flow = _club(slug), _flow(path)
    if not flow.open_to_anyone and (own := _own_link(club, flow)):
        return redirect(own, 302)
    return _page(club, flow, _form_class(flow)(), new_form_token())


@forms.post("/<slug>/<path>")
def submit_form(slug: str, path: str) -> Page:
    """Accept the form; its club is looked up in the writing unit.

    Before that only to show the form again.
    """
    flow = _flow(path)
    form = _form_class(flow)(request.form)
    stamp = request.form.get("form", "")
    form_id, by_a_person = read_form_token(stamp)
    if not check_network_limit(ANONYMOUS_POSTS):  # what is refused counts too
        return _page(_club(slug), flow, form, stamp, message=TOO_MANY), 429
    if not form.validate():
        return _page(_club(slug), flow, form, _kept(stamp)), 422
    if not by_a_person or request.form.get("homepage"):
        return _page(_club(slug), flow, form, _kept(stamp), message=PRESS_AGAIN), 422
    try:
        services().db.write(_accept, slug, flow, form, form_id)
    except FormTokenSpent:
        return _page(_club(slug), flow, form, new_form_token(), message=SENT_BEFORE), 422
    except TooManyMails:
        return _page(_club(slug), flow, form, stamp, message=MAILBOX_FULL), 429
    return redirect(url_for("forms.form_sent_page", slug=slug, path=path), 303)


@forms.get("/<slug>/<path>/sent")
def form_sent_page(slug: str, path: str) -> Page:
    _club(slug)
    flow = _flow(path)
    return render_template("pages/sent.html", flow=flow, applied=flow.open_to_anyone)


def _accept(
    session: ClubSession, slug: str, flow: type[Workflow], form: WTForm, form_id: str
) -> None:
    club = club_here(session, slug)
    now = services().clock.now()
    limited = services().settings.rate_limits
    if flow.open_to_anyone:
        answers = answers_of(form)
        submit_application(
            session,
            club.id,
            flow.key,
            answers,
            form_id=form_id,
            locale=g.language,
            now=now,
            limited=limited,
        )
    else:
        send_form_link(
            session,
            club.id,
            flow.key,
            form.data["email"],
            request_id=form_id,
            now=now,
            limited=limited,
        )


def _club(slug: str) -> Club:
    with services().db.read() as session:
        return club_here(session, slug)


def _flow(path: str) -> type[Workflow]:
    flow = by_form(path)
    if flow is None:
        abort(404)
    return flow


def _own_link(club: Club, flow: type[Workflow]) -> str | None:
    """Return the signed-in person's link to their case or form, None if there is none."""
    with services().db.read(club.id) as session:
        you = signed_in(session, club.id)
        case = open_case_of(session, you, flow.key) if you else None
    if you is None:
        return None
    if case is not None:
        return link_for(club, you, "case", case.id)
    if may_submit(flow, you):
        return form_link(club, you, flow)
    return None


def _form_class(flow: type[Workflow]) -> type[WTForm]:
    return form_for(flow, tuple(flow.fields)) if flow.open_to_anyone else AddressForm


def _page(club: Club, flow: type[Workflow], form: WTForm, stamp: str, message: str = "") -> str:
    return render_template(
        "pages/form.html",
        flow=flow,
        form=form,
        stamp=stamp,
        message=message,
        applying=flow.open_to_anyone,
        charter=current_charter(club),
        mails_kept=BYTES_KEPT.days,
    )


def _kept(stamp: str) -> str:
    """Return the form token for the next try.

    One used too soon stays: by the next press its time has come. A foreign one is replaced.
    """
    known, _payload = services().form_stamps.loads_unsafe(stamp)
    return stamp if known else new_form_token()
