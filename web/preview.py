"""A decision's mail, seen before it is pressed: the press is rehearsed, its letter composed, and everything taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine.links import Link
from engine.models import Case, Letter
from mailers.compose import Words
from web.service import service

Press = Callable[[Session, Link, str, MultiDict[str, str]], Any]


def letters_after(press: Press, link: Link, token: str, sent: MultiDict[str, str]) -> list[Words]:
    """What the person concerned would read. Raises what the press itself would raise."""
    here = service()
    pressed = MultiDict(sent)
    pressed["action"] = sent["preview"]
    with here.db.rehearse() as session:
        press(session, link, token, pressed)
        session.flush()
        case = session.get_one(Case, (link.club_id, link.target))
        theirs = (Letter.case_id == case.id) & (Letter.version == case.version) & (Letter.person_id == case.person_id)
        letters = session.execute(select(Letter).where(theirs).order_by(Letter.id)).scalars().all()
        return [here.composer.words(session, letter, here.clock.now()) for letter in letters]
