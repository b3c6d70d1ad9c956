"""Rows damaged by hand, or of a newer version: everything else works, and they are named."""

from __future__ import annotations

import json
import os
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from engine.setup.club_admin import CharterChanged, change_club
from engine.storage.models import Case, Club
from tests.shell import Shell
from tests.world import World
from web.commands.doctor import examine

PEOPLE = {"a@qq.com": "甲", "b@qq.com": "乙", "c@qq.com": "丙", "d@qq.com": "丁"}
DESK = (
    "",
    "/waiting",
    "/late",
    "/people",
    "/letters",
    "/ahead",
    "/group",
    "/figures",
    "/offices",
    "/settings",
    "/settings/duties",
    "/settings/texts",
    "/settings/clauses",
    "/settings/deciders",
    "/settings/history",
    "/settings/club",
    "/club",
    "/members",
)
ROOMS = ("", "record", "letters", "settings", "data")


def damage(world: World, statement: str, **values: object) -> None:
    with world.service.db.writer.begin() as connection:
        connection.execute(text(statement), values)


def damaged(world: World) -> dict[str, Case]:
    """A workflow nobody knows, a state nobody knows, answers that are no object; and one plan that
    is sound."""
    for address, name in PEOPLE.items():
        world.join(email=address, name=name)
    world.new_mails()
    cases = {address: world.case("study_plan", address) for address in PEOPLE}
    named = [case.id for case in cases.values()]
    damage(
        world,
        "UPDATE \"case\" SET workflow = 'book_circle', state = 'sitting' WHERE id = :id",
        id=named[0],
    )
    damage(
        world, "UPDATE \"case\" SET state = 'weighing', turn = 'owner' WHERE id = :id", id=named[1]
    )
    damage(
        world,
        'UPDATE "case" SET answers = :answers WHERE id = :id',
        answers='["a list"]',
        id=named[2],
    )
    return cases


def look_everywhere(world: World) -> dict[str, int]:
    """Every page that tells of cases, by the owner and by everybody concerned, and what went wrong
    on it."""
    owner = world.sign_in("owner@qq.com")
    pages = {path: owner.get(f"/jiuniu/desk{path}") for path in DESK}
    for address in PEOPLE:
        pages |= {f"{address}/{room}": world.open_own_page(address, room) for room in ROOMS}
        pages[f"record of {address}"] = owner.get(f"/jiuniu/desk/people/{world.person(address).id}")
        links = {str(link["href"]) for link in pages[f"{address}/"].soup.select('a[href*="/c/"]')}
        links |= {
            str(link["href"])
            for link in pages[f"record of {address}"].soup.select('a[href*="/c/"]')
        }
        pages |= {
            f"{address} {number}": owner.get(link) for number, link in enumerate(sorted(links))
        }
    for number, link in enumerate(
        {str(link["href"]) for link in pages[""].soup.select('main a[href*="/c/"]')}
    ):
        pages[f"desk {number}"] = owner.get(link)
    assert len(pages) > 40
    return {path: page.status for path, page in pages.items() if page.status != 200}


@pytest.mark.postgres
def test_every_page_goes_on_and_says_which_case_cannot_be_read(world: World) -> None:
    cases = damaged(world)
    assert look_everywhere(world) == {}
    owner = world.sign_in("owner@qq.com")
    broken = owner.get("/jiuniu/desk").text
    assert "book_circle/sitting" in broken and "study_plan/weighing" in broken
    here = world.open_own_page("c@qq.com").soup.select_one('main a[href*="/c/"]')
    assert here is not None
    page = world.browser().get(str(here["href"]))
    assert "这件事暂时读不出来" in page.text and page.actions == []
    assert (
        page.browser.post(
            str(here["href"]), {"csrf_token": page.browser.get("/jiuniu/join").value("csrf_token")}
        ).status
        == 403
    )
    named = [finding.says for finding in examine(world.service) if finding.check == "case"]
    assert sorted(says.split()[1] for says in named) == sorted(
        str(cases[address].id) for address in list(PEOPLE)[:3]
    )
    foreseen = Shell(
        world.same_data | {"JIUNIU_CLOCK_FILE": str(world.folder / "clock-file")}
    ).json("due", "--days", "14")
    assert "study_plan.due_soon" in {row["letter"] for row in foreseen}


def test_the_sound_case_is_reminded_the_owner_hears_of_the_others_and_they_can_be_ended(
    world: World,
) -> None:
    cases = damaged(world)
    world.live_until(world.now + timedelta(days=5), step=timedelta(hours=6))
    sound = world.case("study_plan", "d@qq.com")
    assert (sound.state, sound.trouble) == ("overdue", "")
    daily = world.mail("club.daily", "owner@qq.com").text
    assert daily.count("这个版本读不出来") == 3, daily
    owner = world.sign_in("owner@qq.com")
    for address in list(PEOPLE)[:3]:
        page = owner.get(f"/jiuniu/desk/people/{world.person(address).id}/departure")
        assert page.press(why="在群里说要走。").status == 200
    with world.service.db.read(world.club_id) as session:
        assert {
            session.get_one(Case, (world.club_id, cases[a].id)).state for a in list(PEOPLE)[:3]
        } == {"void"}


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_answers_that_are_no_json_at_all_stop_no_page(world: World) -> None:
    world.join(email="a@qq.com")
    plan = world.case("study_plan", "a@qq.com")
    damage(world, 'UPDATE "case" SET answers = \'{"goals": "half\' WHERE id = :id', id=plan.id)
    damage(world, "UPDATE event SET answers = 'nonsense' WHERE case_id = :id", id=plan.id)
    owner = world.sign_in("owner@qq.com")
    assert [owner.get(f"/jiuniu/desk{path}").status for path in DESK] == [200] * len(DESK)
    assert [world.open_own_page("a@qq.com", room).status for room in ROOMS] == [200] * len(ROOMS)


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_damaged_charter_is_as_shipped_in_that_place_until_it_is_saved(world: World) -> None:
    with world.service.db.read() as session:
        charter = json.loads(
            session.connection().execute(text("SELECT charter FROM club")).scalar_one()
        )
    charter["numbers"] |= {"plan_days": "many", "karma": 3, "return_days": 5}
    for table in ("club", "charter_change"):
        damage(
            world,
            f"UPDATE {table} SET charter = :charter",
            charter=json.dumps(charter | {"mood": 1}),
        )
    damage(world, "UPDATE club SET charter_version = 2")
    owner = world.sign_in("owner@qq.com")
    assert [owner.get(f"/jiuniu/desk{path}").status for path in DESK] == [200] * len(DESK)
    assert "章程里这些地方坏了：plan_days" in owner.get("/jiuniu/desk").text
    says = [finding.says for finding in examine(world.service) if finding.check == "charter"]
    assert says == ["the charter of club jiuniu is damaged in plan_days: there it is as shipped"]
    page = owner.get("/jiuniu/desk/settings/duties")
    assert (page.value("plan_days"), page.value("return_days")) == ("3", "5")
    assert page.press("preview", plan_days="4").press("save").status == 200
    assert "这些地方坏了" not in owner.get("/jiuniu/desk").text
    damage(world, "UPDATE club SET charter = 'nonsense', charter_version = 9")
    assert "这些地方坏了：charter" in owner.get("/jiuniu/desk").text


# Two who change the same thing in the same moment


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_club_apply_does_not_overwrite_what_was_saved_while_it_read(world: World) -> None:
    """The command reads the file from a pipe: while it waits there, somebody saves on the settings
    page."""
    pipe, shell = world.folder / "charter.toml", Shell(world.same_data)
    done: list[object] = []
    os.mkfifo(pipe)
    command = threading.Thread(target=lambda: done.append(shell("club", "apply", str(pipe))))
    command.start()
    with pipe.open(
        "w"
    ) as file:  # opens once the command has read the charter and waits for the file
        owner = world.sign_in("owner@qq.com")
        owner.get("/jiuniu/desk/settings/duties").press("preview", plan_days="9").press("save")
        file.write("plan_days = 5\n")
    command.join(60)
    [answer] = done
    assert (answer.returncode, "in the same moment" in answer.stderr) == (1, True), answer  # type: ignore[attr-defined]
    assert owner.get("/jiuniu/desk/settings/duties").value("plan_days") == "9"
    pipe.unlink()
    pipe.write_text("plan_days = 5\n")
    assert shell("club", "apply", str(pipe)).returncode == 0
    assert owner.get("/jiuniu/desk/settings/duties").value("plan_days") == "5"


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_name_and_a_zone_given_at_once_both_stay(world: World) -> None:
    change, now = world.service.db.write, world.now
    page = (
        world.sign_in("owner@qq.com")
        .get("/jiuniu/desk/settings/club")
        .press("preview", name="新名字")
    )
    change(change_club, world.club_id, zone="Asia/Urumqi", now=now)
    again = page.press("save")
    assert (again.status, again.fields("save")["zone"], again.actions) == (
        200,
        "Asia/Shanghai",
        page.actions,
    )
    with pytest.raises(CharterChanged):
        change(change_club, world.club_id, name="x", now=now, over=("九牛读书会", "Asia/Shanghai"))
    with world.service.db.read() as session:
        row = session.connection().execute(text("SELECT name, zone FROM club")).one()
    assert tuple(row) == ("九牛读书会", "Asia/Urumqi")


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
@pytest.mark.parametrize("raw", ["nonsense", '["a", 1]', '"a text"'])
def test_what_cannot_be_read_is_copied_as_it_is(world: World, raw: str) -> None:
    damage(world, "UPDATE club SET charter = :raw", raw=raw)
    with world.service.db.writer.begin() as connection:
        [found] = connection.execute(select(Club.charter)).scalars()
        connection.execute(update(Club).values(charter=found))
        [copied] = connection.execute(text("SELECT charter FROM club")).scalars()
    assert json.loads(copied) == (raw if raw == "nonsense" else json.loads(raw))
