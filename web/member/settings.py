"""A member's settings: reminders, language, calendar feed."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from werkzeug.datastructures import MultiDict

from engine.security.links import Link
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import LANGUAGES
from web.app.services import services
from web.http.auth import read_token
from web.member.auth import Page, member, own, own_page
from web.member.feed import address_of
from web.member.page import forms_of


@member.get("/me/<token>/settings")
def member_settings_page(token: str) -> Page:
    link = read_token(token)
    with services().db.read() as session:
        met = own(session, link)
    changes = [
        item for item in forms_of(met.club, met.you, {}) if item.flow.listed_on == "settings"
    ]
    return own_page(
        "settings",
        token,
        calendar=address_of(met.club, met.you),
        changes=changes,
        languages=LANGUAGES,
    )


@member.post("/me/<token>/settings")
def press_member_settings(token: str) -> Page:
    """Save the reminders (fewer or all) and the language of mails and pages."""
    services().db.write(_save_settings, read_token(token), request.form)
    return redirect(url_for("member.member_settings_page", token=token), 303)


def _save_settings(session: ClubSession, link: Link, sent: MultiDict[str, str]) -> None:
    you, action = own(session, link).you, sent.get("action", "")
    if action in ("fewer", "all"):
        you.fewer_reminders = action == "fewer"
    elif action == "calendar":
        you.feed_number += 1
    elif action == "language" and sent.get("locale") in LANGUAGES:
        you.locale = sent["locale"]
    else:
        abort(400)
