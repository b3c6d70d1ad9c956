"""The entry to a new installation: the code that the server prints, or the demo and its clock."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

import click
from flask import Blueprint, Flask, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response
from wtforms import Form

from engine.club.context import all_clubs, by_slug
from engine.declare.fields import Text
from engine.security.rate_limits import SETUP_CODES
from engine.setup.first_club import is_setup_code, real_club, setup_code
from engine.storage.models import Club
from engine.text.i18n import marked as _
from web.app import demo
from web.app.services import Services, services
from web.http.security import check_network_limit
from web.labels.mail_words import ADVICE, PROVIDERS

setup = Blueprint("setup", __name__)
log = logging.getLogger("jiuniu")

Page = str | Response | tuple[str, int]

# A browser stores here that it knew the code; after the founding this signs it in.
KNEW = "setup"
MOVES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
WRONG_CODE = _("This is not the code. The newest lines of the server's window or log have it.")
TOO_MANY_CODES = _(
    "Too many tries. Please wait an hour, or found the club by the command on the server."
)


def init(app: Flask) -> None:
    """Print in one line how to begin, while there is no club; for a process that serves pages."""
    app.jinja_env.globals.update(mail_providers=PROVIDERS, mail_advice=ADVICE)
    here: Services = app.extensions["jiuniu"]
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name != "run":
        return
    with here.db.read() as database:
        if real_club(database) is not None:
            return
    log.warning(
        "No club of your own yet: open %s and enter the code %s",
        here.links.url("setup"),
        setup_code(here.settings.secret_keys),
    )


class CodeForm(Form):
    code = Text(_("Set-up code"), hint=_("Eight letters and digits, such as ABCD-2345"))


# The entry


@setup.get("/setup")
def door_page() -> Page:
    if KNEW in session and not _club():
        return redirect(url_for("setup.club_step"), 302)
    return _door(CodeForm())


@setup.post("/setup")
def enter_code() -> Page:
    """Accept the code, or start the demo, which exists only beside no other club."""
    if request.form.get("action") == "demo":
        return _begin_demo()
    form = CodeForm(request.form)
    if _club():
        return redirect(url_for("setup.door_page"), 303)
    if not check_network_limit(SETUP_CODES):
        return _door(form, TOO_MANY_CODES), 429
    if not form.validate():
        return _door(form), 422
    if not is_setup_code(form.data["code"], services().settings.secret_keys):
        form["code"].errors = [WRONG_CODE]
        return _door(form), 422
    session[KNEW], session.permanent = secrets.token_urlsafe(32), True
    return redirect(url_for("setup.club_step"), 303)


def _begin_demo() -> Page:
    if demo.possible(services()):
        demo.begin(services())
    return redirect(url_for("clubs.club_page", slug=demo.SLUG), 303)


@setup.post("/setup/clock")
def move() -> Page:
    """Move the demo's clock; the ticker sees it at its next tick."""
    path, span = services().demo_clock, MOVES.get(request.form.get("by", ""))
    with services().db.read() as database:
        club = by_slug(database, demo.SLUG)
    if (
        path is None
        or span is None
        or club is None
        or not club.is_demo
        or not services().settings.is_local
    ):
        abort(404)
    demo.pass_time(services(), path, span)
    back_to_mailbox = request.form.get("back") == "mailbox"
    return redirect(
        url_for("mailbox.mailbox_page")
        if back_to_mailbox
        else url_for("clubs.club_page", slug=demo.SLUG),
        303,
    )


def _door(form: Form, message: str = "") -> str:
    with services().db.read() as database:
        clubs = all_clubs(database)
    real = [club for club in clubs if not club.is_demo]
    return render_template(
        "pages/setup/door.html",
        form=form,
        message=message,
        clubs=real,
        demo_exists=len(real) < len(clubs),
        demo_possible=demo.possible(services()),
    )


def _club() -> Club | None:
    with services().db.read() as database:
        return real_club(database)
