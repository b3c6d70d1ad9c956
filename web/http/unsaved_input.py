"""Submitted values that were not stored, so that the page can show them for a second try."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, request
from werkzeug.wrappers import Response as AnyResponse

from engine.declare.fields import RAW_SHORT, clean_text
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.i18n import gettext

Page = str | AnyResponse | tuple[str, int]

REFUSED = _("Not saved. Press “Save draft” to see why.")

SECRETS = frozenset({"password"})  # neither shown nor sent again
# Values that a page sends along, ticks and choices from lists: they were not typed.
SENT_ALONG = re.compile(
    r"csrf_token|form|sure|homepage|action|preview|by|for|from|back|round|version|seen|rows|kind|case"
    r"|letter|session|take|choice|locale|provider|security|kept|looked|List-Unsubscribe"
    r"|replace_demo|accept_charter|(round|deputies|daily|gone)-.*|.*-(unit|day)"
)
# A text in a box of the page, or in an input.
_SHOWN = re.compile(r'<textarea[^>]*>(.*?)</textarea>|value="([^"]*)"', re.DOTALL)


@dataclass(frozen=True)
class SubmittedValue:
    """A value of the form that was sent. ``by_hand``: a person typed it."""

    name: str
    text: str

    @property
    def by_hand(self) -> bool:
        return bool(self.text.strip()) and not SENT_ALONG.fullmatch(self.name)

    @property
    def in_words(self) -> bool:
        """True if it is shown; a number is sent again unseen."""
        return self.by_hand and not self.text.isdecimal()


def init(app: Flask) -> None:
    app.jinja_env.globals.update(sent_here=submitted_here, not_shown=missing_from_page)


def submitted_here() -> list[SubmittedValue]:
    """Return the values of this request.

    Empty if it was not read (413), or if no page of ours can have sent it.
    """
    form = vars(request).get("form")
    if form is None or g.get("foreign") or g.get("by_machine"):
        return []
    return [
        SubmittedValue(name, text)
        for name, text in form.items(multi=True)
        if name not in SECRETS and name != "csrf_token"
    ]


def missing_from_page(page: str) -> list[SubmittedValue]:
    """Return the typed values that no box of the answering page shows."""
    typed = [sent for sent in submitted_here() if sent.by_hand]
    shown = (
        {_folded(_unescaped(box or value)) for box, value in _SHOWN.findall(page)}
        if typed
        else set()
    )
    return [sent for sent in typed if _folded(sent.text) not in shown]


def _folded(text: str) -> str:
    """Normalise words, whether or not the form has cleaned them.

    Only for short ones: the cost grows with the square of the length.
    """
    words = "".join(clean_text(text).split())
    return unicodedata.normalize("NFKC", words).casefold() if len(words) <= RAW_SHORT else words


def _unescaped(text: str) -> str:
    """Undo ``markupsafe.escape``.

    ``html.unescape`` calls Python for each ampersand.
    """
    for escaped, plain in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#34;", '"'),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ):
        text = text.replace(escaped, plain)
    return text


def by_script() -> bool:
    """True if the page's script saves while a person types, and wants one short line."""
    return request.method == "POST" and request.accept_mimetypes.best == "text/plain"


def line_of_page(page: Page) -> AnyResponse:
    return line_for(page[1] if isinstance(page, tuple) else 200)


def line_for(status: int) -> AnyResponse:
    """Return the line that the script shows for the answer to its save."""
    words = (
        gettext("Saved %(when)s", when=_clock_time(services().clock.now()))
        if status == 200
        else gettext(REFUSED)
    )
    return Response(words, status, mimetype="text/plain")


def _clock_time(at: datetime) -> str:
    return at.astimezone(ZoneInfo(g.club.zone)).strftime("%H:%M")
