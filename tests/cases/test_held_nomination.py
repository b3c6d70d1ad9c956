"""An open removal holds a nomination."""

from __future__ import annotations

from datetime import timedelta

from tests.club import ADMIN, LILEI, MEIMEI, OWNER, House
from tests.databases import databases
from tests.mail import text_of


def test_d18_no_election_in_the_minute_in_which_a_removal_is_proposed() -> None:
    house = House(databases("sqlite"), numbers={"plan_days": 1, "second_chance_days": 1})
    for who in (LILEI, MEIMEI, ADMIN):
        house.add(who)
    house.tick(days=1)
    house.hand_in(LILEI, "nomination", {"why": "愿意", "plan": "主持"})
    house.open(LILEI, "study_plan")
    house.press(OWNER, "approve", workflow="nomination")
    for who in (MEIMEI, ADMIN):
        house.vote(who, "yes")
    house.live(until=house.now + timedelta(days=3, hours=23), hours=3)
    assert house.case(LILEI, "study_plan").state == "removal_proposed"
    assert house.case(LILEI, "nomination").state == "vote"
    assert house.letters("nomination.elected") == []
    assert "管理员自荐先放一放" in text_of(house.mail("study_plan.removal_proposed"))
    house.press(OWNER, "excuse", workflow="study_plan")
    house.live(until=house.now + timedelta(days=4), hours=6)
    assert house.case(LILEI, "nomination").state == "elected"
    house.end()
