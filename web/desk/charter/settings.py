"""The charter as forms, a page per part: change, preview, save.

The owner may save; admins may read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine.charter.diff import charter_diff, rebase
from engine.charter.loading import load_charter
from engine.club.context import current_charter
from engine.setup.club_admin import CharterChanged, apply_charter
from engine.storage.models import CharterChange, Club, Person
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.desk.charter import charter_form as forms
from web.desk.charter.diff_view import Amended, describe_diff
from web.desk.charter.preview import Preview, preview
from web.forms.club_form import ZONES
from web.http.auth import officer_here
from web.http.i18n import gettext
from web.labels.charter_labels import GROUPS, explained, read_number

settings = Blueprint("settings", __name__)

Page = str | Response | tuple[str, int]


@dataclass
class SettingsForm:
    """A page of settings as it was sent.

    ``version``: the charter's when the form was opened; ``seen``: the hash of the preview.
    """

    part: forms.Part
    typed: dict[str, str]
    version: int
    errors: dict[str, str] = field(default_factory=dict)
    meanwhile: list[Amended] = field(default_factory=list)
    preview: Preview | None = None
    seen: str = ""


@settings.get("/<slug>/desk/settings")
def settings_page(slug: str) -> Page:
    with services().db.read() as session:
        club, you = officer_here(session, slug)
    charter = current_charter(club)
    numbers = charter.plain()["numbers"]
    said = {
        number.key: explained(number.key, numbers[number.key], g.language)
        for group in GROUPS
        for number in group.numbers
    }
    return render_template(
        "pages/desk/settings.html",
        groups=GROUPS,
        said=said,
        charter=charter,
        may_change=you.role == PersonRole.OWNER,
        deputies=_chosen(forms.with_deputies(), charter.deputies),
        daily=_chosen(forms.in_letters(), charter.in_daily_letter),
        zone=ZONES.get(club.zone, club.zone),
        saved=request.args.get("saved", ""),
    )


@settings.get("/<slug>/desk/settings/<part>")
def settings_part_page(slug: str, part: str) -> Page:
    with services().db.read() as session:
        club, _you = officer_here(session, slug, only_owner=True)
    found = _part(part)
    return _page(
        SettingsForm(found, forms.shown(part, current_charter(club).plain()), club.charter_version)
    )


@settings.post("/<slug>/desk/settings/<part>")
def press_settings(slug: str, part: str) -> Page:
    """Preview the change (the default), save it, or add rows."""
    sheet = SettingsForm(
        _part(part), request.form.to_dict(), request.form.get("version", default=0, type=int)
    )
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
    if not 0 < sheet.version <= club.charter_version:
        sheet.version = 0
    if request.form.get("action") == "more":
        sheet.typed["rows"] = str(forms.rows_of(sheet.typed) + forms.SPARE_ROWS)
        return _page(sheet)
    return _act(club, you, sheet)


def _act(club: Club, you: Person, sheet: SettingsForm) -> Page:
    with services().db.read(club.id) as session:
        base = _charter_at(session, club, sheet.version) or current_charter(club).plain()
    wanted, sheet.errors = forms.read(sheet.part.key, sheet.typed, base, g.language)
    if sheet.errors:
        return _page(sheet), 422
    if sheet.version != club.charter_version:
        return _overtaken(club, sheet, base, wanted), 409
    if request.form.get("action") != "save" or request.form.get("seen") != settings_hash(wanted):
        sheet.preview, sheet.seen = preview(club, base, wanted), settings_hash(wanted)
        return _page(sheet)
    try:
        services().db.write(
            apply_charter, club.id, wanted, services().clock.now(), by_id=you.id, over=sheet.version
        )
    except CharterChanged:
        with services().db.read(club.id) as session:
            club = session.get_one(Club, club.id)
        return _overtaken(club, sheet, base, wanted), 409
    return redirect(url_for("settings.settings_page", slug=club.slug, saved=1), 303)


def _overtaken(
    club: Club, sheet: SettingsForm, base: Mapping[str, Any], wanted: Mapping[str, Any]
) -> str:
    """Show the changes of another person who saved first, with one's own on top."""
    theirs = current_charter(club).plain()
    sheet.meanwhile = describe_diff(charter_diff(base, theirs), g.language)
    mine = rebase(base, wanted, theirs)
    sheet.typed = forms.shown(sheet.part.key, mine)
    sheet.preview = preview(club, theirs, mine)
    sheet.seen = settings_hash(mine)
    sheet.version = club.charter_version
    return _page(sheet)


def settings_hash(charter: Mapping[str, Any]) -> str:
    """Hash the previewed settings, so that nothing else is saved.

    A person may type on after the preview and press Enter.
    """
    return hashlib.sha256(json.dumps(charter, sort_keys=True).encode()).hexdigest()


def _charter_at(session: ClubSession, club: Club, version: int) -> dict[str, Any] | None:
    """Return the charter of a version, in today's plain form."""
    found = session.execute(
        select(CharterChange).where(CharterChange.version == version)
    ).scalar_one_or_none()
    return load_charter(found.charter, club.locale).plain() if found else None


def _part(key: str) -> forms.Part:
    return next((part for part in forms.PARTS if part.key == key), None) or abort(404)


def _chosen(offered: list[tuple[str, str]], keys: tuple[str, ...]) -> list[str]:
    return [gettext(name) for key, name in offered if key in keys]


def _explained(key: str, typed: Mapping[str, str], value: Any) -> str:
    """Say what a number does with the typed value, or else with the charter's."""
    with contextlib.suppress(ValueError):
        value = read_number(key, typed)
    return explained(key, value, g.language)


def _page(sheet: SettingsForm) -> str:
    group = next((group for group in GROUPS if group.key == sheet.part.key), None)
    present = current_charter(g.club).plain()["numbers"]
    said = {
        key: _explained(key, sheet.typed, present[key]) for key in forms.numbers_of(sheet.part.key)
    }
    return render_template(
        "pages/desk/settings_part.html",
        sheet=sheet,
        typed=sheet.typed,
        errors=sheet.errors,
        group=group,
        texts=forms.TEXT_WORDS,
        rows=forms.rows_of(sheet.typed),
        said=said,
        with_deputies=forms.with_deputies(),
        in_letters=forms.in_letters(),
        wrong=[(name, forms.label_of(name), text) for name, text in sheet.errors.items()],
    )
