"""The last page of the set-up, the founding in one commit, and the page of what is ready."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import abort, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from engine.declare.registry import all_workflows
from engine.security.encryption import CannotDecrypt
from engine.settings import is_loopback
from engine.setup.club_admin import BadClub
from engine.setup.first_club import AlreadyFounded, create_first_club, demo_exists, real_club
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app import demo
from web.app.services import services
from web.forms.club_form import FIRST_NUMBERS, ZONES
from web.http.auth import OFFICE_LIFE, officer_here, set_session_cookie, signed_in, start_session
from web.labels import charter_labels
from web.setup.door import KNEW, Page, setup
from web.setup.steps import account_of, answers_here, numbers_of, page, shipped

CANNOT = _(
    "The club could not be founded like this; please look at its short name and its "
    "address once more."
)
TICK = _("Please tick this box: the demo has to go first.")


@setup.get("/setup/check")
def check_page() -> Page:
    return _check_page(answers_here())


@setup.post("/setup/check")
def press_founding() -> Page:
    """Found the club; a second press, or a reload, signs its owner in again."""
    if KNEW in session and (response := _founded_by_this_browser()):
        return response
    said = answers_here()
    if _demo_is_here() and request.form.get("replace_demo") != "y":
        return _check_page(said, error=TICK), 422
    try:
        return _found(said)
    except CannotDecrypt:
        return redirect(url_for("setup.mail_step"), 303)
    except BadClub:
        return _check_page(said, message=CANNOT), 422
    except AlreadyFounded:
        return _founded_by_this_browser() or redirect(url_for("setup.door_page"), 303)


def _found(said: dict[str, Any]) -> Response:
    here, secret = services(), session[KNEW]
    charter = shipped(said) | {"numbers": numbers_of(said)}
    account = account_of(said)
    with here.sweeping, here.posting:
        demo.end(here)
        now = here.clock.now()

        def unit(database: ClubSession) -> None:
            club_id, owner_id = create_first_club(
                database,
                club=said["club"],
                charter=charter,
                account=account,
                encryption=here.encryption,
                now=now,
            )
            start_session(database, club_id, owner_id, "set-up", now, secret=secret)

        here.db.write(unit)
    return _signed_in(said["club"]["slug"], secret)


def _founded_by_this_browser() -> Response | None:
    """Sign in the browser that founded the club and may have missed the answer."""
    with services().db.read() as database:
        club = real_club(database)
        if club is None or signed_in(database, club.id, session[KNEW]) is None:
            return None
        slug = club.slug
    return _signed_in(slug, session[KNEW])


def _signed_in(slug: str, secret: str) -> Response:
    response = redirect(url_for("setup.ready_page", slug=slug), 303)
    set_session_cookie(response, slug, secret, OFFICE_LIFE)
    return response


def _demo_is_here() -> bool:
    with services().db.read() as database:
        return demo_exists(database)


def _check_page(said: dict[str, Any], *, message: str = "", error: str = "") -> str:
    for step in ("club", "mail"):
        if step not in said:
            abort(redirect(url_for(f"setup.{step}"), 303))
    plain = numbers_of(said)
    return page(
        "check",
        said,
        message=message,
        error=error,
        demo_exists=_demo_is_here(),
        way=services().outgoing(),
        address=services().links.url(f"{said['club']['slug']}/"),
        zone=ZONES.get(said["club"]["zone"], said["club"]["zone"]),
        rules=[
            (
                charter_labels.known_numbers()[key].name,
                charter_labels.said(key, plain[key], g.language),
            )
            for key in FIRST_NUMBERS
        ],
    )


@setup.get("/<slug>/desk/ready")
def ready_page(slug: str) -> Page:
    """Show what is ready, and the next three steps."""
    session.pop(KNEW, None)
    here = services()
    with here.db.read() as database:
        officer_here(database, slug, only_owner=True)
    [joining, *_others] = [flow for flow in all_workflows() if flow.open_to_anyone]
    return render_template(
        "pages/setup/ready.html",
        way=here.outgoing(),
        invite=here.links.url(f"{slug}/{joining.form_path}"),
        only_here=is_loopback(urlsplit(here.settings.base_url).hostname or ""),
    )
