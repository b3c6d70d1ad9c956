"""GET shows, POST acts; a link carries no right; every dead link says what to do."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from sqlalchemy import func, select

from engine.security.links import Link
from engine.storage.models import Case, Event, Heartbeat, Letter, Person, WebSession
from tests.world import World

TABLES = (Case, Event, Letter, Person, WebSession)


def counts(world: World) -> list[int]:
    return [world.rows(select(func.count()).select_from(table))[0] for table in TABLES]


def test_looking_at_every_link_of_every_mail_changes_nothing(world: World) -> None:
    world.join()
    world.tick()
    before = counts(world), [case.version for case in world.rows(select(Case))]
    for mail in world.mails:
        for link in mail.links:
            for method in ("GET", "HEAD", "OPTIONS"):
                status = world.browser().session.request(method, link, timeout=60).status_code
                assert status in (200, 302), (method, link, status)
    assert (counts(world), [case.version for case in world.rows(select(Case))]) == before


def test_a_damaged_link_is_healed_where_that_is_unambiguous(world: World) -> None:
    world.apply()
    link = world.mail("join.confirm_address").link()
    token = urlsplit(link).path.removeprefix("/c/")
    browser = world.browser()
    for healed in (
        f"{token}>",
        f"{token}。",
        f"{token}.",
        f"=3D{token}",
        f"{token[:20]}={token[20:]}",
        f"<{token}>",
    ):
        assert browser.get(f"/c/{requests_quote(healed)}").status == 200, healed
    changed = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    for dead in (changed, token[:-1], "", "nonsense"):
        assert browser.get(f"/c/{dead}").status == 404, dead


def requests_quote(text: str) -> str:
    return quote(text, safe="=")


def test_another_person_s_case_is_not_found(world: World) -> None:
    world.join()
    world.join(email="b@qq.com", name="乙")
    mine = world.rows(select(Case).where(Case.workflow == "study_plan"))
    other = next(person for person in world.rows(select(Person)) if person.address == "b@qq.com")
    theirs = next(case for case in mine if case.person_id != other.id)
    token = world.service.links.token(
        Link("case", world.club_id, other.id, other.link_epoch, theirs.id, world.now)
    )
    assert world.browser().get(f"/c/{token}").status == 404


def test_a_link_older_than_180_days_says_so_and_how_to_get_a_fresh_one(world: World) -> None:
    welcome = world.join()
    world.pass_time(days=181)
    page = world.browser().get(welcome.link("/me/"))
    assert page.status == 410
    assert "李雷" not in page.response.text and "lilei" not in page.response.text
    assert page.soup.select_one('a[href$="/jiuniu/desk"]')


def test_old_links_live_with_the_fallback_key(world: World, begin: Callable[..., World]) -> None:
    world.apply()
    link = world.mail("join.confirm_address").link()
    old = world.service.settings.secret_keys[0]
    turned = begin(
        **world.same_data
        | {"JIUNIU_SECRET_KEY": "a-new-key-of-many-letters", "JIUNIU_SECRET_KEY_FALLBACKS": old},
    )
    assert turned.browser().get(urlsplit(link).path).status == 200
    strange = begin(**world.same_data | {"JIUNIU_SECRET_KEY": "a-new-key-of-many-letters"})
    assert strange.browser().get(urlsplit(link).path).status == 404


def test_the_desk_is_behind_a_mailed_link_that_works_once(world: World) -> None:
    browser = world.browser()
    page = browser.get("/jiuniu/desk")
    assert "李雷" not in page.text
    world.press_as_a_person(page, email="owner@qq.com")
    mail = world.mail("club.sign_in")
    confirm = world.open(mail, browser)
    assert confirm.actions == ["confirm"]
    assert world.rows(select(func.count()).select_from(WebSession)) == [0]
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    desk = confirm.press("confirm")
    assert desk.status == 200 and "李雷" in desk.text
    used = world.open(mail).press("confirm")
    assert used.status == 410
    assert browser.get("/jiuniu/desk").text == desk.text


def test_a_sign_in_link_lives_half_an_hour(world: World) -> None:
    world.press_as_a_person(world.browser().get("/jiuniu/desk"), email="owner@qq.com")
    mail = world.mail("club.sign_in")
    world.pass_time(minutes=31)
    assert world.open(mail).status == 410


def test_asking_for_a_sign_in_tells_strangers_nothing(world: World) -> None:
    pages = [
        world.press_as_a_person(world.browser().get("/jiuniu/desk"), email=email)
        for email in ("owner@qq.com", "who@qq.com")
    ]
    assert pages[0].text == pages[1].text
    assert world.new_letters() == [("club.sign_in", "owner@qq.com")]


def test_unsubscribing_takes_a_post_and_no_token(world: World) -> None:
    world.join()
    world.pass_time(days=2, hours=22)
    reminder = world.mail("study_plan.due_soon")
    link = reminder.message["List-Unsubscribe"].strip("<>")
    assert reminder.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert world.browser().get(link).status == 200
    assert world.rows(select(Person.fewer_reminders).where(Person.role == "member")) == [False]
    assert world.browser().post(link, {"List-Unsubscribe": "One-Click"}).status == 200
    assert world.rows(select(Person.fewer_reminders).where(Person.role == "member")) == [True]


def test_ids_cannot_be_walked(world: World) -> None:
    for path in (
        "/c/1",
        "/me/1",
        "/unsubscribe/1",
        "/nobody/",
        "/nobody/join",
        "/jiuniu/leave",
        "/mailbox",
        "/jiuniu/desk/1",
        "/c/",
    ):
        assert world.browser().get(path).status == 404, path


def test_the_heartbeat_shows_the_last_tick(world: World) -> None:
    world.tick()
    assert world.browser().get("/readyz").response.json()["status"] == "ready"
    assert [
        beat.name for beat in world.rows(select(Heartbeat).where(Heartbeat.name == "sweep"))
    ] == ["sweep"]
