"""Ask for one more press: by a decider's link in a new browser, or before what has no undo."""

from __future__ import annotations

from dataclasses import replace

from flask import render_template, request
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from engine.clock import machine_now
from engine.declare.transition import Actor
from engine.storage.models import Case, KnownBrowser, Person, WebSession
from engine.storage.states import PersonRole
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.auth import Visitor, hashes_of
from web.http.link_sessions import device_cookie
from web.labels.user_agent import device_words

# Acts that end something for good.
FOR_GOOD = frozenset({"remove", "dismiss", "step_down"})
SURE = "sure"


class OnceMore(Exception):
    """Nothing was done yet. ``strange``: the browser is new; ``for_good``: no undo follows."""

    def __init__(self, you: Person, action: str, *, strange: bool, for_good: bool) -> None:
        super().__init__(action)
        self.you = you
        self.action = action
        self.strange = strange
        self.for_good = for_good


def look_twice(
    session: ClubSession, you: Person, action: str, sent: MultiDict[str, str], *, decides: bool
) -> str:
    """Check the browser of a press by link; return its words for the receipt of a decision.

    The first browser of a decider is trusted and remembered, and so is one that was confirmed or
    signed in. A browser without cookies cannot be recognised. Raises: OnceMore.
    """
    browser = hashes_of(device_cookie()) if device_cookie() else []
    signed_in = _is_signed_in(session, you, browser)
    strange = decides and not signed_in and _is_strange(session, you, browser)
    for_good = action in FOR_GOOD and not signed_in
    if (strange or for_good) and sent.get(SURE) != "y":
        raise OnceMore(you, action, strange=strange, for_good=for_good)
    if not decides:
        return ""
    if browser:
        remember_browser(session, you, browser[0])
    return device_here()


def with_second_look(
    session: ClubSession, met: Visitor, case: Case, actor: Actor, sent: MultiDict[str, str]
) -> Actor:
    """Return the actor of a press on a case page, with the device of a decision.

    Raises: OnceMore.
    """
    decision = decides(met.you, case.person_id)
    device = look_twice(session, met.you, sent.get("action", ""), sent, decides=decision)
    return replace(actor, device=device)


def decides(you: Person, about: int) -> bool:
    return you.role in (PersonRole.OWNER, PersonRole.ADMIN) and you.id != about


def device_here() -> str:
    """Return what the browser says it is, in words of the catalogue: ``iPhone · WeChat``."""
    return " · ".join(word for word in device_words(str(request.user_agent)) if word)[:200]


def remember_browser(session: ClubSession, you: Person, browser: str) -> None:
    row = session.get(KnownBrowser, (you.club_id, you.id, browser))
    if row is None:
        row = KnownBrowser(club_id=you.club_id, person_id=you.id, browser=browser)
        session.add(row)
    row.device, row.at = device_here(), machine_now()


def once_more_page(asked: OnceMore) -> str:
    """Render the one further press, with everything that was typed."""
    sent = [(key, value) for key, value in request.form.items(multi=True)]
    return render_template(
        "pages/once_more.html",
        asked=asked,
        device=device_words(str(request.user_agent)),
        sent=[item for item in sent if item[0] not in ("csrf_token", "action", SURE)],
    )


def _is_strange(session: ClubSession, you: Person, browser: list[str]) -> bool:
    """True if other browsers of this decider are known, and this one is not."""
    known = list(
        session.execute(
            select(KnownBrowser.browser).where(KnownBrowser.person_id == you.id)
        ).scalars()
    )
    return bool(known) and not set(known) & set(browser)


def _is_signed_in(session: ClubSession, you: Person, browser: list[str]) -> bool:
    mine = select(WebSession.id).where(
        WebSession.person_id == you.id,
        WebSession.browser.in_(browser),
        WebSession.ends_at > services().clock.now(),
    )
    return bool(browser) and session.execute(mine).first() is not None
