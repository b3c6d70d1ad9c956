"""The built-in mailbox: each sent mail, with links to press.

Only on a machine that talks to itself.
"""

from __future__ import annotations

import re
from email.message import EmailMessage
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, render_template, request
from markupsafe import Markup, escape

from engine.club.context import all_clubs
from engine.settings import is_loopback
from mailers.dev_mailbox import open_mail, slug_of, stored_mails
from web.app.services import services
from web.http.i18n import set_request_owner

mailbox = Blueprint("mailbox", __name__)

# Mails on a page.
MOST = 60
_URL = re.compile(r"https?://[^\s<>\"]+")


@mailbox.before_request
def _only_here() -> None:
    if services().outgoing().origin != "mailbox" or not is_loopback(
        urlsplit(f"//{request.host}").hostname or ""
    ):
        abort(404)  # A foreign host name can resolve to this machine, too.
    with services().db.read() as session:
        g.clubs = {club.slug: club for club in all_clubs(session)}
    set_request_owner(next(iter(g.clubs.values())) if len(g.clubs) == 1 else None)


@mailbox.get("/mailbox")
def mailbox_page() -> str:
    to = request.args.get("to", "")
    mails = list(
        stored_mails(services().mailbox, to, before=request.args.get("before", ""), limit=MOST + 1)
    )
    older = mails[MOST - 1].id if len(mails) > MOST else ""
    return render_template(
        "pages/mailbox.html", mails=mails[:MOST], to=to, older=older, clubs=g.clubs
    )


@mailbox.get("/mailbox/<mail_id>")
def mail_page(mail_id: str) -> str:
    mail = _mail(mail_id)
    set_request_owner(g.clubs.get(slug_of(mail), g.club))
    text = mail.get_body(("plain",))
    return render_template(
        "pages/mail.html", id=mail_id, mail=mail, text=linked(text.get_content() if text else "")
    )


@mailbox.get("/mailbox/<mail_id>/html")
def mail_html(mail_id: str) -> Response:
    """Return the HTML part alone, for the frame on the mail's page.

    It allows its own inline styles and nothing else.
    """
    part = _mail(mail_id).get_body(("html",))
    if part is None:
        abort(404)
    body = part.get_content().replace("<a ", '<a target="_top" ')
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
    )
    return Response(body, headers={"Content-Security-Policy": policy})


def linked(text: str) -> Markup:
    """Turn the links of a mail's text into anchors."""
    pieces, at = [], 0
    for found in _URL.finditer(text):
        pieces.append(escape(text[at : found.start()]))
        pieces.append(Markup('<a href="{0}">{0}</a>').format(found[0]))
        at = found.end()
    return Markup("").join([*pieces, escape(text[at:])])


def _mail(mail_id: str) -> EmailMessage:
    mail = open_mail(services().mailbox, mail_id)
    if mail is None:
        abort(404)
    return mail
