"""What somebody typed and a page did not take: whatever the answer is, they can read it, copy it,
or send it again."""

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
# What a page sends along, what is ticked and what is chosen from a list: nobody typed it.
SENT_ALONG = re.compile(
    r"csrf_token|form|homepage|action|preview|by|for|from|back|round|version|seen|rows|kind|case|letter|session|take|choice|locale"
    r"|provider|security|kept|looked|List-Unsubscribe|replace_demo|accept_charter|(round|deputies|daily|gone)-.*|.*-(unit|day)"
)
# A text in a box of the page, or in an input.
_SHOWN = re.compile(r'<textarea[^>]*>(.*?)</textarea>|value="([^"]*)"', re.DOTALL)


@dataclass(frozen=True)
class SubmittedValue:
    """One value of the form that was sent. ``by_hand``: its person typed it."""

    name: str
    text: str

    @property
    def by_hand(self) -> bool:
        return bool(self.text.strip()) and not SENT_ALONG.fullmatch(self.name)

    @property
    def in_words(self) -> bool:
        """A number goes along unseen where everything is sent again."""
        return self.by_hand and not self.text.isdecimal()


def init(app: Flask) -> None:
    app.jinja_env.globals.update(sent_here=submitted_here, not_shown=missing_from_page)


def submitted_here() -> list[SubmittedValue]:
    """What this very request brought; nothing where it was not read (413), or where no page of ours
    can have sent it."""
    form = vars(request).get("form")
    if form is None or g.get("foreign") or g.get("by_machine"):
        return []
    return [
        SubmittedValue(name, text)
        for name, text in form.items(multi=True)
        if name not in SECRETS and name != "csrf_token"
    ]


def missing_from_page(page: str) -> list[SubmittedValue]:
    """What was typed and stands in no box of the page that answers."""
    typed = [sent for sent in submitted_here() if sent.by_hand]
    shown = (
        {_folded(_unescaped(box or value)) for box, value in _SHOWN.findall(page)}
        if typed
        else set()
    )
    return [sent for sent in typed if _folded(sent.text) not in shown]


def _folded(text: str) -> str:
    """The same words, whether or not the form has tidied them. Only what is short may be folded:
    the work grows with its square."""
    words = "".join(clean_text(text).split())
    return unicodedata.normalize("NFKC", words).casefold() if len(words) <= RAW_SHORT else words


def _unescaped(text: str) -> str:
    """A text that our pages escaped (``markupsafe.escape``), as it was: ``html.unescape`` calls
    Python for each ampersand."""
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
    """The page's script saves while one types, and wants one short line instead of a page."""
    return request.method == "POST" and request.accept_mimetypes.best == "text/plain"


def line_of_page(page: Page) -> AnyResponse:
    return line_for(page[1] if isinstance(page, tuple) else 200)


def line_for(status: int) -> AnyResponse:
    """What the script shows in the place of a page: what was answered to its save."""
    words = (
        gettext("Saved %(when)s", when=_clock_time(services().clock.now()))
        if status == 200
        else gettext(REFUSED)
    )
    return Response(words, status, mimetype="text/plain")


def _clock_time(at: datetime) -> str:
    return at.astimezone(ZoneInfo(g.club.zone)).strftime("%H:%M")
