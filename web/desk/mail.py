"""The installation's mail account, changed from the desk.

One account serves every club, so the first club's owner keeps it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask import session as flask_session
from werkzeug.wrappers import Response

from engine.clock import machine_now
from engine.operations.mail_account import Outgoing, save_account
from engine.security.links import SIGN_IN_LIFE
from engine.security.rate_limits import SETUP_CODES
from engine.settings import MailServer
from engine.setup.first_club import is_setup_code, only_club
from engine.storage.models import Club
from engine.storage.unit_of_work import ClubSession
from mailers.account.providers import OWN, preset_at, preset_of
from web.app.services import services
from web.forms import mail_form
from web.http.auth import officer_here
from web.http.security import check_rate_limit, client_address
from web.setup.door import TOO_MANY_CODES, WRONG_CODE, CodeForm

# Where a browser keeps until when it may change the account.
KEEPER = "keeper_until"

mail_account = Blueprint("mail_account", __name__)

Page = str | Response | tuple[str, int]


@mail_account.get("/<slug>/desk/mail")
def mail_account_page(slug: str) -> Page:
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        mine = _may_change(session, club)
    way = services().outgoing()
    provider, form = _form_of(way, you.address or "") if mine else ("", None)
    return _page(
        provider, form, way=way, mine=mine, saved="saved" in request.args and way.origin == "page"
    )


@mail_account.post("/<slug>/desk/mail")
def press_mail_account(slug: str) -> Page:
    """Test the account with one mail, or save it."""
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        mine = _may_change(session, club)
    if request.form.get("action") == "code" and not club.is_demo:
        return _check_code(slug)
    if not mine:
        abort(403)
    provider, form = _typed()
    server = mail_form.read(provider, form) if form else None
    way = services().outgoing()
    if way.origin == "environment" and way.server is not None:
        return _test(club, "", None, way.server, sender=way.sender, to=you.address or "", way=way)
    if form is None or server is None:
        return _page(provider, form, way=way), 422
    if request.form.get("action") != "save":
        return _test(
            club, provider, form, server, sender=form.data["address"], to=you.address or "", way=way
        )
    services().db.write(
        save_account,
        services().encryption,
        server,
        sender=form.data["address"],
        now=services().clock.now(),
    )
    return redirect(url_for("mail_account.mail_account_page", slug=slug, saved=1), 303)


def _may_change(session: ClubSession, club: Club) -> bool:
    """True for the only club's owner, and for half an hour where the set-up code was typed."""
    only = only_club(session)
    until = flask_session.get(KEEPER, 0)
    return (only is not None and only.id == club.id) or (
        not club.is_demo and isinstance(until, int | float) and machine_now().timestamp() < until
    )


def _check_code(slug: str) -> Page:
    form = CodeForm(request.form)
    if not form.validate():
        return _page("", None, mine=False, code=form), 422
    if not check_rate_limit(SETUP_CODES, client_address()):
        return _page("", None, mine=False, code=form, message=TOO_MANY_CODES), 429
    if not is_setup_code(form.data["code"], services().settings.secret_keys):
        form["code"].errors = [WRONG_CODE]
        return _page("", None, mine=False, code=form), 422
    flask_session[KEEPER] = (machine_now() + SIGN_IN_LIFE).timestamp()
    return redirect(url_for("mail_account.mail_account_page", slug=slug), 303)


def _test(
    club: Club, provider: str, form: Any, server: MailServer, *, sender: str, to: str, way: Outgoing
) -> Page:
    tried = mail_form.send_test_mail(server, sender=sender, to=to, club=club.name)
    if tried is None:
        return _page(provider, form, way=way, message=mail_form.ENOUGH), 429
    return _page(provider, form, way=way, tried=tried), 200 if tried.outcome == "sent" else 422


def _typed() -> tuple[str, Any]:
    provider = mail_form.current_provider()
    return provider, mail_form.form_for(provider, request.form) if provider else None


def _form_of(way: Outgoing, address: str) -> tuple[str, Any]:
    """Fill the form from the account, or from the owner's address."""
    stands = preset_at(way.server.host) if way.origin == "page" and way.server else ""
    provider = mail_form.current_provider(stands or preset_of(address))
    if not provider:
        return "", None
    data = (
        _as_it_stands(way, way.server)
        if provider == stands and way.server
        else _suggested(provider, address)
    )
    return provider, mail_form.form_for(provider, None, data=data)


def _as_it_stands(way: Outgoing, server: MailServer) -> dict[str, str]:
    return {
        "address": way.sender,
        "host": server.host,
        "port": str(server.port),
        "security": server.security,
        "user": server.user if server.user != way.sender else "",
        "kept": mail_form.save_account(server),
    }


def _suggested(provider: str, address: str) -> dict[str, str]:
    return {
        "address": address if preset_of(address) in ("", provider) and provider != OWN else "",
        "port": "465",
    }


def _page(
    provider: str, form: Any, *, way: Outgoing | None = None, mine: bool = True, **given: Any
) -> str:
    code = given.pop("code", None) or CodeForm()
    return render_template(
        "pages/desk/mail.html",
        way=way if mine else None,
        provider=provider,
        form=form,
        mine=mine,
        code=code,
        **given,
    )
