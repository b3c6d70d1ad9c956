"""The stories behind each letter of leaving, of a new address and of a new name."""

from __future__ import annotations

from engine.cases.submissions import correct_for_member, send_form_link, submit_on_behalf
from engine.declare.roles import Proof
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, House
from tests.mailers.golden_steps import Stories, Story, press, send, then, wait

NEW = "lilei@163.com"


def member(house: House) -> None:
    house.add(LILEI, "李雷")


def with_admin(house: House) -> None:
    member(house)
    house.add(ADMIN, "周敏", role="admin")


def handed_in(workflow: str, **answers: object) -> Story:
    return lambda house: house.hand_in(LILEI, workflow, answers)


def by_an_ordinary_link(workflow: str, **answers: object) -> Story:
    return lambda house: house.hand_in(LILEI, workflow, answers, proof=Proof.NONE)


def by_the_owner(workflow: str, **answers: object) -> Story:
    """Li Lei asked by telephone; the owner hands it in for him."""

    def told(house: House) -> None:
        owner, lilei = house.person(OWNER).id, house.person(LILEI).id
        house.db.write(
            submit_on_behalf,
            house.club_id,
            workflow,
            owner,
            lilei,
            answers,
            form_id="f",
            now=house.now,
        )

    return told


def form_link(house: House) -> None:
    member(house)
    house.db.write(
        send_form_link,
        house.club_id,
        "departure",
        LILEI,
        request_id="r",
        now=house.now,
        limited=False,
    )


def others(house: House) -> None:
    house.add(MEIMEI, "韩梅梅")


asked = then(member, handed_in("new_address", email=NEW))
taken = then(
    member, others, handed_in("new_address", email=MEIMEI), press(LILEI, "confirm", "new_address")
)
moved = then(asked, press(LILEI, "confirm", "new_address"))


def corrected(house: House) -> None:
    """The owner enters the address that Li Lei told him."""
    member(house)
    owner, lilei = house.person(OWNER).id, house.person(LILEI).id
    house.db.write(
        correct_for_member,
        house.club_id,
        "new_address",
        "correct",
        owner,
        lilei,
        {"email": NEW},
        why="李雷来电话说，邮箱写错了一个字。",
        form_id="f",
        now=house.now,
    )


STORIES: Stories = {
    "departure.farewell+kept": (then(member, handed_in("departure", why="", erase=False)), LILEI),
    "departure.farewell+erased": (then(member, handed_in("departure", why="", erase=True)), LILEI),
    "departure.remove_from_group": (
        then(member, handed_in("departure", why="", erase=False)),
        OWNER,
    ),
    "departure.remove_from_group+to_admin": (
        then(with_admin, handed_in("departure", why="要去支教一年，没有网。", erase=True)),
        ADMIN,
    ),
    "departure.farewell+by_the_owner": (
        then(member, by_the_owner("departure", why="", erase=True)),
        LILEI,
    ),
    "departure.remove_from_group+by_the_owner": (
        then(with_admin, by_the_owner("departure", why="电话里说，工作太忙。", erase=False)),
        ADMIN,
    ),
    "departure.please_confirm": (
        then(member, by_an_ordinary_link("departure", why="", erase=False)),
        LILEI,
    ),
    "departure.please_confirm+erased": (
        then(member, by_an_ordinary_link("departure", why="", erase=True)),
        LILEI,
    ),
    "new_address.please_confirm": (
        then(member, by_an_ordinary_link("new_address", email=NEW)),
        LILEI,
    ),
    "departure.your_link+fresh": (form_link, LILEI),
    "new_address.confirm_new_address": (asked, NEW),
    "new_address.address_changed": (moved, NEW),
    "new_address.address_was_changed": (moved, LILEI),
    "new_address.address_changed+corrected": (corrected, NEW),
    "new_address.address_was_changed+corrected": (corrected, LILEI),
    "new_address.address_taken": (taken, LILEI),
    "new_address.address_kept": (then(asked, send, wait(days=4)), LILEI),
    "new_name.renamed": (then(member, handed_in("new_name", name="李雷", city="北京")), LILEI),
    "new_name.renamed+by_the_owner": (
        then(member, by_the_owner("new_name", name="李雷", city="北京")),
        LILEI,
    ),
    "new_name.rename_in_group": (
        then(member, handed_in("new_name", name="李雷", city="北京")),
        OWNER,
    ),
    "new_name.rename_in_group+to_admin": (
        then(with_admin, handed_in("new_name", name="李磊", city="武汉")),
        ADMIN,
    ),
}
