"""The stories behind each letter of a nomination."""

from __future__ import annotations

from functools import partial

from engine.cases.submissions import send_form_link
from tests.club import LILEI, MEIMEI, OWNER, House
from tests.mailers.golden_steps import Stories, Story, press, send, then, wait

WHY = {"why": "我每天都在，也愿意帮新人。", "plan": "每周更新书架。\n每月写一份小结。"}
VOTERS = (MEIMEI, "wangwu@qq.com", "zhaoliu@qq.com", "sunqi@qq.com")

owner, lilei = (
    partial(press, OWNER, workflow="nomination"),
    partial(press, LILEI, workflow="nomination"),
)


def club_of_six(house: House) -> None:
    house.add(LILEI, "李雷")
    for address, name in zip(VOTERS, ("韩梅梅", "王五", "赵六", "孙七"), strict=True):
        house.add(address, name)


def nominated(house: House) -> None:
    club_of_six(house)
    house.hand_in(LILEI, "nomination", WHY)


returned = then(nominated, owner("return", note="书架怎么更新？请写具体。"))
voting = then(nominated, owner("approve", note="我很高兴。"))


def votes(*choices: str) -> Story:
    """Four may vote, so two have to."""

    def told(house: House) -> None:
        voting(house)
        house.deliver()
        for voter, choice in zip(VOTERS, choices, strict=False):
            house.vote(voter, choice)
        house.tick(days=3, hours=15)

    return told


elected = votes("yes", "yes", "yes", "no")


def of_the_owner(house: House) -> None:
    """Somebody who became the owner meanwhile: nobody is there to decide."""
    club_of_six(house)
    house.open(OWNER, "nomination", answers=WHY)


def form_link(house: House) -> None:
    club_of_six(house)
    house.db.write(
        send_form_link,
        house.club_id,
        "nomination",
        LILEI,
        request_id="r",
        now=house.now,
        limited=False,
    )


STORIES: Stories = {
    "nomination.please_decide": (nominated, OWNER),
    "nomination.please_decide+resubmitted": (
        then(
            returned,
            lilei("resubmit", answers={"plan": "每周日更新书架，五本。\n每月写一份小结。"}),
        ),
        OWNER,
    ),
    "nomination.please_decide+undone": (then(voting, owner("undo")), OWNER),
    "nomination.please_revise": (returned, LILEI),
    "nomination.revise_soon": (then(returned, send, wait(days=2, hours=15)), LILEI),
    "nomination.vote_begun": (voting, LILEI),
    "nomination.vote_begun+granted": (of_the_owner, OWNER),
    "nomination.please_vote": (voting, MEIMEI),
    "nomination.please_vote+granted": (of_the_owner, MEIMEI),
    "nomination.vote_soon": (then(voting, send, wait(days=2, hours=15)), MEIMEI),
    "nomination.elected+candidate": (elected, LILEI),
    "nomination.elected+member": (elected, MEIMEI),
    "nomination.elected+owner": (elected, OWNER),
    "nomination.not_elected+tie": (votes("yes", "no"), MEIMEI),
    "nomination.not_elected+tie_candidate": (votes("yes", "no"), LILEI),
    "nomination.not_elected+rejected": (votes("yes", "no", "no"), MEIMEI),
    "nomination.not_elected+rejected_candidate": (votes("yes", "no", "no"), LILEI),
    "nomination.not_elected+too_few": (votes("yes"), MEIMEI),
    "nomination.not_elected+too_few_candidate": (votes("yes"), LILEI),
    "nomination.declined": (then(nominated, owner("decline", note="请先带一次讨论。")), LILEI),
    "nomination.lapsed": (then(nominated, send, wait(days=9)), LILEI),
    "nomination.lapsed_undecided": (then(nominated, send, wait(days=9)), OWNER),
    "nomination.withdrawn+review": (then(nominated, lilei("withdraw")), LILEI),
    "nomination.withdrawn+vote": (then(voting, lilei("withdraw")), LILEI),
    "nomination.withdrawn+returned": (then(returned, send, wait(days=4)), LILEI),
    "nomination.was_withdrawn+review": (then(nominated, lilei("withdraw")), OWNER),
    "nomination.was_withdrawn+vote": (then(voting, lilei("withdraw")), OWNER),
    "nomination.was_withdrawn+returned": (then(returned, send, wait(days=4)), OWNER),
    "nomination.taken_back+candidate": (then(voting, send, owner("undo")), LILEI),
    "nomination.taken_back+elector": (then(voting, send, owner("undo")), MEIMEI),
    "nomination.taken_back+declined": (
        then(nominated, owner("decline", note="不了。"), owner("undo")),
        LILEI,
    ),
    "nomination.stepped_down": (
        then(elected, lilei("step_down", note="明年要考研，时间不够了。")),
        OWNER,
    ),
    "nomination.dismissed": (then(elected, owner("dismiss", note="两个月没有更新书架。")), LILEI),
    "nomination.your_link+form": (form_link, LILEI),
}
