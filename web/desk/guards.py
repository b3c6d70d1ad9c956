"""The permissions of the desk's pages, and its menu."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request, url_for

from engine.operations.health import Health
from engine.storage.models import Person
from engine.storage.states import PersonRole
from engine.text.i18n import marked as _
from web.app.health import current_health
from web.app.services import services

# The desk's menu in its order: endpoint, name, True if the owner's alone. DAILY is always visible,
# the others fold: a phone has one line.
DAILY = (
    ("desk.overview_page", _("Overview"), False),
    ("people.people_page", _("People"), False),
    ("letters.letters_page", _("Letters"), True),
    ("ahead.ahead_page", _("Ahead"), False),
)
NOW_AND_THEN = (
    ("group.chat_texts_page", _("For the chat group"), False),
    ("figures.statistics_page", _("Figures"), False),
    ("roster.member_import_page", _("Bring in members"), True),
    ("offices.offices_page", _("Who decides"), False),
    ("settings.settings_page", _("Settings"), False),
    ("mail_account.mail_account_page", _("Mail account"), True),
    ("club.club_rest_page", _("Holidays and handing over"), True),
    ("sessions.sessions_page", _("Signed-in devices"), False),
)


@dataclass(frozen=True)
class MenuItem:
    """A line of the menu; ``here``: the current page is this one or below it."""

    path: str
    name: str
    here: bool


def current_desk_health() -> Health:
    """Return what the desk's pages say about the service; read once for each of them."""
    if "desk_health" not in g:
        with services().db.read() as session:
            g.desk_health = current_health(services(), session)
    found: Health = g.desk_health
    return found


def menu(you: Person, slug: str) -> tuple[list[MenuItem], list[MenuItem]]:
    """Return the menu's daily pages and the other pages that this person may open."""
    at = f"{request.script_root}{request.path}"  # not the endpoint: a press has another one

    def entry(endpoint: str, name: str) -> MenuItem:
        path = url_for(endpoint, slug=slug)
        return MenuItem(
            path,
            name,
            at == path or (endpoint != "desk.overview_page" and at.startswith(f"{path}/")),
        )

    daily, others = (
        [
            entry(endpoint, name)
            for endpoint, name, only_owner in part
            if you.role == PersonRole.OWNER or not only_owner
        ]
        for part in (DAILY, NOW_AND_THEN)
    )
    return daily, others
