"""The installation's mail account, changed from the desk. One account serves every club, so the first club's owner keeps it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine.founding import real_club
from engine.mail_account import Outgoing, keep_account
from engine.models import Club, Person
from engine.settings import MailServer
from mailers.presets import OWN, preset_at, preset_of
from web import mail_form
from web.desk.office import officer_here
from web.guard import PRESS_AGAIN, keeps_text
from web.service import service

mail_account = Blueprint("mail_account", __name__)

Page = str | Response | tuple[str, int]


@mail_account.get("/<slug>/desk/mail")
def show(slug: str) -> Page:
    with service().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        mine = _keeps_it(session, club)
    way = service().outgoing()
    provider, form = _form_of(way, you) if mine else ("", None)
    return _page(way, provider, form, mine=mine, saved="saved" in request.args and way.origin == "page")


@mail_account.post("/<slug>/desk/mail")
@keeps_text
def press(slug: str) -> Page:
    """Try the account with one mail, or save it."""
    with service().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        if not _keeps_it(session, club):
            abort(403)
    way, to = service().outgoing(), you.address or ""
    if way.origin == "environment" and way.server is not None and not g.refused:
        return _test(club, way, "", None, way.server, sender=way.sender, to=to)
    provider = mail_form.provider_at_hand()
    form = mail_form.form_for(provider, request.form) if provider else None
    if g.refused or form is None:
        return _page(way, provider, form, message=PRESS_AGAIN), 400
    server = mail_form.read(provider, form)
    if server is None:
        return _page(way, provider, form), 422
    sender = form.data["address"]
    if request.form.get("action") != "save":
        return _test(club, way, provider, form, server, sender=sender, to=to)
    service().db.write(keep_account, service().seal, server, sender=sender, now=service().clock.now())
    return redirect(url_for("mail_account.show", slug=slug, saved=1), 303)


def _keeps_it(session: Session, club: Club) -> bool:
    first = real_club(session)
    return first is not None and first.id == club.id


def _test(club: Club, way: Outgoing, provider: str, form: Any, server: MailServer, *, sender: str, to: str) -> Page:
    tried = mail_form.try_out(server, sender=sender, to=to, club=club.name)
    if form is not None:
        form["kept"].data = mail_form.keep(server)
    if tried is None:
        return _page(way, provider, form, message=mail_form.ENOUGH), 429
    return _page(way, provider, form, tried=tried), 200 if tried.outcome == "sent" else 422


def _form_of(way: Outgoing, you: Person) -> tuple[str, Any]:
    """The form as the account stands, or as the owner's address suggests it."""
    server, address = way.server, you.address or ""
    if way.origin != "page" or server is None:
        provider = mail_form.provider_at_hand(preset_of(address))
        return provider, mail_form.form_for(provider, None, data=_suggested(provider, address)) if provider else None
    stands = preset_at(server.host)
    provider = mail_form.provider_at_hand(stands)
    if provider != stands:
        return provider, mail_form.form_for(provider, None, data=_suggested(provider, address))
    user = server.user if server.user != way.sender else ""
    data = {
        "address": way.sender, "host": server.host, "port": str(server.port), "security": server.security, "user": user,
        "kept": mail_form.keep(server),
    }  # fmt: skip
    return provider, mail_form.form_for(provider, None, data=data)


def _suggested(provider: str, address: str) -> dict[str, str]:
    return {"address": address if preset_of(address) in ("", provider) and provider != OWN else "", "port": "465"}


def _page(
    way: Outgoing, provider: str, form: Any, *, mine: bool = True, saved: bool = False, message: str = "",
    tried: mail_form.Tried | None = None,
) -> str:  # fmt: skip
    given = {"way": way, "provider": provider, "form": form, "mine": mine, "saved": saved, "message": message, "tried": tried}
    return render_template("pages/desk/mail.html", **given)
