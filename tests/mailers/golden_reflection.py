"""The stories behind each letter of the weekly reflection."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy import select

from engine.storage.models import Case, Club
from engine.storage.unit_of_work import ClubSession
from tests.club import ADMIN, LILEI, OWNER, House
from tests.mailers.golden_steps import Stories, press, send, then, wait

READ = {
    "book": "边城",
    "author": "沈从文",
    "share": True,
    "reflection": "翠翠一直在等，等的人也许明天回来。\n我也想学会这样安静地等。",
}
REWORKED = {"reflection": "翠翠一直在等，等的人也许明天回来。\n我在湘西住过一年，渡口真的很安静。"}
BIG = {"book": "《战争与和平》", "author": "托尔斯泰", "big": True}
SATURDAY_EVENING = "2026-12-05T20:00:00+08:00"

owner, lilei = (
    partial(press, OWNER, workflow="reflection"),
    partial(press, LILEI, workflow="reflection"),
)


def reading(house: House) -> None:
    """The calendar opens week 50 on a Sunday; it is ten o'clock now."""
    house.add(LILEI, "李雷")
    house.tick(days=6)
    house.deliver()


def reading_without_a_week(house: House) -> None:
    house.add(LILEI, "李雷")
    house.open(LILEI, "reflection", data={"period_due": SATURDAY_EVENING})


def first_week(house: House) -> Case:
    return house.rows(select(Case).where(Case.key.startswith("2026-W50:")))[0]


submitted = then(reading, lilei("submit", answers=READ))
kept = then(reading, lilei("submit", answers=READ | {"share": False}))
returned = then(submitted, owner("return", note="请再写写你自己的事。"))
declined_early = then(submitted, owner("decline", note="这像是抄来的，请写你自己的。"))
declined = then(
    submitted, wait(days=6, hours=11), owner("decline", note="这像是抄来的，请写你自己的。")
)
overdue = then(reading, wait(days=6, hours=11))  # Saturday, 21:00
proposed = then(overdue, send, wait(days=3))


declined_again = then(
    overdue,
    lilei("submit", answers=READ),
    wait(days=3),
    lambda house: house.press(OWNER, "decline", case=first_week(house), note="还是抄来的。"),
)
proposed_again = then(proposed, owner("extend", days=2), send, wait(days=3))


def no_chance_left(house: House) -> None:
    """The week before took December's second chance."""
    overdue(house)
    house.press(LILEI, "submit", workflow="reflection", answers=READ)
    house.press(OWNER, "approve", workflow="reflection")
    house.tick(hours=13)
    house.press(LILEI, "choose", workflow="reflection", answers={"book": "呐喊"})
    house.deliver()
    house.tick(days=6, hours=11)


def beside_another(house: House) -> None:
    """The study plan's removal is proposed first, two days before the reflection's would be."""
    reading(house)
    house.open(LILEI, "study_plan")
    house.live(until=house.now + timedelta(days=9), hours=6)


def not_opened(house: House) -> None:
    """Nobody swept from Sunday to Saturday evening."""
    house.add(LILEI, "李雷")
    house.tick(days=12, hours=9, minutes=30)


def begun_late(house: House) -> None:
    """The last week's is handed in on Sunday, when the next one has begun for the others."""
    house.now -= timedelta(hours=1)
    reading(house)
    house.live(until=house.now + timedelta(days=7), hours=3)
    house.press(LILEI, "submit", workflow="reflection", answers=READ)


def asked_at_once(house: House) -> None:
    """This club wants its reflections one by one."""

    def unit(session: ClubSession) -> None:
        club = session.get_one(Club, house.club_id)
        club.charter, club.charter_version = (
            {**club.charter, "in_daily_letter": []},
            club.charter_version + 1,
        )

    house.write(unit)


def of_the_owner(house: House) -> None:
    house.open(OWNER, "reflection", data={"period": "2026-W49", "period_due": SATURDAY_EVENING})
    house.press(OWNER, "submit", OWNER, "reflection", answers=READ)


def of_an_admin_removed(house: House) -> None:
    house.add(ADMIN, "周敏", role="admin")
    proposed(house)
    house.press(OWNER, "remove", workflow="reflection", note="两次都没有收到。")


removed = then(proposed, owner("remove", note="两次都没有收到。"))
back = then(removed, owner("readmit", note="好久不见，回来就好。"))

STORIES: Stories = {
    "reflection.please_read": (reading, LILEI),
    "reflection.please_read+no_week": (reading_without_a_week, LILEI),
    "reflection.not_opened": (not_opened, LILEI),
    "reflection.please_read+late": (begun_late, LILEI),
    "reflection.due_moved": (then(reading, lilei("choose", answers=BIG)), LILEI),
    "reflection.due_soon": (then(reading, wait(days=5, hours=11)), LILEI),
    "reflection.due_soon+last": (then(reading, wait(days=6, hours=7, minutes=1)), LILEI),
    "reflection.due_soon+named": (
        then(reading, lilei("choose", answers={"book": "边城"}), wait(days=6, hours=8)),
        LILEI,
    ),
    "reflection.due_soon+big": (
        then(reading, lilei("choose", answers=BIG), send, wait(days=8, hours=11)),
        LILEI,
    ),
    "reflection.second_chance+nothing": (overdue, LILEI),
    "reflection.second_chance+declined": (declined, LILEI),
    "reflection.second_chance+returned": (then(returned, send, wait(days=6, hours=11)), LILEI),
    "reflection.second_chance+declined_early": (
        then(declined_early, send, wait(days=6, hours=11)),
        LILEI,
    ),
    "reflection.second_chance+extended": (
        then(proposed, owner("extend", days=5, note="考完试再写。")),
        LILEI,
    ),
    "reflection.second_chance+no_week": (then(reading_without_a_week, send, wait(days=6)), LILEI),
    "reflection.last_call": (then(overdue, send, wait(days=1, hours=4)), LILEI),
    "reflection.last_call+extended": (
        then(proposed, owner("extend", days=2), send, wait(days=1, hours=15)),
        LILEI,
    ),
    "reflection.last_call+declined": (then(declined, send, wait(days=1, hours=15)), LILEI),
    "reflection.please_decide": (then(asked_at_once, submitted), OWNER),
    "reflection.last_call+returned": (
        then(returned, send, wait(days=6, hours=11), send, wait(days=1, hours=15)),
        LILEI,
    ),
    "reflection.please_decide+resubmitted": (
        then(asked_at_once, returned, lilei("resubmit", answers=REWORKED | {"share": False})),
        OWNER,
    ),
    "reflection.please_decide+unchanged": (
        then(asked_at_once, returned, lilei("resubmit", answers=READ)),
        OWNER,
    ),
    "reflection.please_decide+undone": (
        then(asked_at_once, submitted, owner("approve"), owner("undo")),
        OWNER,
    ),
    "reflection.please_revise": (returned, LILEI),
    "reflection.please_revise+declined": (declined_early, LILEI),
    "reflection.please_revise+again": (
        then(
            returned,
            lilei("resubmit", answers=REWORKED),
            owner("return", note="快好了，再短一点。"),
        ),
        LILEI,
    ),
    "reflection.revise_soon": (then(returned, send, wait(days=5, hours=12)), LILEI),
    "reflection.revise_soon+declined": (then(declined_early, send, wait(days=5, hours=12)), LILEI),
    "reflection.reflection_accepted+shared": (
        then(submitted, owner("approve", note="写得真好。")),
        LILEI,
    ),
    "reflection.reflection_accepted+kept": (then(kept, owner("approve")), LILEI),
    "reflection.reflection_accepted+granted": (of_the_owner, OWNER),
    "reflection.counts_as_sent": (then(submitted, wait(days=8)), LILEI),
    "reflection.not_looked_at": (then(submitted, wait(days=8)), OWNER),
    "reflection.let_off": (then(reading, owner("excuse", note="安心考试。")), LILEI),
    "reflection.please_decide_removal+nothing": (proposed, OWNER),
    "reflection.please_decide_removal+no_chance": (no_chance_left, OWNER),
    "reflection.please_decide_removal+declined": (declined_again, OWNER),
    "reflection.please_decide_removal+extended": (proposed_again, OWNER),
    "reflection.please_decide_removal+declined_before": (
        then(declined, send, wait(days=4)),
        OWNER,
    ),
    "reflection.please_decide_removal+returned_before": (
        then(returned, send, wait(days=6, hours=11), send, wait(days=4)),
        OWNER,
    ),
    "reflection.removal_proposed": (proposed, LILEI),
    "reflection.removal_proposed+again": (proposed_again, LILEI),
    "reflection.removal_proposed+declined": (declined_again, LILEI),
    "reflection.person_answered": (
        then(proposed, lilei("answer", note="我住院了，下周补上。")),
        OWNER,
    ),
    "reflection.removed": (removed, LILEI),
    "reflection.remove_from_group": (removed, OWNER),
    "reflection.remove_from_group+to_admin": (of_an_admin_removed, ADMIN),
    "reflection.readmitted": (back, LILEI),
    "reflection.add_to_group": (back, OWNER),
    "reflection.excused": (then(proposed, owner("excuse", note="好好养病。")), LILEI),
    "reflection.not_pursued": (then(proposed, wait(days=16)), LILEI),
    "reflection.not_pursued+beside_another": (beside_another, LILEI),
    "reflection.removal_not_pursued": (then(proposed, wait(days=16)), OWNER),
    "reflection.removal_not_pursued+beside_another": (beside_another, OWNER),
    "reflection.please_read+undone": (then(reading, owner("excuse"), owner("undo")), LILEI),
    "reflection.due_moved+undone": (
        then(reading, lilei("choose", answers=BIG), owner("excuse"), owner("undo")),
        LILEI,
    ),
    "reflection.second_chance+undone": (then(overdue, owner("excuse"), owner("undo")), LILEI),
    "reflection.taken_back+approved": (then(submitted, owner("approve"), owner("undo")), LILEI),
    "reflection.taken_back+declined": (
        then(submitted, owner("decline", note="不了。"), owner("undo")),
        LILEI,
    ),
}
