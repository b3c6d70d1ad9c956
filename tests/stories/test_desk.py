"""The desk: who must I decide about, who is late, what is broken; letters, sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.storage.database import enter_club
from engine.storage.heartbeats import hold_post
from engine.storage.models import Case, Letter, Person, WebSession
from engine.storage.unit_of_work import ClubSession
from tests.page import Browser, Page
from tests.world import World

LILEI, MEIMEI, OWNER, ADMIN = "lilei@qq.com", "hanmeimei@163.com", "owner@qq.com", "admin@qq.com"
PLAN = {"goals": "讲得出二十本书。", "plan": "每周一本。"}
DESK = "/jiuniu/desk"
PAGES = (
    DESK,
    f"{DESK}/waiting",
    f"{DESK}/late",
    f"{DESK}/people",
    f"{DESK}/letters",
    f"{DESK}/offices",
    "/jiuniu/sessions",
)
UNKNOWN = "550 5.1.1 user unknown"


def with_an_admin(world: World) -> World:
    world.add_member(MEIMEI, "韩梅梅")
    world.add_member(ADMIN, "周敏", role="admin")
    return world


@pytest.fixture
def club(world: World) -> World:
    return with_an_admin(world)


def late(world: World) -> None:
    """Li Lei joins, is asked for a plan, and lets the due time pass."""
    world.join()
    world.live_until(world.now + timedelta(days=4), step=timedelta(hours=6))


def applied(world: World, *names: str) -> None:
    for number, name in enumerate(names):
        address = f"new{number}@qq.com"
        world.apply(email=address, name=name, about=f"{name}想读历史。")
        world.open(world.mail("join.confirm_address", address)).press("confirm")


def send(page: Page, action: str, **typed: str | list[str]) -> Page:
    """Press with several boxes of one name ticked."""
    form = page.form_with(action)
    return page.browser.post(str(form["action"]), page.fields(action) | {"action": action} | typed)  # type: ignore[arg-type]


def record(world: World, browser: Browser, address: str) -> Page:
    return browser.get(f"{DESK}/people/{world.person(address).id}")


# Waiting


@pytest.mark.postgres
def test_the_owner_signs_in_by_mail_and_approves_several_at_once(club: World) -> None:
    applied(club, "李雷", "王五")
    page = club.sign_in(OWNER).get(DESK)
    assert [title.text for title in page.soup.select("h2")][:3] == [
        "等你处理 2",
        "逾期",
        "出了问题",
    ]
    assert "李雷想读历史。" in page.text
    after = send(
        page, "approve", case=[str(box["value"]) for box in page.soup.select('input[name="case"]')]
    )
    assert (
        after.response.url.partition("?")[0].endswith("/desk"),
        "已通过 2 份" in after.text,
    ) == (True, True)
    assert [club.person(f"new{number}@qq.com").status for number in range(2)] == [
        "member",
        "member",
    ]


def test_what_somebody_else_decided_meanwhile_is_said_and_stops_nothing(club: World) -> None:
    applied(club, "李雷", "王五")
    page = club.sign_in(OWNER).get(f"{DESK}/waiting")
    club.open(club.mail("join.please_decide", OWNER)).press("decline", note="人满了。")
    after = send(
        page, "approve", case=[str(box["value"]) for box in page.soup.select('input[name="case"]')]
    )
    assert ("已通过 1 份" in after.text, "有 1 份没有通过" in after.text) == (True, True)
    assert sorted(club.person(f"new{number}@qq.com").status for number in range(2)) == [
        "applicant",
        "member",
    ]


def test_nothing_ticked_is_nothing_decided(club: World) -> None:
    applied(club, "李雷")
    page = club.sign_in(OWNER).get(f"{DESK}/waiting").press("approve")
    assert (page.status, club.person("new0@qq.com").status) == (400, "applicant")


# Late


def test_the_owner_gives_a_late_member_more_time_in_place_and_the_letter_says_so(
    club: World,
) -> None:
    late(club)
    page = club.sign_in(OWNER).get(DESK)
    assert "最后一次催办：12月5日（周六）23:59 到时还没有交，会请你决定" in page.text
    club.new_mails()
    after = page.press("extend", days="5", note="下周考试，慢慢来。")
    assert ("已记下：延期" in after.text, club.new_letters()) == (
        True,
        [("study_plan.second_chance", LILEI)],
    )
    mail = club.mail("study_plan.second_chance", LILEI)
    assert ("12月11日（周五）23:59" in mail.text, "下周考试，慢慢来。" in mail.text) == (True, True)
    case = club.case("study_plan", LILEI)
    assert (case.state, case.due_at) == ("overdue", datetime(2026, 12, 11, 16, tzinfo=UTC))


def test_more_time_without_a_number_keeps_what_was_typed(club: World) -> None:
    late(club)
    page = club.sign_in(OWNER).get(f"{DESK}/late").press("extend", days="很多", note="慢慢来。")
    assert (page.status, page.value("days"), page.value("note")) == (422, "很多", "慢慢来。")
    assert page.soup.select_one('[name="days"][aria-invalid="true"]') is not None
    assert page.press("extend", days="2").status == 200


def test_more_time_for_who_has_handed_in_meanwhile_changes_nothing(club: World) -> None:
    late(club)
    page = club.sign_in(OWNER).get(f"{DESK}/late")
    club.open(club.mail("study_plan.second_chance", LILEI)).press("submit", **PLAN)
    after = page.press("extend", days="2", note="慢慢来。")
    assert (after.status in (403, 409), "慢慢来。" in after.text) == (True, True)
    assert club.case("study_plan", LILEI).state == "review"


def test_a_late_plan_is_excused_in_place_before_any_removal_is_proposed(club: World) -> None:
    late(club)
    page = club.sign_in(OWNER).get(f"{DESK}/late")
    club.new_mails()
    page.press("excuse", note="先照顾好家人。")
    club.live_until(club.now + timedelta(days=4), step=timedelta(hours=12))
    about_lilei = [mail for mail in club.new_mails() if mail.letter.startswith("study_plan.")]
    assert [(mail.letter, mail.to, "先照顾好家人。" in mail.text) for mail in about_lilei] == [
        ("study_plan.let_off", LILEI, True)
    ]
    assert club.case("study_plan", LILEI).state == "let_off"


def test_a_late_reflection_is_excused_in_place(club: World) -> None:
    club.live_until(datetime(2026, 12, 13, 1, tzinfo=UTC), step=timedelta(hours=12))
    page = club.sign_in(OWNER).get(f"{DESK}/late")
    [mine] = [item for item in page.soup.select("li.matter") if "韩梅梅" in item.text]
    fields = {str(item["name"]): str(item.get("value", "")) for item in mine.select("input")}
    page.browser.post(f"{DESK}/late", fields | {"action": "excuse", "note": "好好养病。"})
    mine = (Case.workflow == "reflection") & (Case.person_id == club.person(MEIMEI).id)
    states = club.rows(select(Case.state).where(mine).order_by(Case.id))
    assert states == ["let_off", "owed"]  # nothing is owed any more: the running week begins
    assert "好好养病。" in club.mail("reflection.let_off", MEIMEI).text


def test_an_admin_sees_who_is_late_and_gives_no_time(club: World) -> None:
    late(club)
    browser = club.sign_in(ADMIN)
    page = browser.get(f"{DESK}/late")
    assert ("李雷" in page.text, page.actions) == (True, [])
    case = club.case("study_plan", LILEI)
    token = str(
        browser.get(f"{DESK}/people/{club.person(LILEI).id}").soup.select_one(
            '[name="csrf_token"]'
        )["value"]
    )  # type: ignore[index]
    forged = {
        "csrf_token": token,
        "case": str(case.id),
        "round": str(case.entered_version),
        "action": "extend",
        "days": "9",
    }
    assert (browser.post(f"{DESK}/late", forged).status, club.case("study_plan", LILEI).due_at) == (
        403,
        case.due_at,
    )


# Who decides


def test_who_may_act_for_whom_is_written_there(club: World) -> None:
    browser = club.sign_in(OWNER)
    browser.get(DESK).press("away", until="2026-12-20")
    for who in (browser, club.sign_in(ADMIN)):
        text = who.get(f"{DESK}/offices").text
        assert ("陈老师" in text, "武汉+周敏" in text, "12月20日" in text) == (True, True, True)
        assert "入会申请 群主或管理员，随时都可以" in text
        assert "更换邮箱 改正邮箱" in text


# Letters


@pytest.mark.postgres
def test_a_letter_in_trouble_goes_once_more(club: World) -> None:
    browser = club.sign_in(OWNER)
    club.sink.replies["DATA"] = "554 5.7.1 looks like spam"
    record(club, browser, MEIMEI).press("link")
    club.tick()
    club.sink.replies.clear()
    page = browser.get(f"{DESK}/letters")
    assert ("多半是当成了广告" in page.text, "自己页面的链接" in page.text) == (True, True)
    assert "马上寄出" in page.press("retry").text
    assert club.mail("club.your_page", MEIMEI).to == MEIMEI


def test_a_letter_is_held_and_released(club: World) -> None:
    browser = club.sign_in(OWNER)
    record(club, browser, MEIMEI).press("link")
    browser.get(f"{DESK}/letters?kind=waiting").press("hold")
    assert club.new_letters() == [("club.sign_in", OWNER)]
    browser.get(f"{DESK}/letters?kind=held").press("release")
    assert club.new_letters() == [("club.your_page", MEIMEI)]


def test_after_a_restore_everything_goes_after_a_second_look(club: World) -> None:
    browser = club.sign_in(OWNER)
    record(club, browser, MEIMEI).press("link")
    club.new_mails()
    record(club, browser, MEIMEI).press("link")

    def restored(session: ClubSession) -> None:
        enter_club(session, club.club_id)
        for letter in session.execute(select(Letter).where(Letter.state == "queued")).scalars():
            letter.state = "held"
        hold_post(session, "restored", club.now)

    club.service.db.write(restored)
    assert "发信已暂停" in browser.get(DESK).text
    page = browser.get(f"{DESK}/letters").press("release_all")
    assert (page.status, club.new_letters()) == (422, [])
    page = page.press("release_all", looked="y")
    assert ("已放行 1 封" in page.text, club.new_letters()) == (True, [("club.your_page", MEIMEI)])
    assert "发信已暂停" not in browser.get(DESK).text


def test_while_no_mail_leaves_the_desk_does_not_say_that_every_letter_arrived(club: World) -> None:
    browser = club.sign_in(OWNER)
    assert "信都送到了" in browser.get(DESK).text
    club.service.db.write(hold_post, "stopped", club.now)
    text = browser.get(DESK).text
    assert ("信都送到了" in text, "除了上面说的，一切正常" in text) == (False, True)


def test_the_letters_are_the_owners(club: World) -> None:
    assert club.sign_in(ADMIN).get(f"{DESK}/letters").status == 403


# Sessions


@pytest.mark.postgres
def test_a_revoked_browser_is_out_and_the_others_are_not(club: World) -> None:
    here, phone, laptop = (club.sign_in(MEIMEI) for _ in range(3))
    page = here.get("/jiuniu/sessions")
    assert ([badge.text for badge in page.soup.select(".badge")], page.actions) == (
        ["本机"],
        ["sign_out", "sign_out_links", "revoke", "revoke", "others"],
    )
    assert "python-requests" in page.text
    page.press("revoke")  # the first of the others: the one that came last
    assert [
        browser.get("/jiuniu/sessions").response.url.endswith("/sessions")
        for browser in (here, phone, laptop)
    ] == [
        True,
        True,
        False,
    ]
    here.get("/jiuniu/sessions").press("others")
    assert [
        browser.get("/jiuniu/sessions").response.url.endswith("/sessions")
        for browser in (here, phone)
    ] == [True, False]
    here.get("/jiuniu/sessions").press("sign_out")
    assert (
        here.get("/jiuniu/sessions").response.url.endswith("/desk"),
        club.rows(select(WebSession)),
    ) == (True, [])


def test_nobody_ends_anothers_session(club: World) -> None:
    theirs, mine = club.sign_in(MEIMEI), club.sign_in(ADMIN)
    [other] = club.rows(select(WebSession.id).where(WebSession.person_id == club.person(MEIMEI).id))
    mine.get("/jiuniu/sessions").forge("revoke", session=str(other))
    assert theirs.get("/jiuniu/sessions").response.url.endswith("/sessions")


# Who sees what


def test_strangers_and_members_are_led_away(club: World) -> None:
    stranger, member = club.browser(), club.sign_in(MEIMEI)
    pages = [*PAGES[:-1], f"{DESK}/people/{club.person(MEIMEI).id}"]
    for browser, leads in ((stranger, "/jiuniu/desk"), (member, "/jiuniu/me")):
        for path in pages:
            first = browser.session.get(f"{club.base.rstrip('/')}{path}", allow_redirects=False)
            expected = (200, None) if browser is stranger and path == DESK else (302, leads)
            assert (first.status_code, first.headers.get("Location")) == expected, path
            assert "韩梅梅" not in browser.get(path).text or browser is member
    assert (
        stranger.session.get(f"{club.base}jiuniu/sessions", allow_redirects=False).headers[
            "Location"
        ]
        == "/jiuniu/desk"
    )


def test_who_was_signed_out_meanwhile_gets_their_words_back(club: World) -> None:
    late(club)
    browser = club.sign_in(OWNER)
    page = browser.get(f"{DESK}/late")
    browser.session.cookies.set("jiuniu_session", "gone", path="/jiuniu/", domain="127.0.0.1")
    for cookie in list(browser.session.cookies):
        if cookie.name == "jiuniu_session" and cookie.value != "gone":
            browser.session.cookies.clear(cookie.domain, cookie.path, cookie.name)
    after = page.press("extend", days="2", note="慢慢来。")
    assert (after.status, "慢慢来。" in after.text, club.case("study_plan", LILEI).state) == (
        403,
        True,
        "overdue",
    )
    assert club.rows(select(Case.version).where(Case.workflow == "study_plan")) == [2]
    assert club.rows(select(Person.status).where(Person.name == "李雷")) == ["member"]
