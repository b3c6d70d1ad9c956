"""The owner changes how the club works, on pages, with a preview."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.storage.models import Case, Club, Schedule
from tests.page import Browser, Page
from tests.world import World

DESK = "/jiuniu/desk/settings"


@pytest.fixture
def owner(world: World) -> Browser:
    return world.sign_in("owner@qq.com")


def club(world: World) -> Club:
    return world.rows(select(Club))[0]


def number(world: World, key: str) -> object:
    return club(world).charter["numbers"][key]


def change(owner: Browser, part: str, **typed: str) -> Page:
    return owner.get(f"{DESK}/{part}").press("preview", **typed).press("save")


def test_a_number_is_changed_after_a_look_at_it(world: World, owner: Browser) -> None:
    page = owner.get(DESK)
    assert "新成员加入后，3 天内写好学习计划。" in page.text
    looked = owner.get(DESK + "/duties").press("preview", plan_days="5")
    assert (looked.status, number(world, "plan_days")) == (200, 3)
    assert (
        "写学习计划的期限 ： 原来： 3 天 → 现在： 5 天 新成员加入后，5 天内写好学习计划。"
        in looked.text
    )
    saved = looked.press("save")
    assert (saved.response.history[0].status_code, number(world, "plan_days")) == (303, 5)
    assert "新成员加入后，5 天内写好学习计划。" in saved.text


def test_only_what_was_looked_at_is_saved(world: World, owner: Browser) -> None:
    looked = owner.get(DESK + "/duties").press("preview", plan_days="5")
    typed_on = looked.press("save", plan_days="50")
    assert (typed_on.status, number(world, "plan_days")) == (
        200,
        3,
    ) and "现在： 50 天" in typed_on.text
    typed_on.press("save")
    assert number(world, "plan_days") == 50


def test_errors_stand_beside_their_fields_and_what_was_typed_stays(
    world: World, owner: Browser
) -> None:
    wrong = owner.get(DESK + "/mail").press("preview", remind_before="many", quiet_from="22：30")
    assert (wrong.status, wrong.value("remind_before"), wrong.value("quiet_from")) == (
        422,
        "many",
        "22：30",
    )
    error = wrong.soup.find(id="remind_before-error")
    assert error is not None and error.text == "有误： 请写一个整数，并选择分钟、小时或天"
    assert wrong.soup.select_one("#quiet_from-error") is None
    assert wrong.press("preview", remind_before="2").press("save").status == 200
    assert (number(world, "remind_before"), number(world, "quiet_from")) == ("2 days", "22:30")


@pytest.mark.postgres
def test_the_first_to_save_wins_and_nobody_loses_a_word(world: World, owner: Browser) -> None:
    first, second = owner.get(DESK + "/duties"), owner.get(DESK + "/duties")
    first.press("preview", plan_days="5").press("save")
    refused = second.press("preview", plan_days="3", return_days="6")
    assert (refused.status, number(world, "return_days")) == (409, 3)
    assert "写学习计划的期限 ： 原来： 3 天 → 现在： 5 天" in refused.text
    assert (refused.value("plan_days"), refused.value("return_days")) == ("5", "6")
    refused.press("save")  # the page shows at once what saving would now change
    assert (number(world, "plan_days"), number(world, "return_days")) == (5, 6)


def clauses(world: World) -> dict[str, str]:
    return {clause["number"]: clause["text"] for clause in club(world).charter["clauses"]}


def test_clauses_are_added_changed_and_taken_out(world: World, owner: Browser) -> None:
    page = owner.get(DESK + "/clauses")
    more = page.press("more", **{"number-21": "3.10", "text-21": "计划每学期更新一次。"})
    assert (int(more.value("rows")), more.value("text-21")) == (
        int(page.value("rows")) + 2,
        "计划每学期更新一次。",
    )
    before = clauses(world)
    looked = more.press("preview", **{"text-0": before["1.1"] + "多交朋友。", "gone-1": "y"})
    assert (
        "第 1.1 条" in looked.text
        and "[新增： 多交朋友。 ]" in looked.text
        and clauses(world) == before
    )
    looked.press("save")
    gone = list(before)[1]
    assert clauses(world) == {key: text for key, text in before.items() if key != gone} | {
        "1.1": before["1.1"] + "多交朋友。",
        "3.10": "计划每学期更新一次。",
    }
    numbers = list(clauses(world))
    assert numbers.index("3.10") == numbers.index("3.2") + 1


@pytest.mark.parametrize(
    ("number", "text", "field"),
    [
        ("", "无号", "number-21"),
        ("3.1", "重号", "number-21"),
        ("9 9", "空格", "number-21"),
        ("9" * 5000, "长号", "number-21"),
    ],
)
def test_a_clause_without_a_number_of_its_own_is_refused(
    owner: Browser, number: str, text: str, field: str
) -> None:
    wrong = owner.get(DESK + "/clauses").press("preview", **{"number-21": number, "text-21": text})
    assert (wrong.status, wrong.value("text-21")) == (422, text) and wrong.soup.find(
        id=field + "-error"
    )


def test_texts_and_deciders(world: World, owner: Browser) -> None:
    wrong = owner.get(DESK + "/texts").press("preview", purpose="一起读书。", contact="no address")
    assert (wrong.status, wrong.value("purpose")) == (422, "一起读书。") and wrong.soup.find(
        id="contact-error"
    )
    wrong.press("preview", contact="Ask@QQ.com").press("save")
    assert (club(world).charter["purpose"], club(world).charter["contact"]) == (
        "一起读书。",
        "ask@qq.com",
    )
    page = owner.get(DESK + "/deciders")
    assert {
        "deputies-join",
        "deputies-study_plan",
        "deputies-reflection",
        "daily-reflection",
    } <= set(page.fields("preview"))
    fields = {
        key: value
        for key, value in page.fields("preview").items()
        if key not in ("deputies-join", "daily-reflection")
    }
    looked = owner.post(DESK + "/deciders", fields | {"action": "preview", "daily-study_plan": "y"})
    assert "入会申请 ： 原来： 管理员可以代群主决定 → 现在： 只由群主决定" in looked.text
    looked.press("save")
    assert (club(world).charter["deputies"], club(world).charter["in_daily_letter"]) == (
        ["study_plan", "reflection"],
        ["study_plan"],
    )


@pytest.mark.postgres
def test_history_and_an_earlier_version_again(world: World, owner: Browser) -> None:
    change(owner, "duties", plan_days="5")
    page = owner.get(DESK + "/history")
    assert "第 2 版 现行" in page.text and "陈老师" in page.text
    assert "写学习计划的期限 ： 原来： 3 天 → 现在： 5 天" in page.text
    again = page.press("take")
    assert (number(world, "plan_days"), club(world).charter_version) == (3, 3)
    assert "第 3 版 现行" in again.text and "原来： 5 天 → 现在： 3 天" in again.text
    assert "刚刚有了改动" in page.press("take").text and club(world).charter_version == 3


def test_an_admin_reads_and_cannot_change(world: World) -> None:
    world.add_member("admin@qq.com", "韩梅梅", role="admin")
    admin = world.sign_in("admin@qq.com")
    page = admin.get(DESK)
    assert "只有群主可以修改" in page.text and not page.soup.select(
        'main a[href*="/desk/settings/"]'
    )
    assert [admin.get(DESK + path).status for path in ("/duties", "/history")] == [403, 403]
    token = {"csrf_token": admin.get("/jiuniu/sessions").value("csrf_token")}
    assert admin.post(DESK + "/duties", token | {"action": "save", "plan_days": "9"}).status == 403
    assert admin.post(DESK + "/history", token | {"take": "1"}).status == 403


def test_nothing_typed_is_lost_when_the_sign_in_has_ended(world: World, owner: Browser) -> None:
    page: Page = owner.get(DESK + "/duties")
    forged = owner.post(
        DESK + "/duties",
        page.fields("preview") | {"plan_days": "8", "action": "save", "csrf_token": "nonsense"},
    )
    assert (forged.status, forged.value("plan_days")) == (400, "8")
    owner.session.cookies.clear(domain="127.0.0.1", path="/jiuniu/", name="jiuniu_session")
    late = page.press("preview", plan_days="8")
    assert (late.status, late.value("plan_days"), number(world, "plan_days")) == (403, "8", 3)


def test_members_acknowledge_words_anew_and_not_numbers(world: World, owner: Browser) -> None:
    world.add_member("lilei@qq.com", "李雷")
    change(owner, "mail", quiet_from="22:00")
    assert (club(world).charter_version, world.person("lilei@qq.com").charter_version) == (2, 2)
    change(owner, "texts", purpose="一起读书。")
    assert (club(world).charter_version, world.person("lilei@qq.com").charter_version) == (3, 2)
    assert "章程有改动" in world.sign_in("lilei@qq.com").get("/jiuniu/me").text


def test_a_told_time_stays_and_what_begins_later_follows(world: World, owner: Browser) -> None:
    world.join()
    told = world.case("study_plan", "lilei@qq.com").due_at
    looked = owner.get(DESK + "/duties").press("preview", plan_days="5")
    assert "学习计划，待提交：1 件，截止时间不变，12月3日（周四）23:59" in looked.text
    assert "已经开始的事项都不受影响" in looked.text
    looked.press("save")
    world.join(email="hanmeimei@163.com", name="韩梅梅")
    dues = [
        world.case("study_plan", address).due_at
        for address in ("lilei@qq.com", "hanmeimei@163.com")
    ]
    assert told is not None and dues == [told, told + timedelta(days=2)]


@pytest.mark.postgres
def test_the_preview_tells_letters_that_then_really_move(world: World, owner: Browser) -> None:
    world.join()
    looked = owner.get(DESK + "/mail").press("preview", remind_before="2")
    moved = [
        " ".join(item.get_text(" ", strip=True).split())
        for item in looked.soup.select(".shifts li")
    ]
    assert (
        moved[0]
        == "学习计划：最后一次催办 原来： 12月6日（周日）07:30 → 现在： 12月5日（周六）07:30 李雷"
    )
    looked.press("save")
    world.live_until(datetime(2026, 12, 4, 23, 20, tzinfo=UTC))
    world.new_mails()
    world.live_until(datetime(2026, 12, 4, 23, 40, tzinfo=UTC), step=timedelta(minutes=10))
    assert world.new_letters() == [("study_plan.last_call", "lilei@qq.com")]


def test_a_new_hour_of_the_reading_week_holds_from_the_next_opening_on(
    world: World, owner: Browser
) -> None:
    """The opening that was planned for the old hour is planned anew; nobody gets a week that is
    over already."""
    world.add_member("lilei@qq.com", "李雷")
    change(owner, "reading", **{"week_opens-day": "monday", "week_opens": "09:00"})
    world.live_until(datetime(2026, 12, 7, 0, 30, tzinfo=UTC))
    assert world.rows(select(Case)) == []
    world.live_until(datetime(2026, 12, 7, 1, 30, tzinfo=UTC))
    [opened] = world.rows(select(Case))
    assert (opened.data["period"], opened.due_at) == (
        "2026-W50",
        datetime(2026, 12, 12, 12, tzinfo=UTC),
    )


def test_a_clause_that_letters_name_is_not_taken_out_unwarned(owner: Browser) -> None:
    page = owner.get(DESK + "/clauses")
    row = next(row for row in range(30) if page.value(f"number-{row}") == "3.1")
    assert "邮件会引用这些条款：3.1" in page.press("preview", **{f"gone-{row}": "y"}).text
    assert "邮件会引用这些条款" not in page.press("preview", **{"gone-0": "y"}).text


def test_what_nobody_types_breaks_nothing(world: World, owner: Browser) -> None:
    page = owner.get(DESK + "/clauses")
    for odd in (
        {"version": "9" * 30},
        {"version": "-1"},
        {"version": "x"},
        {"rows": "9" * 5000},
        {"rows": "-3"},
        {"text-0": "\x00"},
    ):
        assert page.press("preview", **odd).status in (200, 409, 422), odd
    assert owner.get(DESK + "/history?before=" + "9" * 30).status == 200
    assert (
        owner.get(DESK + "/history").status == 200 and owner.get(DESK + "/nonsense").status == 404
    )
    assert club(world).charter_version == 1


def test_the_club_moves_to_another_name_and_time_zone(world: World, owner: Browser) -> None:
    world.join()
    told = world.case("study_plan", "lilei@qq.com").due_at
    page = owner.get(f"{DESK}/club").press("preview", name="泰晤士读书会", zone="Europe/London")
    assert "已经告诉成员的时刻不变" in page.text
    assert (club(world).name, club(world).zone) == ("九牛读书会", "Asia/Shanghai")
    assert page.press("save", name="别的名字").status == 200  # only what was looked at is saved
    assert club(world).name == "九牛读书会"
    assert "泰晤士读书会" in page.press("save").text
    assert (club(world).name, club(world).zone) == ("泰晤士读书会", "Europe/London")
    assert world.case("study_plan", "lilei@qq.com").due_at == told
    [opens] = world.rows(select(Schedule.next_at).where(Schedule.rule == "reflection"))
    assert opens == datetime(2026, 12, 6, 8, tzinfo=UTC)  # Sunday 08:00 in London
    world.join(email="new@qq.com", name="韩梅梅")
    assert world.case("study_plan", "new@qq.com").due_at == datetime(
        2026, 12, 4, 0, tzinfo=UTC
    )  # the end of Thursday there


def test_a_time_zone_that_is_none_is_said_and_an_admin_changes_nothing(
    world: World, owner: Browser
) -> None:
    page = owner.get(f"{DESK}/club").press("preview", other_zone="Europe/Atlantis")
    assert (page.status, page.value("other_zone"), club(world).zone) == (
        422,
        "Europe/Atlantis",
        "Asia/Shanghai",
    )
    for zone in ("localtime", "right/UTC"):  # the machine's own, and one with leap seconds
        assert page.press("preview", other_zone=zone).status == 422, zone
    world.add_member("admin@qq.com", "周敏", role="admin")
    assert world.sign_in("admin@qq.com").get(f"{DESK}/club").status == 403
