"""The letters of the club: in trouble, waiting, held, sent; with the replies in plain words."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.outbox.delivery_log import (
    KINDS,
    counts,
    hold,
    letters_of_kind,
    release,
    release_club,
    retry,
    take_for_arrived,
)
from engine.outbox.queue import UNANSWERED, UNCERTAIN
from engine.storage.heartbeats import channel_trouble, post_is_held
from engine.storage.models import Letter
from engine.text.i18n import marked as _
from mailers.smtp.reply import meaning
from web.app.services import services
from web.http.auth import officer_here
from web.http.paging import MOST_ID, Paging
from web.http.security import PRESS_AGAIN
from web.labels.mail_words import advice_on

letters = Blueprint("letters", __name__)

Page = str | Response | tuple[str, int]
SIZE = 20
ACTS = {"retry": retry, "hold": hold, "release": release, "arrived": take_for_arrived}
LOOKED = _("Please tick that you have looked through them")


@letters.get("/<slug>/desk/letters")
def letters_page(slug: str) -> Page:
    return _page(slug)


@letters.post("/<slug>/desk/letters")
def press_letters(slug: str) -> Page:
    """Retry, hold or release one letter, or, after a confirmation, release all held ones."""
    with services().db.read() as session:
        club, _you = officer_here(session, slug, only_owner=True)
    action, letter_id = request.form.get("action", ""), request.form.get("letter", 0, type=int)
    here = services()
    if action == "release_all":
        if "looked" not in request.form:
            return _page(slug, error=LOOKED), 422
        done = here.db.write(release_club, club.id, here.clock.now())
    elif action in ACTS and 0 < letter_id < MOST_ID:
        done = int(here.db.write(ACTS[action], club.id, letter_id, here.clock.now()))
    else:
        return _page(slug, message=PRESS_AGAIN), 400
    return redirect(
        url_for("letters.letters_page", slug=slug, kind=_kind(), did=action, done=done), 303
    )


def _kind() -> str:
    """Return the kind of letters to show: from the address, or from the pressed form."""
    asked = request.values.get("kind", "")
    return asked if asked in KINDS else ""


def _copies(letter: Letter) -> int:
    """Count how often an unanswered letter has probably arrived; 0 for another hold."""
    uncertain = letter.state == "held" and letter.answer.startswith(UNCERTAIN)
    return int(letter.data.get(UNANSWERED, 0)) if uncertain else 0


def _page(slug: str, *, message: str = "", error: str = "") -> str:
    with services().db.read() as session:
        officer_here(session, slug, only_owner=True)
        channel, way = channel_trouble(session), services().outgoing()
        found = counts(session)
        # Trouble comes first.
        kind = _kind() or next((name for name in ("failed", "held") if found[name]), "recent")
        paging = Paging.asked(found[kind], SIZE) if kind != "recent" else Paging(SIZE, SIZE, 1)
        return render_template(
            "pages/desk/letters.html",
            rows=[
                (letter, who, meaning(letter.answer), _copies(letter))
                for letter, who in letters_of_kind(session, kind, limit=SIZE, offset=paging.offset)
            ],
            kind=kind,
            kinds=tuple(KINDS),
            counts=found,
            paging=paging,
            message=message,
            error=error,
            rest=post_is_held(session),
            channel=channel,
            way=way,
            advice=advice_on(channel, way.server),
            did=request.args.get("did", ""),
            done=request.args.get("done", 0, type=int),
        )
