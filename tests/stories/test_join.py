"""Joining the club (clauses 2.1 to 2.3), told end to end through HTTP and SMTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.storage.models import Case, Event, Letter, Person
from tests.world import APPLICATION, World
from web.app.background import Ticker


@pytest.mark.postgres
def test_somebody_applies_confirms_is_approved_and_welcomed(world: World) -> None:
    page = world.apply()
    assert page.status == 200 and "邮箱" in page.text
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]

    confirm = world.mail("join.confirm_address")
    assert not any(
        typed in confirm.text for typed in ("李雷", "武汉", "想认真读书")
    )  # nothing that the sender typed
    assert world.open(confirm).press("confirm").status == 200

    assert world.new_letters() == [("join.please_decide", "owner@qq.com")]
    please = world.mail("join.please_decide")
    for typed in ("李雷", "武汉", "学生", "想认真读书。", "历史", "韩梅梅"):
        assert typed in please.text
    assert please.message["Reply-To"].addresses[0].addr_spec == "lilei@qq.com"

    case_page = world.open(please)
    assert case_page.actions == ["approve", "return", "decline"]
    assert case_page.press("approve", note="欢迎你").status == 200

    assert world.new_letters() == [
        ("join.add_to_group", "owner@qq.com"),
        ("join.welcome", "lilei@qq.com"),
        ("study_plan.please_write", "lilei@qq.com"),
    ]
    welcome = world.mail("join.welcome").text
    for said in ("武汉+李雷", "欢迎你", "学习计划", f"{world.base}jiuniu/"):
        assert said in welcome
    [member] = world.rows(select(Person).where(Person.role == "member"))
    assert (member.status, member.display_name, member.charter_version) == (
        "member",
        "武汉+李雷",
        1,
    )


def test_what_is_returned_comes_back_filled_in_and_the_changes_are_marked(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    first = world.mail("join.please_decide")
    assert world.open(first).press("return").status == 422  # a reason is asked for
    world.open(first).press("return", note="请写写你的读书经历")

    revise = world.mail("join.please_revise")
    assert "请写写你的读书经历" in revise.text
    page = world.open(revise)
    assert page.value("about") == "想认真读书。"
    page.press("resubmit", about="想认真读书。去年读完了十二本。")

    again = world.mail("join.please_decide")
    assert again.message["Message-ID"] != first.message["Message-ID"]
    assert again.message["References"] == first.message["References"]
    assert "去年读完了十二本。" in again.text
    old_link = world.open(first)  # the older link opens the new text and can still decide
    [added] = old_link.soup.select("ins")
    assert "去年读完了十二本。" in added.get_text() and "想认真读书。" not in added.get_text()
    assert old_link.press("approve").status == 200
    assert world.mail("join.welcome").to == "lilei@qq.com"


@pytest.mark.postgres
def test_an_address_that_nobody_confirms_is_forgotten_and_erased(world: World) -> None:
    world.apply()
    world.tick()
    world.pass_time(days=4)
    [case] = world.rows(select(Case))
    assert (case.state, case.answers) == ("forgotten", {})
    [person] = world.rows(select(Person).where(Person.role == "member"))
    assert (person.status, person.address, person.address_hash, person.name) == (
        "erased",
        None,
        None,
        "",
    )
    assert [answers for answers in world.rows(select(Event.answers)) if answers] == []
    assert world.rows(select(Letter.bytes).where(Letter.bytes.is_not(None))) == []
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]  # and no word more


def test_without_a_decision_the_daily_letter_reminds_and_the_application_lapses(
    world: World,
) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    world.new_mails()
    world.live_until(world.now + timedelta(days=7, hours=23), step=timedelta(hours=2))
    came = world.new_letters()
    assert came == [("club.daily", "owner@qq.com")] * 7 + [
        ("join.lapsed", "lilei@qq.com"),
        ("join.lapsed_undecided", "owner@qq.com"),
    ]
    assert "李雷" in world.mail("club.daily").text
    assert world.mail("club.daily").link("/c/") is not None


def test_a_decision_can_be_taken_back_within_its_window(world: World) -> None:
    world.join()
    world.new_mails()
    decided = world.open(world.mail("join.please_decide"))
    assert decided.actions == ["undo"]
    decided.press("undo")
    assert world.new_letters() == [
        ("join.please_decide", "owner@qq.com"),
        ("join.taken_back", "lilei@qq.com"),
    ]
    assert sorted((case.workflow, case.state) for case in world.rows(select(Case))) == [
        ("join", "review"),
        ("study_plan", "void"),
    ]
    [person] = world.rows(select(Person).where(Person.role == "member"))
    assert person.status == "applicant"
    world.open(world.mail("join.please_decide")).press("decline", note="这次名额已满")
    assert "这次名额已满" in world.mail("join.declined").text


def test_the_undo_closes_when_the_newcomer_has_acted_or_the_hours_are_over(world: World) -> None:
    world.join()
    please = world.mail("join.please_decide")
    world.open(world.mail("study_plan.please_write")).press("submit", goals="会", plan="写")
    assert world.open(please).actions == []
    world.join(email="b@qq.com", name="乙")
    assert world.open(world.mail("join.please_decide")).actions == ["undo"]
    world.pass_time(hours=25)
    assert world.open(world.mail("join.please_decide")).actions == []


def test_a_stranger_cannot_find_out_who_is_a_member(world: World) -> None:
    world.join()
    world.new_mails()
    known, unknown = world.apply(), world.apply(email="nobody@qq.com")
    assert (known.status, known.text) == (unknown.status, unknown.text)
    assert world.new_letters() == [
        ("join.already_member", "lilei@qq.com"),
        ("join.confirm_address", "nobody@qq.com"),
    ]
    assert "/me/" in world.mail("join.already_member").link("/me/")


def test_applying_again_while_waiting_is_answered_by_mail(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    world.new_mails()
    world.apply(about="又写了一遍")
    assert world.new_letters() == [("join.already_waiting", "lilei@qq.com")]
    assert len(world.rows(select(Case))) == 1


def test_somebody_who_was_removed_may_apply_again_and_the_reviewer_sees_it(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))
    world.open(world.mail("study_plan.please_decide_removal")).press("remove", note="两次都没有交")
    world.new_mails()
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    assert "移出" in world.mail("join.please_decide").text
    world.open(world.mail("join.please_decide")).press("approve")
    assert world.mail("join.welcome").to == "lilei@qq.com"


@pytest.mark.postgres
def test_the_same_form_twice_is_one_case(world: World) -> None:
    browser = world.browser()
    page = browser.get("/jiuniu/join")
    data = page.fields() | APPLICATION | {"form": world.aged_stamp(page.value("form"))}
    for _press in range(2):
        assert browser.post("/jiuniu/join", data).status == 200
    assert world.rows(select(func.count()).select_from(Case)) == [1]
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]


def test_withdrawing_is_told_to_both(world: World) -> None:
    world.apply()
    confirm = world.mail("join.confirm_address")
    world.open(confirm).press("confirm")
    world.new_mails()
    world.open(confirm).press("withdraw")
    assert world.new_letters() == [
        ("join.was_withdrawn", "owner@qq.com"),
        ("join.withdrawn", "lilei@qq.com"),
    ]
    late = world.open(world.mail("join.please_decide"))
    assert late.actions == []


def test_an_english_applicant_reads_english(world: World) -> None:
    browser = world.browser("en-GB,en;q=0.9")
    world.apply(browser, name="Jim Green", email="jim@gmail.com", city="Shanghai")
    confirm = world.mail("join.confirm_address")
    assert confirm.subject == (
        "Please confirm your address by Thursday 3 December, 23:59 to complete your application"
    )
    assert "(Beijing time)" in confirm.text
    world.open(confirm).press("confirm")
    please = world.mail("join.please_decide")  # the owner reads Chinese
    assert "申请" in please.subject


def test_declined_applications_are_erased_after_the_charter_s_days(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    world.open(world.mail("join.please_decide")).press("decline", note="人数已满")
    world.tick()
    world.pass_time(days=179)
    Ticker(world.service).tick_housekeeping()
    assert world.rows(select(Case.answers))[0]["name"] == "李雷"
    world.pass_time(days=2)
    Ticker(world.service).tick_housekeeping()
    assert world.rows(select(Case.answers)) == [{}]
    assert world.rows(select(Person.address).where(Person.role == "member")) == [None]


def test_the_owner_sees_the_mail_with_their_own_words_before_deciding(world: World) -> None:
    world.apply(world.browser("en"))
    world.open(world.mail("join.confirm_address")).press("confirm")
    page = world.open(world.mail("join.please_decide"))
    before = world.ledger()
    seen = page.browser.post(
        page.response.url,
        page.fields("approve") | {"preview": "approve", "note": "请先读《论语》。"},
    )
    assert (seen.status, seen.value("note"), seen.actions) == (
        200,
        "请先读《论语》。",
        ["approve", "return", "decline"],
    )
    letter = seen.soup.select_one(".letter")
    assert letter is not None and letter["lang"] == "en"  # the applicant's language
    assert "请先读《论语》。" in letter.get_text() and "http" not in letter.get_text()
    assert (world.ledger(), world.case("join", "lilei@qq.com").state) == (before, "review")
    empty = page.browser.post(page.response.url, page.fields("approve") | {"preview": "decline"})
    assert empty.status == 422 and empty.soup.select_one("#note-error") is not None
    seen.press("approve", note="请先读《论语》。")
    assert "请先读《论语》。" in world.mail("join.welcome").text
