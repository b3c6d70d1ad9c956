"""The study plan (clauses 3.1, 3.2), told end to end through HTTP and SMTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.charter.model import shipped_charter
from engine.setup.club_admin import apply_charter
from engine.storage.models import Case, Person
from tests.world import World
from web.app.background import Ticker

PLAN = {"goals": "讲得出二十本书。", "plan": "每周一本，周六交笔记。"}


def plan_case(world: World) -> Case:
    [case] = world.rows(select(Case).where(Case.workflow == "study_plan"))
    return case


def let_everything_pass(world: World) -> None:
    """Somebody joins and hands in nothing, until their removal is proposed."""
    world.join()
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))


def test_a_plan_is_owed_written_accepted(world: World) -> None:
    world.join()
    please = world.mail("study_plan.please_write")
    assert "12月3日（周四）23:59（北京时间）" in please.text  # Monday + 3 days, 24:00
    page = world.open(please)
    page.press("submit", **PLAN)
    decide = world.mail("study_plan.please_decide")
    assert PLAN["plan"] in decide.text
    world.new_mails()
    world.open(decide).press("approve", note="很实在")
    assert world.new_letters() == [("study_plan.plan_accepted", "lilei@qq.com")]
    assert "很实在" in world.mail("study_plan.plan_accepted").text
    assert plan_case(world).state == "accepted"


@pytest.mark.postgres
def test_nobody_writes_so_it_is_reminded_overdue_reminded_and_proposed(world: World) -> None:
    world.join()
    world.new_mails()
    world.live_until(world.now + timedelta(days=8))
    ladder = [
        (mail.letter, mail.to) for mail in world.mails if mail.letter.startswith("study_plan.")
    ]
    assert ladder == [
        ("study_plan.please_write", "lilei@qq.com"),
        ("study_plan.due_soon", "lilei@qq.com"),
        ("study_plan.due_soon", "lilei@qq.com"),
        ("study_plan.second_chance", "lilei@qq.com"),
        ("study_plan.last_call", "lilei@qq.com"),
        ("study_plan.please_decide_removal", "owner@qq.com"),
        ("study_plan.removal_proposed", "lilei@qq.com"),
    ]
    assert plan_case(world).state == "removal_proposed"
    assert world.rows(select(Person.status).where(Person.role == "member")) == [
        "member"
    ]  # proposed, not executed


def test_letters_of_the_clock_wait_for_the_morning(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=4))
    by_letter = {row["letter"]: row["at"] for row in world.ledger(state="sent")}
    assert (
        by_letter["study_plan.second_chance"][:16] == "2026-12-03T23:30"
    )  # overdue at 24:00, read at 7:30


def test_the_owner_removes_with_a_reason_and_the_links_die(world: World) -> None:
    world.join()
    member_link = world.mail("study_plan.please_write")
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))
    proposal = world.mail("study_plan.please_decide_removal")
    assert sorted(world.open(proposal).actions) == ["excuse", "extend", "remove"]
    assert world.open(proposal).press("remove").status == 422
    world.open(proposal).press("remove", note="两次都没有交")
    assert "两次都没有交" in world.mail("study_plan.removed").text
    assert world.rows(select(Person.status).where(Person.role == "member")) == ["removed"]
    assert world.open(member_link).status == 410
    assert world.open(proposal).actions == ["readmit"]  # a removal has no undo


@pytest.mark.postgres
def test_the_owner_extends_and_the_member_hands_in_after_all(world: World) -> None:
    let_everything_pass(world)
    proposal = world.mail("study_plan.please_decide_removal")
    assert world.open(proposal).press("extend").status == 422  # for how many days?
    world.open(proposal).press("extend", days="5")
    assert plan_case(world).state == "overdue"
    chance = world.mail("study_plan.second_chance")
    assert "12月13日（周日）23:59" in chance.text
    world.open(chance).press("submit", **PLAN)
    world.live_until(world.now + timedelta(days=3), step=timedelta(hours=6))
    world.open(world.mail("study_plan.please_decide")).press("approve")
    assert plan_case(world).state == "accepted"


def test_the_owner_excuses(world: World) -> None:
    let_everything_pass(world)
    world.open(world.mail("study_plan.please_decide_removal")).press("excuse", note="病假")
    assert world.mail("study_plan.excused").to == "lilei@qq.com"
    assert plan_case(world).state == "excused"


def test_the_member_may_answer_or_hand_in_while_a_removal_is_proposed(world: World) -> None:
    let_everything_pass(world)
    mine = world.mail("study_plan.removal_proposed")
    world.open(mine).press("answer", note="这周一直在住院")
    answered = world.mail("study_plan.person_answered")
    assert answered.to == "owner@qq.com" and "这周一直在住院" in answered.text
    assert plan_case(world).state == "removal_proposed"
    world.open(mine).press("submit", **PLAN)
    assert plan_case(world).state == "review"


def test_a_proposal_that_nobody_decides_is_not_pursued(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=24), step=timedelta(hours=6))
    assert plan_case(world).state == "not_pursued"
    assert world.mail("study_plan.not_pursued").to == "lilei@qq.com"
    assert world.mail("study_plan.removal_not_pursued").to == "owner@qq.com"


def test_declined_gives_the_second_chance_once_then_the_proposal(world: World) -> None:
    world.join()
    link = world.mail("study_plan.please_write")
    world.open(link).press("submit", **PLAN)
    world.live_until(world.now + timedelta(days=4), step=timedelta(hours=6))  # past the due time
    world.open(world.mail("study_plan.please_decide")).press("decline", note="太空泛")
    chance = world.mail("study_plan.second_chance")
    assert "太空泛" in chance.text and plan_case(world).state == "overdue"
    world.open(chance).press("submit", **PLAN)
    world.live_until(world.now + timedelta(days=3), step=timedelta(hours=6))
    world.open(world.mail("study_plan.please_decide")).press("decline", note="还是一样")
    assert plan_case(world).state == "removal_proposed"


def test_handed_in_but_not_read_counts_as_handed_in(world: World) -> None:
    world.join()
    world.open(world.mail("study_plan.please_write")).press("submit", **PLAN)
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))
    assert plan_case(world).state == "unread"
    assert world.mail("study_plan.counts_as_sent").to == "lilei@qq.com"
    assert world.mail("study_plan.not_looked_at").to == "owner@qq.com"


def test_reminded_nobody_who_was_done(world: World) -> None:
    world.join()
    world.open(world.mail("study_plan.please_write")).press("submit", **PLAN)
    world.open(world.mail("study_plan.please_decide")).press("approve")
    world.live_until(world.now + timedelta(days=10), step=timedelta(hours=6))
    letters = [mail.letter for mail in world.mails if mail.letter.startswith("study_plan.")]
    assert letters == [
        "study_plan.please_write",
        "study_plan.please_decide",
        "study_plan.plan_accepted",
    ]


def test_with_the_mail_server_down_nobody_is_moved_against(world: World) -> None:
    world.join()
    world.new_mails()
    world.sink.replies["RCPT"] = "451 later"
    world.live_until(world.now + timedelta(days=6), step=timedelta(hours=3))
    before = len(world.sink.mails)
    assert (
        plan_case(world).state == "overdue"
    )  # the first ask had left; the second never did, so nothing follows from it
    world.sink.replies.clear()
    world.live_until(world.now + timedelta(days=1), step=timedelta(hours=1))
    came = [mail for mail in world.mails[before:] if mail.letter == "study_plan.second_chance"]
    assert len(came) == 1
    assert "12月8日（周二）23:59" in came[0].text
    assert plan_case(world).due_at == datetime(2026, 12, 8, 16, tzinfo=UTC)


def test_the_member_s_own_page_and_calendar_show_what_is_due(world: World) -> None:
    welcome = world.join()
    page = world.browser().get(welcome.link("/me/"))
    assert "学习计划" in page.text
    feed = world.browser().get(welcome.link("calendar.ics")).response
    assert feed.headers["Content-Type"].startswith("text/calendar")
    assert (
        "DTSTART:20261203T155900Z" in feed.text
    )  # Thursday 23:59 in Shanghai, as the letter says it
    assert "DTEND:20261203T160000Z" in feed.text


def test_the_form_page_mails_the_personal_link_and_tells_strangers_nothing(world: World) -> None:
    world.join()
    world.new_mails()
    answers = []
    for address in ("lilei@qq.com", "stranger@qq.com"):
        page = world.browser().get("/jiuniu/study-plan")
        answers.append(world.press_as_a_person(page, email=address))
    assert (answers[0].status, answers[0].text) == (answers[1].status, answers[1].text)
    assert world.new_letters() == [("study_plan.your_link", "lilei@qq.com")]
    world.open(world.mail("study_plan.your_link")).press("submit", **PLAN)
    assert plan_case(world).state == "review"


def test_the_history_says_who_did_what(world: World) -> None:
    world.join()
    world.open(world.mail("study_plan.please_write")).press("submit", **PLAN)
    page = world.open(world.mail("study_plan.please_decide")).press("approve")
    assert [line.text for line in page.soup.select(".history-line")] == [
        "入会申请通过，请新成员写学习计划",
        "李雷提交了学习计划",
        "陈老师通过了学习计划",
    ]
    assert page.soup.select_one(".notice-done strong").text == "已记下：陈老师通过了学习计划。"
    english = page.browser.get(
        f"{page.response.url}&lang=en"
        if "?" in page.response.url
        else f"{page.response.url}?lang=en"
    )
    assert [line.text for line in english.soup.select(".history-line")] == [
        "After the approval the study plan began",
        "李雷 handed in the study plan",
        "陈老师 approved the study plan",
    ]


def test_a_refusal_and_a_return_can_be_taken_back(world: World) -> None:
    world.join()
    world.open(world.mail("study_plan.please_write")).press("submit", **PLAN)
    for action in ("return", "decline"):
        please = world.mail("study_plan.please_decide")
        world.open(please).press(action, note="手滑")
        assert plan_case(world).state == "returned"  # declined early, too: their time is not over
        assert world.open(please).actions == ["undo"]
        world.open(please).press("undo")
        assert plan_case(world).state == "review"
    assert world.mail("study_plan.taken_back").to == "lilei@qq.com"
    world.open(world.mail("study_plan.please_decide")).press("decline", note="仍不通过")
    assert plan_case(world).state == "returned"


def test_nobody_presses_the_clock_s_moves(world: World) -> None:
    world.join()
    page = world.open(world.mail("study_plan.please_write"))
    for action in ("void", "due", "postponed", "decided", "open"):
        answer = page.browser.post(page.response.url, page.fields("submit") | {"action": action})
        assert answer.status == 403, action
    assert plan_case(world).state == "owed"


def test_of_two_reminders_that_waited_only_the_later_one_leaves(world: World) -> None:
    world.join()
    world.new_mails()
    world.set_clock(
        world.now + timedelta(days=2, hours=14, minutes=30)
    )  # Thursday 00:30: the first reminder waits for the morning
    Ticker(world.service).tick_sweep()
    world.set_clock(
        world.now + timedelta(hours=21)
    )  # Thursday 21:30: the worker was off, the second one is due
    world.tick()
    assert [mail.letter for mail in world.new_mails() if mail.to == "lilei@qq.com"] == [
        "study_plan.due_soon"
    ]
    assert [row["state"] for row in world.ledger(letter="study_plan.due_soon")] == [
        "dropped",
        "sent",
    ]


def test_a_daily_letter_that_comes_due_at_night_waits_for_the_morning(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    world.new_mails()
    world.pass_time(days=1, hours=14, minutes=30)  # Wednesday 00:30: the worker was off all Tuesday
    assert world.new_letters() == []
    world.pass_time(hours=7)
    assert world.new_letters() == [("club.daily", "owner@qq.com")]


def test_a_last_reminder_in_quiet_hours_leaves_before_it_is_too_late(world: World) -> None:
    charter = shipped_charter("zh-CN").plain()
    charter["numbers"]["remind_last"] = "1 hour"
    world.service.db.write(apply_charter, world.club_id, charter, world.now)
    world.join()
    world.set_clock(
        datetime(2026, 12, 3, 15, 5, tzinfo=UTC)
    )  # Thursday 23:05, an hour before the end of the day
    assert ("study_plan.due_soon", "lilei@qq.com") in world.new_letters()


def test_a_club_may_have_its_removals_in_the_daily_letter(world: World) -> None:
    """An owner of a hundred members wants one letter in the morning, not one for each who is late."""
    charter = shipped_charter("zh-CN").plain()
    charter["in_daily_letter"] += ["removal"]
    world.service.db.write(apply_charter, world.club_id, charter, world.now)
    let_everything_pass(world)
    world.live_until(world.now + timedelta(days=1))
    asked = [mail for mail in world.mails if mail.to == "owner@qq.com"]
    assert [mail for mail in asked if mail.letter == "study_plan.please_decide_removal"] == []
    assert world.mail("study_plan.removal_proposed").to == "lilei@qq.com"
    page = world.open(next(url for url in asked[-1].links if "/c/" in url))
    assert (asked[-1].letter, page.actions[-1]) == ("club.daily", "remove")


@pytest.mark.postgres
def test_an_excuse_is_taken_back_on_the_page_where_it_was_given(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=4), step=timedelta(hours=6))
    due = plan_case(world).due_at
    desk = world.sign_in("owner@qq.com")
    record = desk.get(f"/jiuniu/desk/people/{world.person('lilei@qq.com').id}")
    excused = desk.get(str(record.soup.select_one(".matter-title a")["href"])).press(
        "excuse", note="手滑"
    )  # type: ignore[index]
    assert (plan_case(world).state, excused.actions) == ("let_off", ["undo"])
    undone = excused.press("undo")
    assert (plan_case(world).state, plan_case(world).due_at) == ("overdue", due)
    assert [line.text for line in undone.soup.select(".history-line")][-3:] == [
        "到截止时间没有收到，还可以补交",
        "陈老师同意李雷免交",
        "陈老师撤回了先前的决定",
    ]
    again = world.mail("study_plan.second_chance")
    assert "陈老师撤回了免交的决定" in again.text and again.to == "lilei@qq.com"
    assert "submit" in world.open(again).actions
