"""A decider's browser is known for a while, and forgotten when it is not used any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from engine.cases.member_links import BROWSER_KEPT, forget_known_browsers
from engine.storage.models import KnownBrowser
from engine.storage.unit_of_work import ClubSession
from tests.club import OWNER, House


def test_a_browser_that_is_not_used_any_more_is_forgotten(house: House) -> None:
    owner = house.person(OWNER).id

    def know(session: ClubSession) -> None:
        for name, days in (("old", 1), ("new", 0)):
            at = house.now - BROWSER_KEPT + timedelta(days=1 - days, minutes=-1)
            session.add(KnownBrowser(person_id=owner, browser=name, device="iPhone", at=at))

    house.write(know)
    house.db.write(forget_known_browsers, house.now)
    assert house.rows(select(KnownBrowser.browser)) == ["new"]
