"""Who may see the desk's pages, and which pages there are."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, request, url_for
from sqlalchemy.orm import Session

from engine.language import marked as _
from engine.models import Club, Person
from web.access import met_here
from web.trouble import led_on

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


def officer_here(session: Session, slug: str, *, only_owner: bool = False) -> tuple[Club, Person]:
    """The club and the owner or admin whose browser this is; 403 for an admin where the page is the owner's.

    Others are led on to the sign-in page or to their own, but never away from a press.
    """
    club, you = met_here(session, slug)
    if you is None:
        led_on(url_for("desk.show", slug=slug))
    if you.role not in ("owner", "admin") and request.method != "POST":
        abort(redirect(url_for("member.signed_in_page", slug=slug), 302))
    if you.role not in (("owner",) if only_owner else ("owner", "admin")):
        abort(403)
    return club, you


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
