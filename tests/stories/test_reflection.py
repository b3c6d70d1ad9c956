"""The weekly reflection (clauses 5.1 to 5.4), told end to end through HTTP and SMTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.security.links import Link
from engine.storage.models import Case, Event
from tests.world import World

LILEI, MEIMEI, OWNER = "lilei@qq.com", "hanmeimei@163.com", "owner@qq.com"
SUNDAY = datetime(2026, 12, 6, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
SATURDAY = datetime(2026, 12, 12, 12, 0, tzinfo=UTC)  # 20:00
TEXT = {"book": "活着", "author": "余华", "reflection": "人是为活着本身而活着的。"}


@pytest.fixture
def week(world: World) -> World:
    """A club of two members on the Sunday on which a reading week opens."""
    world.add_member(LILEI, "李雷")
    world.add_member(MEIMEI, "韩梅梅")
    world.live_until(SUNDAY, step=timedelta(days=1))
    world.tick()
    return world


def ladder(world: World, address: str) -> list[str]:
    return [
        mail.letter.removeprefix("reflection.")
        for mail in world.mails
        if mail.to == address and mail.letter.startswith("reflection.")
    ]


def hand_in(world: World, address: str = LILEI, **changed: str) -> None:
    world.open(world.mail("reflection.please_read", address)).press("submit", **(TEXT | changed))


@pytest.mark.postgres
def test_a_week_opens_is_read_handed_in_and_accepted_from_the_daily_letter(week: World) -> None:
    assert week.new_letters() == [
        ("reflection.please_read", MEIMEI),
        ("reflection.please_read", LILEI),
    ]
    case = week.case("reflection", LILEI)
    assert (case.key, case.data["period"], case.due_at) == (
        f"2026-W50:{case.person_id}",
        "2026-W50",
        SATURDAY,
    )
    hand_in(week, share="y")
    week.new_mails()
    assert (
        week.ledger(letter="reflection.please_decide") == []
    )  # reflections come in the daily letter
    week.live_until(SUNDAY + timedelta(days=1))
    daily = week.mail("club.daily", OWNER)
    assert "人是为活着本身而活着的" in daily.text
    page = week.open(daily.links[0])
    page.press("approve")
    assert week.case("reflection", LILEI).state == "shared"
    assert "分享" in week.mail("reflection.reflection_accepted", LILEI).text


def test_the_owner_has_no_duty(week: World) -> None:
    assert sorted(week.rows(select(Case.person_id).where(Case.workflow == "reflection"))) == sorted(
        [week.person(LILEI).id, week.person(MEIMEI).id]
    )


@pytest.mark.postgres
def test_several_are_decided_on_one_page_and_one_that_moved_on_is_named(week: World) -> None:
    for address in (LILEI, MEIMEI):
        hand_in(week, address)
    week.live_until(SUNDAY + timedelta(days=1))
    page = week.open(week.mail("club.daily", OWNER).links[2])  # after each matter's own link
    cases = [week.case("reflection", address) for address in (LILEI, MEIMEI)]
    desk = week.sign_in(OWNER)
    alone = next(
        str(a["href"])
        for a in desk.get("/jiuniu/desk").soup.select("a.row-link")
        if "李雷" in a.text
    )
    desk.get(alone).press("return", note="请写长一点。")
    data = page.fields("approve") | {"action": "approve", "case": [str(case.id) for case in cases]}
    asked = page.browser.post(page.response.url, data)  # type: ignore[arg-type]
    ticked = [str(item["value"]) for item in asked.soup.select("input[name=case]")]
    assert ticked == data["case"]  # the link is new in this browser: one more press, nothing lost
    after = asked.browser.post(asked.response.url, asked.fields("approve") | data)  # type: ignore[arg-type]
    assert "已通过 1 份" in after.text
    assert "有 1 份没有通过" in after.text
    assert [week.case("reflection", address).state for address in (LILEI, MEIMEI)] == [
        "returned",
        "accepted",
    ]


def test_a_book_is_named_ahead_and_a_big_one_moves_the_due_time_once(week: World) -> None:
    page = week.open(week.mail("reflection.please_read", LILEI))
    page = page.press("choose", book="红楼梦", author="曹雪芹")
    case = week.case("reflection", LILEI)
    assert (case.state, case.due_at, case.answers["book"]) == ("owed", SATURDAY, "红楼梦")
    page = page.press("choose", book="红楼梦", big="y")
    assert (week.case("reflection", LILEI).state, week.case("reflection", LILEI).due_at) == (
        "long_owed",
        SATURDAY + timedelta(days=3),
    )
    assert "12月15日" in week.mail("reflection.due_moved", LILEI).subject
    page.press("choose", book="战争与和平", big="y")
    assert len(week.ledger(letter="reflection.due_moved")) == 1
    assert week.case("reflection", LILEI).due_at == SATURDAY + timedelta(days=3)
    week.open(week.mail("reflection.due_moved", LILEI)).press(
        "submit", reflection="没读完，也有话说。"
    )
    assert week.case("reflection", LILEI).answers["book"] == "战争与和平"


def test_nothing_comes_so_there_is_one_chance_a_month_and_then_a_proposal(week: World) -> None:
    hand_in(week, MEIMEI)
    week.live_until(SATURDAY + timedelta(days=4))
    assert ladder(week, LILEI) == [
        "please_read",
        "due_soon",
        "due_soon",
        "second_chance",
        "last_call",
        "removal_proposed",
    ]
    assert week.case("reflection", LILEI).state == "removal_proposed"
    assert "5.4" in week.mail("reflection.please_decide_removal", OWNER).text
    week.live_until(SATURDAY + timedelta(days=9), step=timedelta(hours=6))
    assert week.rows(
        select(Case.data["period"].as_string()).where(Case.person_id == week.person(LILEI).id)
    ) == ["2026-W50"]


def test_a_second_miss_in_the_same_month_is_proposed_at_once(week: World) -> None:
    week.live_until(SATURDAY + timedelta(hours=1))
    week.open(week.mail("reflection.second_chance", LILEI)).press("submit", **TEXT)
    week.live_until(SATURDAY + timedelta(days=1, hours=12))
    week.open(week.mail("club.daily", OWNER)).press("approve")
    week.live_until(SATURDAY + timedelta(days=14, hours=3), step=timedelta(hours=3))
    newest = week.case("reflection", LILEI)
    assert (newest.data["period"], newest.state) == (
        "2026-W51",
        "removal_proposed",
    )  # it opened while the first was read
    moved = (Event.case_id == newest.id) & (Event.action != "held_up")
    events = week.rows(select(Event.to_state).where(moved).order_by(Event.version))
    assert events == ["owed", "removal_proposed"]


def test_who_joins_in_mid_week_begins_with_the_next_week(week: World) -> None:
    week.live_until(SUNDAY + timedelta(days=2), step=timedelta(days=1))
    week.join(email="new@qq.com", name="林涛")
    week.live_until(SATURDAY, step=timedelta(days=1))
    assert (
        week.rows(
            select(Case.id).where(
                Case.workflow == "reflection", Case.person_id == week.person("new@qq.com").id
            )
        )
        == []
    )
    week.live_until(SUNDAY + timedelta(days=7), step=timedelta(hours=12))
    assert week.case("reflection", "new@qq.com").data["period"] == "2026-W51"


def test_who_still_has_one_open_gets_no_second_one(week: World) -> None:
    week.open(week.mail("reflection.please_read", LILEI)).press("choose", book="红楼梦", big="y")
    week.live_until(SUNDAY + timedelta(days=7, hours=1), step=timedelta(hours=6))
    periods = week.rows(
        select(Case.data["period"].as_string()).where(Case.person_id == week.person(LILEI).id)
    )
    assert periods == ["2026-W50"]


def test_somebody_who_is_away_is_excused_by_the_owner(week: World) -> None:
    case = week.case("reflection", LILEI)
    desk = week.sign_in(OWNER)
    link = desk.get(
        "/jiuniu/desk"
    )  # nothing waits: the owner comes from the member's answer to the mail
    assert link.status == 200
    week.new_mails()
    token = week.service.links.token(_link(week, case))
    desk.get(f"/c/{token}").press("excuse", note="好好养病。")
    assert week.case("reflection", LILEI).state == "let_off"
    assert "好好养病" in week.mail("reflection.let_off", LILEI).text


@pytest.mark.postgres
def test_a_shared_reflection_is_for_members_and_its_author_takes_it_back(week: World) -> None:
    hand_in(week, LILEI, share="y")
    week.live_until(SUNDAY + timedelta(days=1))
    week.open(week.mail("club.daily", OWNER)).press("approve")
    stranger = week.browser().get("/jiuniu/reflections")
    assert TEXT["reflection"] not in stranger.text
    reader = week.sign_in(MEIMEI)
    assert TEXT["reflection"] in reader.get("/jiuniu/reflections").text
    week.open(week.mail("reflection.reflection_accepted", LILEI)).press("retract")
    assert TEXT["reflection"] not in reader.get("/jiuniu/reflections").text
    week.new_mails()
    week.open(week.mail("reflection.reflection_accepted", LILEI)).press("share")
    assert TEXT["reflection"] in reader.get("/jiuniu/reflections").text
    assert week.new_letters() == []  # nobody is told twice that it was accepted
    week.press_as_a_person(week.form_page("departure", LILEI))
    assert (
        TEXT["reflection"] not in reader.get("/jiuniu/reflections").text
    )  # who leaves takes it along


def _link(world: World, case: Case) -> Link:
    owner = world.person(OWNER)
    return Link("case", world.club_id, owner.id, owner.link_epoch, case.id, world.now)
