"""The stories behind each letter of joining."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from engine.club.authority import set_absence
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, House
from tests.mailers.golden_steps import Stories, confirmed, joined, press, send, then, wait
from tests.mailers.golden_study_plan import proposed

owner, lilei = partial(press, OWNER, workflow="join"), partial(press, LILEI, workflow="join")


def applied(house: House) -> None:
    house.apply()


def returned(house: House) -> None:
    confirmed(house)
    house.press(OWNER, "return", note="请写写最近读过的一本书。")


def removed_and_back(house: House) -> None:
    proposed(house)
    house.press(OWNER, "remove", workflow="study_plan", note="两次都没有收到。")
    house.now += timedelta(days=30)
    house.apply(form="form-2", about="这次想好了。")
    house.press(LILEI, "confirm")


def joined_with_admin(house: House) -> None:
    house.add(ADMIN, "周敏", role="admin")
    joined(house)


def joined_with_admins(house: House) -> None:
    house.add(MEIMEI, "韩梅梅", role="admin")
    joined_with_admin(house)


def while_the_owner_travels(house: House) -> None:
    house.add(ADMIN, "周敏", role="admin")
    house.write(set_absence, house.club_id, house.person(OWNER).id, house.now + timedelta(days=5))
    confirmed(house)


STORIES: Stories = {
    "join.confirm_address": (applied, LILEI),
    "join.please_decide": (confirmed, OWNER),
    "join.please_decide+resubmitted": (
        then(
            returned,
            lambda house: house.press(
                LILEI, "resubmit", answers={"about": "想认真读书。最近读了《边城》。"}
            ),
        ),
        OWNER,
    ),
    "join.please_decide+to_deputy": (while_the_owner_travels, ADMIN),
    "join.please_decide+undone": (then(joined, owner("undo")), OWNER),
    "join.please_decide+removed_before": (removed_and_back, OWNER),
    "join.please_revise": (returned, LILEI),
    "join.revise_soon": (then(returned, send, wait(days=2, hours=15)), LILEI),
    "join.welcome": (joined, LILEI),
    "join.declined": (then(confirmed, owner("decline", note="请先来听两次讨论。")), LILEI),
    "join.lapsed+undecided": (then(confirmed, wait(days=9)), LILEI),
    "join.lapsed+returned": (then(returned, send, wait(days=4)), LILEI),
    "join.lapsed_undecided+undecided": (then(confirmed, wait(days=9)), OWNER),
    "join.lapsed_undecided+returned": (then(returned, send, wait(days=4)), OWNER),
    "join.withdrawn": (then(confirmed, lilei("withdraw")), LILEI),
    "join.was_withdrawn": (then(confirmed, lilei("withdraw")), OWNER),
    "join.taken_back+approved": (then(joined, owner("undo")), LILEI),
    "join.taken_back+declined": (
        then(confirmed, owner("decline", note="不了。"), owner("undo")),
        LILEI,
    ),
    "join.taken_back+returned": (then(returned, owner("undo")), LILEI),
    "join.taken_back+to_admin": (then(joined_with_admin, owner("undo")), ADMIN),
    "join.add_to_group": (joined, OWNER),
    "join.add_to_group+to_admin": (joined_with_admin, ADMIN),
    "join.add_to_group+several_admins": (joined_with_admins, ADMIN),
    "join.already_member": (then(joined, lambda house: house.apply(form="form-2")), LILEI),
    "join.already_waiting": (then(confirmed, lambda house: house.apply(form="form-2")), LILEI),
}
