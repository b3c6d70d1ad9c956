"""Who may see the desk's pages, and which pages there are."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from engine.fields import clean_text
from engine.language import marked as _
from engine.models import Club, Person
from web.access import met_here

# In the order of the desk's menu: endpoint, name, is it the owner's alone.
MENU = (
    ("desk.show", _("Overview"), False),
    ("people.show", _("People"), False),
    ("letters.show", _("Letters"), True),
    ("offices.show", _("Who decides"), False),
    ("roster.show", _("Bring in members"), True),
    ("ahead.show", _("Ahead"), False),
    ("figures.show", _("Figures"), False),
    ("group.show", _("For the chat group"), False),
    ("settings.show", _("Settings"), False),
    ("mail_account.show", _("Mail account"), True),
    ("club.show", _("Rest and handing over"), True),
)


def officer_here(session: Session, slug: str, *, only_owner: bool = False) -> tuple[Club, Person]:
    """The club and the owner or admin whose browser this is. Others are led on: to the sign-in page, to their own page; 403
    for an admin where the page is the owner's."""
    club, you = met_here(session, slug)
    if you is None:
        abort(redirect(url_for("desk.show", slug=slug), 302))
    if you.role not in ("owner", "admin"):
        abort(redirect(url_for("member.signed_in_page", slug=slug), 302))
    if only_owner and you.role != "owner":
        abort(403)
    return club, you


def officer_pressing(session: Session, slug: str, *, only_owner: bool = False) -> tuple[Club, Person]:
    """As ``officer_here`` for a POST: whoever is not signed in any more gets back what they typed, and how to go on; nobody is
    led away from it."""
    club, you = met_here(session, slug)
    ranks = ("owner",) if only_owner else ("owner", "admin")
    if you is None:
        texts = [clean_text(text) for name, text in request.form.items() if name in ("note", "why", "email") and text.strip()]
        abort(make_response(render_template("pages/desk/ended.html", texts=texts), 403))
    if you.role not in ranks:
        abort(403)
    return club, you


def menu(you: Person) -> list[tuple[str, str]]:
    """Endpoint and name of each page of the desk that this person may open."""
    return [(endpoint, name) for endpoint, name, only_owner in MENU if you.role == "owner" or not only_owner]
