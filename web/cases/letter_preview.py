"""The preview of a decision's mail: act, compose its letter, roll back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from engine.cases.transitions import NotAllowed
from engine.club.permissions import declared_acts
from engine.security.links import Link
from engine.storage.models import Case, Letter
from engine.storage.unit_of_work import ClubSession
from mailers.letters.compose import Words
from web.app.services import services
from web.http.auth import visitor

Press = Callable[[ClubSession, Link, str, MultiDict[str, str]], Any]


def preview_letters(press: Press, link: Link, token: str, sent: MultiDict[str, str]) -> list[Words]:
    """Return what the case's person would read.

    Raises: what the press itself would raise.
    """
    here = services()
    pressed = MultiDict(sent)
    pressed["action"] = sent["preview"]
    pressed.poplist("for")
    with here.db.rehearse() as session:
        decides = _decides(session, link, sent["preview"])
        press(session, link, token, pressed)
        if not decides:
            raise NotAllowed(f"{sent['preview']} has no preview for this person")
        session.flush()
        case = session.get_one(Case, (link.club_id, link.target))
        theirs = (
            (Letter.case_id == case.id)
            & (Letter.version == case.version)
            & (Letter.person_id == case.person_id)
        )
        letters = session.execute(select(Letter).where(theirs).order_by(Letter.id)).scalars().all()
        return [here.composer.words(session, letter, here.clock.now()) for letter in letters]


def _decides(session: ClubSession, link: Link, action: str) -> bool:
    """True if another person decides with words.

    A ballot's preview would tell voters what was written to the candidate, and the count so far.
    """
    met = visitor(session, link)
    if met.case is None or met.case.person_id == met.you.id:
        return False
    return any(
        item.action == action and item.note != "none"
        for item in declared_acts(session, met.case, met.you)
    )
