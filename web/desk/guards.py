"""Who may see the desk's pages, and which pages there are."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for

from engine.storage.models import Person
from engine.text.i18n import marked as _

# The desk's menu, each in its order: endpoint, name, is it the owner's alone. The first are at hand on every page, the others
# fold: a phone has one line.
DAILY = (
    ("desk.show", _("Overview"), False),
    ("people.show", _("People"), False),
    ("letters.show", _("Letters"), True),
    ("ahead.show", _("Ahead"), False),
)
NOW_AND_THEN = (
    ("group.show", _("For the chat group"), False),
    ("figures.show", _("Figures"), False),
    ("roster.show", _("Bring in members"), True),
    ("offices.show", _("Who decides"), False),
    ("settings.show", _("Settings"), False),
    ("mail_account.show", _("Mail account"), True),
    ("club.show", _("Holidays and handing over"), True),
    ("sessions.show", _("Signed-in devices"), False),
)


@dataclass(frozen=True)
class Entry:
    """A line of the menu; ``here``: the page at hand is this one or lies below it."""

    path: str
    name: str
    here: bool


def menu(you: Person, slug: str) -> tuple[list[Entry], list[Entry]]:
    """The pages of the desk that this person may open: those at hand, and the others."""
    at = f"{request.script_root}{request.path}"  # not the endpoint: a page that answers a press is this page, too

    def entry(endpoint: str, name: str) -> Entry:
        path = url_for(endpoint, slug=slug)
        return Entry(path, name, at == path or (endpoint != "desk.show" and at.startswith(f"{path}/")))

    daily, others = (
        [entry(endpoint, name) for endpoint, name, only_owner in part if you.role == "owner" or not only_owner]
        for part in (DAILY, NOW_AND_THEN)
    )
    return daily, others
