"""Leaving, removal and readmission, a new address, a new name, erasure; the owner acts for a member (clauses 2.2, 2.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.db import enter_club
from engine.links import Link
from engine.models import Case, Event, Letter, Person
from engine.run import open_case
from engine.step import Hand
from tests.world import Page, World

LILEI, MEIMEI, OWNER, ADMIN = "lilei@qq.com", "hanmeimei@163.com", "owner@qq.com", "admin@qq.com"
PLAN = {"goals": "讲得出二十本书。", "plan": "每周一本。"}


@pytest.fixture
def club(world: World) -> World:
    world.add_member(LILEI, "李雷")
    world.add_member(MEIMEI, "韩梅梅")
    world.add_member(ADMIN, "林涛", role="admin")
    return world


def proposed(world: World) -> None:
    """Li Lei joins and hands in nothing until the removal is proposed."""
    world.join()
    world.live_until(world.now + timedelta(days=8), step=timedelta(hours=6))


# Leaving


def test_a_member_leaves_with_a_fresh_link(club: World) -> None:
    gone = club.press_as_a_person(club.form_page("departure", LILEI), why="搬家了，很忙。")
    assert [(answer.status_code, answer.headers["Location"]) for answer in gone.response.history] == [
        (303, "/jiuniu/farewell?lang=zh-CN")
    ]
    assert club.person(LILEI).status == "departed"
    assert {("departure.farewell", LILEI), ("departure.remove_from_group", ADMIN)} <= set(club.new_letters())
    task = club.mail("departure.remove_from_group", ADMIN)
    assert ("武汉+李雷" in task.text, "搬家了，很忙" in task.text) == (True, True)
    assert club.open(club.mail("departure.your_link", LILEI)).status == 410


def test_an_old_link_does_not_let_anybody_leave(club: World) -> None:
    page = club.form_page("departure", LILEI)
    club.set_clock(club.now + timedelta(minutes=31))
    again = club.press_as_a_person(page, why="我写了很长的话。")
    assert (again.status, club.person(LILEI).status) == (403, "member")
    assert again.value("why") == "我写了很长的话。"
    again.press("fresh")
    assert len(club.ledger(letter="departure.your_link")) == 2
    club.press_as_a_person(club.open(club.mail("departure.your_link", LILEI)))
    assert club.person(LILEI).status == "departed"


def test_what_was_open_falls_away_and_the_door_stays_open(club: World) -> None:
    club.join(email="new@qq.com", name="新人")
    club.press_as_a_person(club.form_page("departure", "new@qq.com"))
    assert club.case("study_plan", "new@qq.com").state == "void"
    club.join(email="new@qq.com", name="新人")
    assert (club.person("new@qq.com").status, club.case("study_plan", "new@qq.com").state) == ("member", "owed")


def test_the_owner_cannot_leave(club: World) -> None:
    page = club.browser().get("/jiuniu/departure")
    club.press_as_a_person(page, email=OWNER)
    assert not [link for link in club.mail("departure.your_link", OWNER).links if "/c/" in link]


def test_who_leaves_may_have_everything_erased(club: World) -> None:
    club.join(email="new@qq.com", name="新来的人")
    club.open(club.mail("study_plan.please_write", "new@qq.com")).press("submit", **PLAN)
    person_id = club.person("new@qq.com").id
    club.press_as_a_person(club.form_page("departure", "new@qq.com"), erase="y")
    club.live_until(club.now + timedelta(days=4), step=timedelta(hours=12))
    [gone] = club.rows(select(Person).where(Person.id == person_id))
    assert (gone.status, gone.address, gone.address_hash, gone.name, gone.display_name) == ("erased", None, None, "", "")
    about = select(Case.id).where(Case.person_id == person_id)
    assert set(map(str, club.rows(select(Case.answers).where(Case.person_id == person_id)))) == {"{}"}
    assert set(map(str, club.rows(select(Event.answers).where(Event.case_id.in_(about))))) <= {"{}"}
    assert club.rows(select(Letter.bytes).where(Letter.about_id == person_id, Letter.bytes.is_not(None))) == []


# A new address, a new name


def test_both_addresses_confirm_a_change(club: World) -> None:
    club.press_as_a_person(club.form_page("new-address", LILEI), email="Lilei@Gmail.com")
    confirm = club.mail("new_address.confirm_new_address", "lilei@gmail.com")
    assert club.person(LILEI).address == LILEI
    assert [row["to"] for row in club.ledger(letter="new_address.confirm_new_address")] == ["lilei@gmail.com"]
    club.new_mails()
    page = club.open(confirm).press("confirm")
    assert page.status == 200
    assert club.person("lilei@gmail.com").name == "李雷"
    assert club.new_letters() == [("new_address.address_changed", "lilei@gmail.com"), ("new_address.address_was_changed", LILEI)]
    assert club.open(club.mail("new_address.your_link", LILEI)).status == 410
    assert club.ledger(to=LILEI, state="queued") == []


def test_the_old_address_alone_cannot_confirm_the_new_one(club: World) -> None:
    page = club.press_as_a_person(club.form_page("new-address", LILEI), email="lilei@gmail.com")
    assert page.actions == ["withdraw"]
    answer = page.forge("confirm")
    assert (answer.status, club.person(LILEI).address) == (403, LILEI)


def test_an_address_of_somebody_else_is_refused_without_saying_whose(club: World) -> None:
    club.press_as_a_person(club.form_page("new-address", LILEI), email=MEIMEI)
    club.open(club.mail("new_address.confirm_new_address", MEIMEI)).press("confirm")
    told = club.mail("new_address.address_taken", LILEI)
    assert (club.person(LILEI).name, club.person(MEIMEI).name, "韩梅梅" in told.text) == ("李雷", "韩梅梅", False)


def test_an_address_that_is_never_confirmed_changes_nothing(club: World) -> None:
    club.press_as_a_person(club.form_page("new-address", LILEI), email="lilei@gmail.com")
    club.live_until(club.now + timedelta(days=4), step=timedelta(hours=12))
    assert club.case("new_address", LILEI).state == "lapsed"
    assert club.mail("new_address.address_kept", LILEI).to == LILEI


def test_the_admins_hear_of_a_new_name(club: World) -> None:
    club.press_as_a_person(club.form_page("new-name", LILEI), name="李雷雷", city="北京")
    assert club.person(LILEI).display_name == "北京+李雷雷"
    task = club.mail("new_name.rename_in_group", ADMIN)
    assert ("武汉+李雷" in task.text, "北京+李雷雷" in task.text) == (True, True)


# Removal, readmission


def test_a_removed_member_is_taken_back_with_one_press(world: World) -> None:
    proposed(world)
    decide = world.mail("study_plan.please_decide_removal", OWNER)
    world.open(decide).press("remove", note="两次都没有收到。")
    assert "武汉+李雷" in world.mail("study_plan.remove_from_group", OWNER).text
    world.open(decide).press("readmit", note="欢迎回来。")
    person = world.person(LILEI)
    assert (person.status, world.case("study_plan", LILEI).state) == ("member", "readmitted")
    assert "欢迎回来" in world.mail("study_plan.readmitted", LILEI).text
    assert "readmit" not in world.open(decide).actions


def test_who_was_removed_and_has_joined_anew_is_not_readmitted_besides(world: World) -> None:
    proposed(world)
    decide = world.mail("study_plan.please_decide_removal", OWNER)
    world.open(decide).press("remove", note="两次都没有收到。")
    world.join()
    assert "readmit" not in world.open(decide).actions


# The owner acts for a member


def test_the_owner_acts_for_a_member_who_cannot_get_at_the_mail(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=5), step=timedelta(hours=6))
    desk = world.sign_in(OWNER)
    late = next(str(a["href"]) for a in desk.get("/jiuniu/desk").soup.select("a.row-link") if "李雷" in a.text)
    page = desk.get(late)
    assert "submit" not in page.actions
    page = desk.get(late + "?for=person")
    assert "submit" in page.actions
    after = page.press("submit", **PLAN)
    case = world.case("study_plan", LILEI)
    [event] = world.rows(select(Event).where(Event.case_id == case.id, Event.action == "submit"))
    assert (event.who_id, event.on_behalf_of_id) == (world.person(OWNER).id, world.person(LILEI).id)
    assert after.soup.select(".history-line")[-1].text == "陈老师代李雷提交了学习计划"


def test_nobody_but_the_owner_acts_for_others(club: World) -> None:
    club.join(email="new@qq.com", name="新人")
    case = club.case("study_plan", "new@qq.com")
    admin = club.person(ADMIN)
    token = club.service.links.token(Link("case", club.club_id, admin.id, admin.link_epoch, case.id, club.now))
    assert "submit" not in club.browser().get(f"/c/{token}?for=person").actions


def test_who_asks_by_telephone_is_renamed_and_leaves_by_the_owner_s_hand(club: World) -> None:
    desk = club.sign_in(OWNER)
    record = f"/jiuniu/desk/people/{club.person(LILEI).id}"
    for path, typed, done in (
        ("new-name", {"name": "李雷", "city": "北京"}, "renamed"),
        ("departure", {"why": "工作太忙。"}, "departed"),
    ):
        club.new_mails()
        link = next(str(a["href"]) for a in desk.get(record).soup.select("main a") if str(a["href"]).endswith(path))
        page = desk.get(link).press(**typed)
        case = club.case(path.replace("-", "_"), LILEI)
        [event] = club.rows(select(Event).where(Event.case_id == case.id))
        assert (event.who_id, event.on_behalf_of_id, case.state) == (club.person(OWNER).id, club.person(LILEI).id, done)
        assert (page.status, [mail.to for mail in club.new_mails()]) == (200, [LILEI, ADMIN])
    assert (club.person(LILEI).display_name, club.person(LILEI).status) == ("北京+李雷", "departed")
    assert desk.get(f"{record}/new-name").soup.select("form[method=post]") == []


def fields_of(page: Page) -> list[tuple[str, str, str, list[str]]]:
    """Each field of the form: its label, what stands in it, and the hints and errors beside it."""
    return [
        (field.select_one("label").text, page.value(str(field.select_one("[name]")["name"])), field.get("class"),  # type: ignore
         [beside.text for beside in field.select(".hint, .error")])
        for field in page.soup.select("form.card .field, form.card .field-tick")
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "wrong"), [("new-name", {}), ("new-name", {"name": ""}), ("departure", None)])
def test_a_form_is_the_same_by_the_owner_s_hand(club: World, path: str, wrong: dict[str, str] | None) -> None:
    """The same is in it, the same is wrong with it; for a name it begins with the present one, which is none to hand in."""
    own = club.form_page(path, LILEI)
    theirs = club.sign_in(OWNER).get(f"/jiuniu/desk/people/{club.person(LILEI).id}/{path}")
    assert fields_of(theirs) == fields_of(own)
    if wrong is None:
        return
    assert (own.value("city"), own.value("name")) == ("武汉", "李雷")
    club.new_mails()
    refused, refused_too = own.press(**wrong), theirs.press(**wrong)
    assert (refused.status, refused_too.status, club.new_mails()) == (422, 422, [])
    assert fields_of(refused_too) == fields_of(refused) != fields_of(own)


def test_neither_an_admin_nor_the_owner_for_themself_uses_that_way(club: World) -> None:
    admin, owner = club.sign_in(ADMIN), club.sign_in(OWNER)
    assert admin.get(f"/jiuniu/desk/people/{club.person(LILEI).id}/departure").status == 403
    assert owner.get(f"/jiuniu/desk/people/{club.person(OWNER).id}/new-name").response.url.endswith(
        f"/people/{club.person(OWNER).id}"
    )
    assert owner.get(f"/jiuniu/desk/people/{club.person(LILEI).id}/new-address").status == 404


# The owner is away


def test_while_the_owner_is_away_the_admin_reviews_and_both_names_are_kept(club: World) -> None:
    desk = club.sign_in(OWNER)
    page = desk.get("/jiuniu/desk").press("away", until="2026-12-20")
    assert "12月20日" in page.text
    club.apply(email="new@qq.com", name="新人")
    club.open(club.mail("join.confirm_address", "new@qq.com")).press("confirm")
    club.open(club.mail("join.please_decide", ADMIN)).press("approve")
    case = club.case("join", "new@qq.com")
    [event] = club.rows(select(Event).where(Event.case_id == case.id, Event.action == "approve"))
    assert (event.who_id, event.on_behalf_of_id) == (club.person(ADMIN).id, club.person(OWNER).id)
    assert club.ledger(letter="join.please_decide", to=OWNER) == []
    desk.get("/jiuniu/desk").press("back")
    assert club.person(OWNER).away_until is None


def test_a_day_that_cannot_be_is_said_beside_the_field(club: World) -> None:
    page = club.sign_in(OWNER).get("/jiuniu/desk").press("away", until="昨天")
    assert (page.status, page.value("until"), "请填一年之内的某一天" in page.text) == (422, "昨天", True)


def test_a_session_of_weeks_leads_to_no_link_that_counts_as_fresh(club: World) -> None:
    browser = club.sign_in(LILEI)
    page = browser.get("/jiuniu/me")
    rooms = [str(a["href"]) for a in page.soup.select("nav.menu a")]
    found = [browser.get(str(a["href"])) for room in rooms for a in browser.get(room).soup.select("main a[href*='/c/']")]
    asking = {here.soup.h1.contents[0] for here in found if here.soup.h1 and here.actions == ["fresh"]}
    assert asking == {"退出读书会", "更换邮箱"}
    assert "export" not in browser.get(rooms[-1]).actions


def test_a_new_address_ends_the_sessions_of_before(club: World) -> None:
    browser = club.sign_in(LILEI)
    club.press_as_a_person(club.form_page("new-address", LILEI), email="lilei@gmail.com")
    assert "武汉+李雷" in browser.get("/jiuniu/me").text
    club.open(club.mail("new_address.confirm_new_address", "lilei@gmail.com")).press("confirm")
    assert "武汉+李雷" not in browser.get("/jiuniu/me").text


def test_no_mailbox_is_filled_through_the_form_for_a_new_address(club: World) -> None:
    answers = []
    for _time in range(4):
        page = club.press_as_a_person(club.form_page("new-address", LILEI), email="stranger@example.org")
        answers.append(page.status)
        if page.status == 200:
            page.press("withdraw")
    assert answers == [200, 200, 200, 429]


def test_the_owner_acts_for_nobody_after_the_end_of_a_matter(club: World) -> None:
    """What may be done afterwards (sharing, stepping down) is the person's alone."""
    case_id = _office_of(club, ADMIN)
    owner = club.person(OWNER)
    link = Link("case", club.club_id, owner.id, owner.link_epoch, case_id, club.now)
    page = club.browser().get(f"/c/{club.service.links.token(link)}?for=person")
    assert page.actions == ["dismiss"]
    assert page.forge("step_down", **{"for": "person"}).status == 403
    assert club.person(ADMIN).role == "admin"


def _office_of(world: World, address: str) -> int:
    def unit(session: Session) -> int:
        enter_club(session, world.club_id)
        person = session.get_one(Person, (world.club_id, world.person(address).id))
        return open_case(session, "nomination", person, by=Hand(None, "command"), now=world.now).id

    return world.service.db.write(unit)
