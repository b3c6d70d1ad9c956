"""Sign-in without a password: ask for a link, open it, press.

The link works once, for half an hour.
"""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form

from engine.cases.submissions import send_sign_in
from engine.declare.fields import Address
from engine.security.links import Link
from engine.security.rate_limits import ANONYMOUS_POSTS, FormTokenSpent, TooManyMails
from engine.storage.models import Club
from engine.storage.states import PersonRole
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.auth import set_session_cookie, sign_in_by, visitor
from web.http.security import (
    MAILBOX_FULL,
    SENT_BEFORE,
    TOO_MANY,
    check_network_limit,
    new_form_token,
    read_form_token,
)

Page = str | Response | tuple[str, int]


class SignInForm(Form):
    email = Address(_("Your e-mail address"), hint=_("The one that the club writes to"))


def ask_page(form: Form, *, sent: bool = False, message: str = "") -> str:
    return render_template(
        "pages/sign_in.html", form=form, sent=sent, stamp=new_form_token(), message=message
    )


def ask(club: Club) -> Page:
    """Mail a link if the address is a member's; the answer never says whether it is."""
    form = SignInForm(request.form)
    request_id, _by_a_person = read_form_token(request.form.get("form", ""))
    if not check_network_limit(ANONYMOUS_POSTS):  # what is refused counts too
        return ask_page(form, message=TOO_MANY), 429
    if not form.validate():
        return ask_page(form), 422
    here = services()
    limited = here.settings.rate_limits
    try:
        here.db.write(
            send_sign_in,
            club.id,
            form.data["email"],
            request_id=request_id,
            now=here.clock.now(),
            limited=limited,
        )
    except FormTokenSpent:
        return ask_page(form, message=SENT_BEFORE), 422
    except TooManyMails:
        return ask_page(form, message=MAILBOX_FULL), 429
    return redirect(url_for("desk.overview_page", slug=club.slug, sent=1), 303)


def confirm_page(link: Link, token: str, used: bool = False) -> str:
    with services().db.read() as session:
        visitor(session, link)
    return render_template("pages/confirm_sign_in.html", token=token, used=used)


def confirm(link: Link, token: str) -> Page:
    """Begin the session; a second press says that the link was used."""
    with services().db.read() as session:
        met = visitor(session, link)
    if request.form.get("action") != "confirm":
        return confirm_page(link, token), 400
    begun = services().db.write(sign_in_by, link, services().clock.now())
    if begun is None:
        return confirm_page(link, token, used=True), 410
    office = met.you.role in (PersonRole.OWNER, PersonRole.ADMIN)
    response = redirect(
        url_for("desk.overview_page" if office else "member.signed_in_page", slug=met.club.slug),
        303,
    )
    set_session_cookie(response, met.club.slug, *begun)
    return response
