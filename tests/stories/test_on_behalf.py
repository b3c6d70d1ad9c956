"""The owner acts for a member, and an admin for the owner who is away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.cases.transitions import open_case
from engine.declare.transition import Actor
from engine.security.links import Link
from engine.storage.database import enter_club
from engine.storage.models import Event, Person
from engine.storage.unit_of_work import ClubSession
from tests.page import Page
from tests.stories.test_leaving import ADMIN, LILEI, OWNER, PLAN, with_members
from tests.world import World


@pytest.fixture
def club(world: World) -> World:
    return with_members(world)


# The owner acts for a member


@pytest.mark.postgres
def test_the_owner_acts_for_a_member_who_cannot_get_at_the_mail(world: World) -> None:
    world.join()
    world.live_until(world.now + timedelta(days=5), step=timedelta(hours=6))
    desk = world.sign_in(OWNER)
    late = next(
        str(a["href"])
        for a in desk.get("/jiuniu/desk").soup.select("a.row-link")
        if "李雷" in a.text
    )
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
    token = club.service.links.token(
        Link("case", club.club_id, admin.id, admin.link_epoch, case.id, club.now)
    )
    assert "submit" not in club.browser().get(f"/c/{token}?for=person").actions


def test_who_asks_by_telephone_is_renamed_and_leaves_by_the_owner_s_hand(club: World) -> None:
    desk = club.sign_in(OWNER)
    record = f"/jiuniu/desk/people/{club.person(LILEI).id}"
    for path, typed, done in (
        ("new-name", {"name": "李雷", "city": "北京"}, "renamed"),
        ("departure", {"why": "工作太忙。"}, "departed"),
    ):
        club.new_mails()
        link = next(
            str(a["href"])
            for a in desk.get(record).soup.select("main a")
            if str(a["href"]).endswith(path)
        )
        page = desk.get(link).press(**typed)
        case = club.case(path.replace("-", "_"), LILEI)
        [event] = club.rows(select(Event).where(Event.case_id == case.id))
        assert (event.who_id, event.on_behalf_of_id, case.state) == (
            club.person(OWNER).id,
            club.person(LILEI).id,
            done,
        )
        assert (page.status, [mail.to for mail in club.new_mails()]) == (200, [LILEI, ADMIN])
    assert (club.person(LILEI).display_name, club.person(LILEI).status) == ("北京+李雷", "departed")
    assert desk.get(f"{record}/new-name").soup.select("form[method=post]") == []


def fields_of(page: Page) -> list[tuple[str, str, str, list[str]]]:
    """Each field of the form: its label, what stands in it, and the hints and errors beside it."""
    return [
        (
            field.select_one("label").text,
            page.value(str(field.select_one("[name]")["name"])),
            field.get("class"),  # type: ignore
            [beside.text for beside in field.select(".hint, .error")],
        )
        for field in page.soup.select("form.card .field, form.card .field-tick")
    ]


@pytest.mark.parametrize(
    ("path", "wrong"), [("new-name", {}), ("new-name", {"name": ""}), ("departure", None)]
)
def test_a_form_is_the_same_by_the_owner_s_hand(
    club: World, path: str, wrong: dict[str, str] | None
) -> None:
    """The same is in it, the same is wrong with it; for a name it begins with the present one,
    which is none to hand in."""
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


def test_the_owner_acts_for_nobody_after_the_end_of_a_matter(club: World) -> None:
    """What may be done afterwards (sharing, stepping down) is the person's alone."""
    case_id = _office_of(club, ADMIN)
    owner = club.person(OWNER)
    link = Link("case", club.club_id, owner.id, owner.link_epoch, case_id, club.now)
    page = club.browser().get(f"/c/{club.service.links.token(link)}?for=person")
    assert page.actions == ["dismiss"]
    asked = page.forge("step_down", **{"for": "person"})  # the link is new in this browser
    assert asked.press("step_down").status == 403
    assert club.person(ADMIN).role == "admin"


def _office_of(world: World, address: str) -> int:
    def unit(session: ClubSession) -> int:
        enter_club(session, world.club_id)
        person = session.get_one(Person, (world.club_id, world.person(address).id))
        return open_case(session, "nomination", person, by=Actor(None, "command"), now=world.now).id

    return world.service.db.write(unit)


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
