"""The owner's page of the club's name and time zone: preview first, then save."""

from __future__ import annotations

import logging

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.setup.club_admin import CharterChanged, change_club
from web.app.services import services
from web.desk.charter.preview import Preview, preview_of_club
from web.desk.charter.settings import settings_hash
from web.forms.club_form import NamedForm, filled
from web.http.auth import officer_here

log = logging.getLogger(__name__)
naming = Blueprint("naming", __name__)

Page = str | Response | tuple[str, int]


@naming.get("/<slug>/desk/settings/club")
def club_profile_page(slug: str) -> Page:
    with services().db.read() as session:
        club, _you = officer_here(session, slug, only_owner=True)
    return _page(NamedForm(data=filled({"name": club.name, "zone": club.zone}, g.language)))


@naming.post("/<slug>/desk/settings/club")
def press_club_profile(slug: str) -> Page:
    """Preview the change (the default), or save what was previewed."""
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
    form = NamedForm(request.form)
    if not form.validate():
        return _page(form), 422
    wanted, over = form.said(), (club.name, club.zone)
    seen = settings_hash(wanted | {"over": over})
    if request.form.get("action") != "save" or request.form.get("seen") != seen:
        return _page(form, preview_of_club(club, **wanted), seen=seen)
    try:
        services().db.write(change_club, club.id, **wanted, now=services().clock.now(), over=over)
    except CharterChanged:
        return press_club_profile(
            slug
        )  # The effects differ from those of the preview: preview again.
    log.info(
        "club %s has another name or time zone (%s), by person %s", club.id, wanted["zone"], you.id
    )
    return redirect(url_for("settings.settings_page", slug=slug, saved="club"), 303)


def _page(form: NamedForm, preview: Preview | None = None, *, seen: str = "") -> str:
    return render_template("pages/desk/naming.html", form=form, preview=preview, seen=seen)
