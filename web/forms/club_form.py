"""The form of the set-up: club, owner, language and zone.

Everything but names and address has a default.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from wtforms import Field, Form, SelectField, ValidationError

from engine.declare.fields import Address, Text, options
from engine.setup.club_admin import slug_will_do, zone_exists
from engine.text.i18n import LANGUAGES
from engine.text.i18n import marked as _
from web.http.i18n import gettext

DEFAULT_SLUG, DEFAULT_ZONE = "club", "Asia/Shanghai"
MOST_CHARACTERS = 80
# What a charter needs at first; the desk asks for the others.
FIRST_NUMBERS = (
    "plan_days",
    "second_chance_days",
    "decide_days",
    "week_opens",
    "week_due",
    "digest_hour",
    "quiet_from",
    "quiet_until",
)

ZONES = {
    "Asia/Shanghai": _("China (Beijing time)"),
    "Asia/Hong_Kong": _("Hong Kong"),
    "Asia/Taipei": _("Taipei"),
    "Asia/Singapore": _("Singapore"),
    "Asia/Tokyo": _("Tokyo"),
    "Australia/Sydney": _("Sydney"),
    "Europe/London": _("London"),
    "Europe/Berlin": _("Berlin, Paris, Zurich"),
    "America/New_York": _("New York, Toronto"),
    "America/Los_Angeles": _("Los Angeles, Vancouver"),
}
LANGUAGE_NAMES = {"zh-CN": "中文", "en": "English"}

BAD_SLUG = _("Please take small letters, digits and hyphens; some words, such as setup, are taken")
BAD_ZONE = _("There is no such time zone. Examples: Europe/Lisbon, Asia/Urumqi")
TOO_LONG = _("Please keep it to 80 characters")


def _not_long(form: Form, field: Field) -> None:
    if len(field.data or "") > MOST_CHARACTERS:
        raise ValidationError(TOO_LONG)


class NamedForm(Form):
    """A club's name and its time zone: one of the list, or another."""

    name = Text(_("What is the club called?"), hint=_("Example: Nine Oxen Reading Club"))
    zone = SelectField(_("Time zone"), render_kw={"required": True})
    other_zone = Text(
        _("Another time zone"),
        hint=_("As its name is written everywhere, such as Europe/Lisbon"),
        optional=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone.choices = options({key: gettext(name) for key, name in ZONES.items()})

    def validate_name(self, field: Field) -> None:
        _not_long(self, field)

    def validate_other_zone(self, field: Field) -> None:
        if field.data and not zone_exists(field.data):
            raise ValidationError(BAD_ZONE)

    def said(self) -> dict[str, str]:
        return {"name": self.data["name"], "zone": self.data["other_zone"] or self.data["zone"]}


class ClubForm(NamedForm):
    owner_name = Text(
        _("Your name"),
        hint=_("You become the owner: you decide, and the desk is yours."),
        autocomplete="name",
    )
    owner_email = Address(
        _("Your e-mail address"), hint=_("Your decisions and your way to sign in come here.")
    )
    slug = Text(
        _("Short name for addresses"), hint=_("Left empty, it comes from the name."), optional=True
    )
    locale = SelectField(
        _("Language of the club"),
        choices=options(LANGUAGE_NAMES),
        render_kw={"required": True},
    )

    def validate_owner_name(self, field: Field) -> None:
        _not_long(self, field)

    def validate_slug(self, field: Field) -> None:
        if field.data and not slug_will_do(field.data.lower()):
            raise ValidationError(BAD_SLUG)

    def said(self) -> dict[str, str]:
        """Return the arguments of the founding."""
        data = self.data
        return super().said() | {
            "owner_name": data["owner_name"],
            "owner_email": data["owner_email"],
            "locale": data["locale"],
            "slug": data["slug"].lower() or slug_from(data["name"]),
        }


def filled(said: dict[str, str], language: str) -> dict[str, str]:
    """Fill the form from the saved answers, or with its first values."""
    if not said:
        return {"locale": language if language in LANGUAGES else LANGUAGES[0], "zone": DEFAULT_ZONE}
    listed = said["zone"] in ZONES
    return {
        **said,
        "zone": said["zone"] if listed else DEFAULT_ZONE,
        "other_zone": "" if listed else said["zone"],
    }


def slug_from(name: str) -> str:
    """Return a short name from the Latin letters of a name, else the default."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return slug if len(slug) > 1 and slug_will_do(slug) else DEFAULT_SLUG
