"""Sign-ins end: when their time is over, and all at once when a link got out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.cases.member_links import forget_ended_sessions, reissue_links
from engine.storage.models import Person, WebSession
from engine.storage.unit_of_work import ClubSession
from tests.club import LILEI, MEIMEI, House

pytestmark = pytest.mark.postgres


def sign_in(house: House, who: str, device: str, **life: float) -> None:
    you = house.person(who).id

    def unit(session: ClubSession) -> None:
        ends = house.now + timedelta(**life)
        session.add(
            WebSession(
                person_id=you,
                secret_hash=device,
                link=device,
                device=device,
                started_at=house.now,
                ends_at=ends,
            )
        )

    house.write(unit)


def devices(house: House) -> list[str]:
    return house.rows(select(WebSession.device).order_by(WebSession.device))


def test_a_sign_in_that_ran_out_is_forgotten(house: House) -> None:
    house.add(LILEI)
    sign_in(house, LILEI, "phone", days=90)
    sign_in(house, LILEI, "tablet", days=14)
    house.db.write(forget_ended_sessions, house.now + timedelta(days=14) - timedelta(seconds=1))
    assert devices(house) == ["phone", "tablet"]
    house.db.write(forget_ended_sessions, house.now + timedelta(days=14))
    assert devices(house) == ["phone"]


def test_new_links_end_the_sign_ins_of_one_person_and_go_to_their_own_address(house: House) -> None:
    for who in (LILEI, MEIMEI):
        house.add(who)
        sign_in(house, who, who, days=90)
    lilei = house.person(LILEI).id
    house.write(
        lambda session: reissue_links(
            session, session.get_one(Person, (house.club_id, lilei)), house.now
        )
    )
    assert devices(house) == [MEIMEI]
    assert (house.person(LILEI).link_epoch, house.person(MEIMEI).link_epoch) == (2, 1)
    assert house.deliver() == [("club.new_links", LILEI)]
