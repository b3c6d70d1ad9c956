"""The stories behind each letter of the study plan."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from engine.cases.submissions import send_form_link
from tests.club import LILEI, OWNER, PLAN, House
from tests.mailers.golden_steps import (
    Stories,
    Story,
    handed_in,
    joined,
    overdue,
    press,
    send,
    then,
    wait,
)

owner, lilei = (
    partial(press, OWNER, workflow="study_plan"),
    partial(press, LILEI, workflow="study_plan"),
)


def plan_returned(house: House) -> None:
    handed_in(house)
    house.press(OWNER, "return", workflow="study_plan", note="每周写什么？请写具体。")


def proposed(house: House) -> None:
    overdue(house)
    house.deliver()
    house.now += timedelta(hours=8)
    house.deliver()
    house.tick(days=3)


CHANGED = {"goals": "读完二十本史书。", "plan": "每天早上读一小时。每周日写一篇八百字的笔记。"}
SAME_PLAN = then(plan_returned, lilei("resubmit", answers=CHANGED))


def ask_link(with_case: bool) -> Story:
    def told(house: House) -> None:
        joined(house)
        if not with_case:
            house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
            house.press(OWNER, "approve", workflow="study_plan")
        house.db.write(
            send_form_link,
            house.club_id,
            "study_plan",
            LILEI,
            request_id="r",
            now=house.now,
            limited=False,
        )

    return told


def of_the_owner(house: House) -> None:
    """Somebody who became the owner meanwhile: nobody is there to decide."""
    house.open(OWNER, "study_plan")
    house.press(OWNER, "submit", OWNER, "study_plan", answers=PLAN)


removed = then(proposed, owner("remove", note="两次都没有收到。"))
back = then(removed, owner("readmit", note="好久不见，回来就好。"))

STORIES: Stories = {
    "study_plan.please_write": (joined, LILEI),
    "study_plan.due_soon": (then(joined, send, wait(days=2, hours=22)), LILEI),
    "study_plan.second_chance+nothing": (overdue, LILEI),
    "study_plan.second_chance+declined": (
        then(handed_in, wait(days=4), owner("decline", note="这像是抄来的，请写你自己的。")),
        LILEI,
    ),
    "study_plan.second_chance+returned": (then(plan_returned, send, wait(days=4)), LILEI),
    "study_plan.second_chance+extended": (
        then(proposed, owner("extend", days=5, note="考完试再写。")),
        LILEI,
    ),
    "study_plan.second_chance+longer": (
        then(overdue, owner("extend", days=3, note="下周考试，慢慢来。")),
        LILEI,
    ),
    "study_plan.second_chance+moved": (then(overdue, wait(days=2, hours=9)), LILEI),
    "study_plan.due_soon+last": (then(joined, send, wait(days=3, hours=11, minutes=1)), LILEI),
    "study_plan.let_off": (then(overdue, owner("excuse", note="家里有事，先照顾好家人。")), LILEI),
    "study_plan.last_call": (
        then(
            overdue,
            lambda house: setattr(house, "now", house.now + timedelta(hours=8)),
            send,
            wait(days=1, hours=16),
        ),
        LILEI,
    ),
    "study_plan.last_call+returned": (
        then(plan_returned, send, wait(days=4), send, wait(days=1, hours=16)),
        LILEI,
    ),
    "study_plan.please_decide": (handed_in, OWNER),
    "study_plan.please_decide+resubmitted": (SAME_PLAN, OWNER),
    "study_plan.please_revise": (plan_returned, LILEI),
    "study_plan.revise_soon": (then(plan_returned, send, wait(days=2, hours=15)), LILEI),
    "study_plan.plan_accepted": (then(handed_in, owner("approve", note="写得真好。")), LILEI),
    "study_plan.plan_accepted+granted": (of_the_owner, OWNER),
    "study_plan.remove_from_group": (removed, OWNER),
    "study_plan.readmitted": (back, LILEI),
    "study_plan.add_to_group": (back, OWNER),
    "study_plan.counts_as_sent": (then(handed_in, wait(days=8)), LILEI),
    "study_plan.not_looked_at": (then(handed_in, wait(days=8)), OWNER),
    "study_plan.please_decide_removal+nothing": (proposed, OWNER),
    "study_plan.please_decide_removal+declined": (
        then(
            overdue,
            lilei("submit", answers=PLAN),
            wait(days=3),
            owner("decline", note="还是抄来的。"),
        ),
        OWNER,
    ),
    "study_plan.please_decide_removal+returned": (
        then(
            overdue,
            lilei("submit", answers=PLAN),
            owner("return", note="请再具体一点。"),
            send,
            wait(days=4),
        ),
        OWNER,
    ),
    "study_plan.please_decide_removal+undone": (
        then(proposed, owner("excuse"), owner("undo")),
        OWNER,
    ),
    "study_plan.removal_proposed": (proposed, LILEI),
    "study_plan.person_answered": (
        then(proposed, lilei("answer", note="我住院了，下周补上。")),
        OWNER,
    ),
    "study_plan.removed": (removed, LILEI),
    "study_plan.excused": (then(proposed, owner("excuse", note="好好养病。")), LILEI),
    "study_plan.not_pursued": (then(proposed, wait(days=16)), LILEI),
    "study_plan.removal_not_pursued": (then(proposed, wait(days=16)), OWNER),
    "study_plan.removal_proposed+undone": (
        then(proposed, send, owner("excuse"), owner("undo")),
        LILEI,
    ),
    "study_plan.removal_proposed+not_extended": (
        then(proposed, send, owner("extend", days=5), owner("undo")),
        LILEI,
    ),
    "study_plan.second_chance+undone": (then(overdue, owner("excuse"), owner("undo")), LILEI),
    "study_plan.second_chance+not_extended": (
        then(overdue, owner("extend", days=3), owner("undo")),
        LILEI,
    ),
    "study_plan.taken_back": (
        then(handed_in, owner("return", note="请再具体一点。"), owner("undo")),
        LILEI,
    ),
    "study_plan.your_link+with_case": (ask_link(True), LILEI),
    "study_plan.your_link+without_case": (ask_link(False), LILEI),
}
