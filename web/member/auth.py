"""The visitor and the menu of a member's own pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template
from werkzeug.wrappers import Response

from engine.security.links import Link
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.http.auth import Visitor, visitor

member = Blueprint("member", __name__)

Page = str | Response | tuple[str, int]

# In the order of the menu: endpoint, name.
MENU = (
    ("member.member_page", _("To do")),
    ("member.record_page", _("Record")),
    ("member.member_letters_page", _("Letters")),
    ("member.member_settings_page", _("Settings")),
    ("member.data_page", _("Data")),
)


def own(session: ClubSession, link: Link) -> Visitor:
    """Return the visitor of their own page.

    Raises: 404 for a link to anything else.
    """
    met = visitor(session, link)
    if link.kind not in ("me", "confirm_copy"):
        abort(404)
    return met


def own_page(template: str, token: str, **facts: Any) -> str:
    return render_template(f"pages/me/{template}.html", token=token, menu=MENU, **facts)
