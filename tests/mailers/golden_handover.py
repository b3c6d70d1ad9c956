"""The stories behind each letter of a handover."""

from __future__ import annotations

from functools import partial

from engine.cases.offers import offer
from engine.declare.transition import Actor
from engine.storage.models import Person
from tests.club import LILEI, MEIMEI, OWNER, House
from tests.mailers.golden_steps import Stories, press, send, then, wait

owner, lilei = (
    partial(press, OWNER, workflow="handover"),
    partial(press, LILEI, workflow="handover"),
)


def offered(house: House) -> None:
    house.add(LILEI, "李雷")
    house.add(MEIMEI, "韩梅梅")
    owner_id = house.person(OWNER).id
    house.write(
        lambda session: offer(
            session,
            house.club_id,
            "handover",
            LILEI,
            now=house.now,
            by=Actor(session.get_one(Person, (house.club_id, owner_id)), "page"),
        )
    )


def silent(house: House) -> None:
    offered(house)
    house.deliver()
    house.tick(days=7, hours=15)


accepted = then(offered, lilei("accept"))
taken_over = then(accepted, lilei("confirm"))

STORIES: Stories = {
    "handover.please_take_over": (offered, LILEI),
    "handover.take_over_soon": (then(offered, send, wait(days=6, hours=15)), LILEI),
    "handover.please_confirm": (accepted, LILEI),
    "handover.new_owner": (taken_over, MEIMEI),
    "handover.new_owner+to_new": (taken_over, LILEI),
    "handover.new_owner+to_old": (taken_over, OWNER),
    "handover.was_refused": (then(offered, lilei("refuse", note="明年要考研。")), OWNER),
    "handover.was_withdrawn": (then(offered, owner("withdraw")), LILEI),
    "handover.was_not_answered": (silent, OWNER),
}
