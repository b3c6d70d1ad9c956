"""The stories behind each letter of the whole club: daily letter, receipt, sign-in link."""

from __future__ import annotations

from datetime import timedelta

from engine.cases.submissions import send_page, send_sign_in
from engine.cases.transitions import act
from engine.declare.transition import Actor
from engine.scheduler.pause import pause, resume
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, PLAN, TAKEN, UNKNOWN, House
from tests.mailers.golden_nomination import WHY
from tests.mailers.golden_reflection import READ
from tests.mailers.golden_steps import Stories, confirmed, joined, overdue, press, then, wait
from tests.mailers.golden_study_plan import proposed


def a_day_of_much(house: House) -> None:
    """One thing of every kind for the daily letter: waiting, late, undelivered, at a standstill."""
    house.apply("lost@qq.com", "form-3", name="王五")
    house.join("lost@qq.com", "form-3")
    house.deliver(lambda frozen: UNKNOWN if frozen.recipient == "lost@qq.com" else TAKEN)
    overdue(house)
    house.apply(MEIMEI, "form-2", name="韩梅梅", city="荆州", about="我爱读小说。" * 40)
    house.press(MEIMEI, "confirm", MEIMEI)
    house.deliver()
    house.now += timedelta(hours=8, minutes=30)
    house.tick()


def two_decisions(house: House) -> None:
    confirmed(house)
    house.apply(MEIMEI, "form-2", name="韩梅梅", city="荆州")
    house.press(MEIMEI, "confirm", MEIMEI)
    house.press(OWNER, "approve")
    house.press(OWNER, "decline", MEIMEI, note="请先来听两次讨论。")
    house.tick(minutes=11)


def waits_in_the_morning(house: House) -> None:
    confirmed(house)
    house.tick(days=1)


def two_reflections(house: House) -> None:
    """They come in the daily letter only, each with its start."""
    house.add(LILEI, "李雷")
    house.add(MEIMEI, "韩梅梅")
    house.tick(days=6)
    house.press(LILEI, "submit", workflow="reflection", answers=READ)
    house.press(
        MEIMEI,
        "submit",
        MEIMEI,
        "reflection",
        answers=READ | {"reflection": "顺顺的善良，叫人难过。"},
    )
    house.tick(days=1)


def a_long_list(house: House) -> None:
    """Plans, reflections and a proposal of removal; some of it is new this morning."""
    proposed(house)
    for number, name in enumerate(("王芳", "赵磊", "孙倩"), start=1):
        house.add(f"m{number}@qq.com", name)
        house.open(f"m{number}@qq.com", "study_plan")
        house.press(f"m{number}@qq.com", "submit", f"m{number}@qq.com", "study_plan", answers=PLAN)
    house.tick(days=6)
    for number in (1, 2, 3):
        house.press(f"m{number}@qq.com", "submit", f"m{number}@qq.com", "reflection", answers=READ)
    house.tick(hours=23)


def one_decision(house: House) -> None:
    confirmed(house)
    house.press(OWNER, "approve")
    house.tick(minutes=11)


def decisions_of_all_kinds(house: House) -> None:
    house.add(ADMIN, "周敏", role="admin")
    house.open(ADMIN, "nomination", answers=WHY)
    proposed(house)
    for action in ("excuse", "undo", "remove", "readmit"):
        house.press(OWNER, action, workflow="study_plan", note="想好了。")
    house.press(OWNER, "dismiss", ADMIN, "nomination", note="两个月没有更新书架。")
    house.tick(minutes=11)


def done_for_a_member(house: House) -> None:
    """The owner hands in the plan that somebody read out on the telephone."""
    joined(house)
    plan, owner = house.case(LILEI, "study_plan").id, house.person(OWNER).id

    def unit(session: ClubSession) -> None:
        case = session.get_one(Case, (house.club_id, plan))
        hand = Actor(session.get_one(Person, (house.club_id, owner)), "page", case.person)
        act(session, case, "submit", by=hand, now=house.now, answers=PLAN)

    house.write(unit)
    house.tick(hours=1)


def imported(house: House) -> None:
    house.bring(f"姓名,邮箱,城市\n李雷,{LILEI},武汉\n")


def an_admin_imported(house: House) -> None:
    house.bring(f"姓名,邮箱,城市,角色\n周敏,{ADMIN},南京,管理员\n")


def imported_again(house: House) -> None:
    """Somebody who acknowledged the charter, left, and is on the owner's list."""
    joined(house)
    left = house.person(LILEI).id
    house.write(
        lambda session: setattr(
            session.get_one(Person, (house.club_id, left)), "status", "departed"
        )
    )
    imported(house)


def paused(house: House) -> None:
    """Lǐ Léi owes his plan when the holidays begin."""
    joined(house)
    house.db.write(pause, house.club_id, house.now)


def paused_until(house: House) -> None:
    joined(house)
    house.db.write(pause, house.club_id, house.now, house.now + timedelta(days=14))


def resumed(house: House) -> None:
    paused(house)
    house.now += timedelta(days=10)
    house.db.write(resume, house.club_id, house.now)


def paused_with_nothing_open(house: House) -> None:
    house.add(LILEI, "李雷")
    house.db.write(pause, house.club_id, house.now)


def resumed_with_nothing_open(house: House) -> None:
    paused_with_nothing_open(house)
    house.now += timedelta(days=2)
    house.db.write(resume, house.club_id, house.now)


def page_sent(house: House) -> None:
    house.add(LILEI, "李雷")
    house.db.write(
        send_page,
        house.club_id,
        house.person(LILEI).id,
        by=house.person(OWNER).id,
        request_id="r",
        now=house.now,
    )


STORIES: Stories = {
    "club.paused": (paused, LILEI),
    "club.paused+until": (paused_until, LILEI),
    "club.resumed": (resumed, LILEI),
    "club.paused+nothing_open": (paused_with_nothing_open, LILEI),
    "club.resumed+nothing_open": (resumed_with_nothing_open, LILEI),
    "club.your_page": (page_sent, LILEI),
    "club.imported": (imported, LILEI),
    "club.imported+admin": (an_admin_imported, ADMIN),
    "club.imported+acknowledged": (imported_again, LILEI),
    "club.daily+waiting": (waits_in_the_morning, OWNER),
    "club.daily+much": (a_day_of_much, OWNER),
    "club.daily+several": (two_reflections, OWNER),
    "club.daily+long": (a_long_list, OWNER),
    "club.receipt+one": (one_decision, OWNER),
    "club.receipt+too_late": (then(one_decision, wait(days=1)), OWNER),
    "club.receipt+removed": (
        then(
            proposed,
            press(OWNER, "remove", "study_plan", note="两次都没有收到。"),
            wait(minutes=11),
        ),
        OWNER,
    ),
    "club.receipt+extended": (
        then(proposed, press(OWNER, "extend", "study_plan", days=5), wait(minutes=11)),
        OWNER,
    ),
    "club.receipt+all_kinds": (decisions_of_all_kinds, OWNER),
    "club.receipt+for_a_member": (done_for_a_member, OWNER),
    "club.receipt": (two_decisions, OWNER),
    "club.sign_in": (
        lambda house: house.db.write(
            send_sign_in, house.club_id, OWNER, request_id="r", now=house.now, limited=False
        ),
        OWNER,
    ),
}
