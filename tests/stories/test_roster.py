"""An existing group moves in from a spreadsheet, by page or by command (clause 2.2)."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bs4 import Tag
from sqlalchemy import func, select

from engine.storage.models import Case, Letter, Person
from engine.text.csv_table import MOST_BYTES
from tests.page import Browser, Page
from tests.shell import Shell
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
LIST = "姓名,邮箱,城市,加入日期,角色,备注\n李雷,lilei@qq.com,武汉,2026年3月1日,管理员,旧人\n韩梅梅,hanmeimei@163.com,荆州,,,\n王五,,北京,,,\n"
DESK = "/jiuniu/desk/members"


def signed_in(world: World, address: str = "owner@qq.com", language: str = "zh-CN") -> Browser:
    browser = world.browser(language)
    world.press_as_a_person(browser.get("/jiuniu/desk"), email=address)
    world.open(world.mail("club.sign_in", address), browser).press("confirm")
    return browser


def upload(page: Page, data: bytes, name: str = "members.csv", **typed: str) -> Page:
    fields = page.fields("check") | {"action": "check"} | typed
    return page.browser.post(page.response.url, fields, files={"file": (name, data, "text/csv")})


def members(world: World) -> list[str]:
    return sorted(world.rows(select(Person.name).where(Person.status == "member")))


def said_by(page: Page) -> list[str]:
    section = page.soup.find(id="bad")
    assert section is not None and isinstance(section.parent, Tag)
    return [
        " ".join(row.get_text(" ", strip=True).split()) for row in section.parent.select(".row")
    ]


@pytest.mark.postgres
def test_the_owner_uploads_a_list_sees_what_would_happen_and_brings_them_in(world: World) -> None:
    browser = signed_in(world)
    desk = browser.get("/jiuniu/desk")
    [link] = desk.soup.select(f'a[href="{DESK}"]')
    looked = upload(browser.get(str(link["href"])), LIST.encode("gb18030"))
    assert looked.status == 200 and said_by(looked) == ["第 4 行： 王五 缺少邮箱"]
    for said in (
        "武汉+李雷",
        "荆州+韩梅梅",
        "2026-03-01 加入",
        "管理员",
        "没有用到的列： 备注",
        "导入这 2 人",
    ):
        assert said in looked.text
    assert (members(world), [name for name, _to in world.new_letters()]) == (
        ["陈老师"],
        ["club.sign_in"],
    )

    done = looked.press("import")
    assert (
        done.status == 200
        and "已导入 2 人。" in done.text
        and said_by(done) == ["第 4 行： 王五 缺少邮箱"]
    )
    assert world.new_letters() == [
        ("club.imported", "hanmeimei@163.com"),
        ("club.imported", "lilei@qq.com"),
    ]
    assert members(world) == ["李雷", "陈老师", "韩梅梅"]
    lilei = next(person for person in world.rows(select(Person)) if person.name == "李雷")
    assert (lilei.role, lilei.display_name, lilei.joined_at) == (
        "admin",
        "武汉+李雷",
        datetime(2026, 2, 28, 16, tzinfo=UTC),
    )
    assert world.rows(select(func.count()).select_from(Case).where(Case.turn != "")) == [0]

    corrected = done.press(
        "check", cells=done.value("cells").replace("王五,", "王五,wangwu@qq.com")
    )
    assert "导入这 1 人" in corrected.text and "已经是成员，保持不变：2 人" in corrected.text
    home = corrected.press("import")
    assert home.response.history[0].status_code == 303 and "已导入 1 人。" in home.text
    assert world.new_letters() == [("club.imported", "wangwu@qq.com")]


def test_a_member_reads_the_charter_on_their_own_page_and_it_is_written_down(world: World) -> None:
    signed_in(world).get(DESK).press("check", cells=LIST).press("import")
    welcome = world.mail("club.imported", "lilei@qq.com")
    assert "陈老师" in welcome.text and "章程 2.2" in welcome.text
    page = world.open(welcome.link("/me/"))
    assert "acknowledge" in page.actions
    assert "acknowledge" not in page.press("acknowledge").actions
    lilei = next(person for person in world.rows(select(Person)) if person.name == "李雷")
    assert (
        lilei.charter_version == 1
        and 0 <= (world.now - lilei.charter_acknowledged_at).total_seconds() < 60
    )


def test_cells_may_be_pasted_and_the_page_speaks_english(world: World) -> None:
    page = signed_in(world, language="en").get(DESK + "?lang=en")
    assert "Bring in members" in page.text
    owner = page.browser
    looked = Page(
        owner,
        owner.session.post(
            page.response.url,
            data=page.fields("check")
            | {"action": "check", "cells": "name\temail\nJim Green\tjim@example.com\nLi\tli@\n"},
        ),
    )
    assert said_by(looked) == ["Row 3: Li “li@” is no e-mail address; an example is lilei@qq.com"]
    assert "Import one member" in looked.text


def test_a_list_from_the_chat_needs_no_row_of_column_names(world: World) -> None:
    browser = signed_in(world)
    pasted = "1. 李雷 lilei@qq.com\n2. 荆州+韩梅梅，hanmeimei@163.com\n3. 王五\n"
    looked = browser.get(DESK).press("check", cells=pasted)
    assert (looked.status, said_by(looked)) == (200, ["第 3 行： 王五 缺少邮箱"])
    assert [item.get_text(strip=True) for item in looked.soup.select(".menu [aria-current]")] == [
        "导入成员"
    ]
    done = looked.press("import")
    assert members(world) == ["李雷", "陈老师", "韩梅梅"]
    assert "看看成员名单" in browser.get(f"{DESK}?imported=2").text and done.status == 200


def test_looking_changes_nothing_and_importing_twice_is_importing_once(world: World) -> None:
    page = signed_in(world).get(DESK)
    looked = page.press("check", cells=LIST)
    looked.press("import")
    world.new_mails()
    before = world.rows(select(func.count()).select_from(Letter)), members(world)
    again = looked.press("import")
    assert "已导入 0 人。" in again.text
    page.browser.get(DESK + "?imported=7")
    world.tick()
    assert (world.rows(select(func.count()).select_from(Letter)), members(world)) == before


@pytest.mark.parametrize("given", [{"cells": ""}, {"cells": "李雷 武汉"}])
def test_what_cannot_be_used_is_refused_and_shown_again(
    world: World, given: dict[str, str]
) -> None:
    refused = signed_in(world).get(DESK).press("check", **given)
    assert (refused.status, refused.value("cells")) == (422, given["cells"])
    assert "还没有导入任何人" in refused.text
    long = "长" * (MOST_BYTES + 1)
    kept = upload(refused, b"", cells=long)
    assert (kept.status, kept.value("cells")) == (422, long)
    assert upload(refused, b"PK\x03\x04 a workbook", "members.xlsx").status == 422


def test_only_the_owner_brings_people_in(world: World) -> None:
    stranger = world.browser()
    assert stranger.get(DESK).response.url.endswith("/jiuniu/desk")
    owner = signed_in(world)
    looked = owner.get(DESK).press("check", cells=LIST)
    looked.press("import")
    admin = signed_in(world, "lilei@qq.com")
    assert admin.get(DESK).status == 403
    assert DESK not in str(admin.get("/jiuniu/desk").soup)
    typed = {
        "action": "import",
        "cells": "name,email\nX,x@qq.com\n",
        "csrf_token": admin.get("/jiuniu/me").value("csrf_token"),
    }
    assert admin.post(DESK, typed).status == 403
    assert "X" not in members(world)


def test_nothing_typed_is_lost_when_the_page_or_the_sign_in_is_too_old(world: World) -> None:
    browser = signed_in(world)
    looked = browser.get(DESK).press("check", cells=LIST)
    forged = browser.post(DESK, {"action": "import", "cells": LIST, "csrf_token": "nonsense"})
    assert (forged.status, forged.value("cells").replace("\r\n", "\n").strip()) == (
        400,
        LIST.strip(),
    )
    browser.session.cookies.clear(domain="127.0.0.1", path="/jiuniu/", name="jiuniu_session")
    late = looked.press("import")
    assert (late.status, late.value("cells").replace("\r\n", "\n").strip()) == (403, LIST.strip())
    assert "登录已过期" in late.text and members(world) == ["陈老师"]


def test_what_somebody_wrote_in_a_cell_stays_text(world: World) -> None:
    nasty = '"><img src=x onerror=alert(1)>{{7*7}}'
    looked = (
        signed_in(world)
        .get(DESK)
        .press(
            "check", cells=f'name,email\n"{nasty.replace(chr(34), chr(34) * 2)}",a@qq.com\n=1+1,\n'
        )
    )
    assert nasty in looked.text and not looked.soup.select("main img") and "49" not in looked.text
    looked.press("import")
    assert nasty in world.mail("club.imported").text


# The command


@pytest.fixture
def club(tmp_path: Path) -> Path:
    run(
        tmp_path,
        "club",
        "create",
        "--slug",
        "jn",
        "--name",
        "九牛读书会",
        "--owner-email",
        "owner@qq.com",
        "--owner-name",
        "陈老师",
    )
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return Shell({"JIUNIU_DATA_DIR": str(folder / "data")})(*words)


def listed(folder: Path) -> list[Any]:
    return [
        (row["name"], row["email"], row["role"])
        for row in json.loads(run(folder, "members", "list", "--json").stdout)
    ]


@pytest.mark.postgres
def test_the_command_looks_first_and_then_brings_them_in_once(club: Path) -> None:
    file = club / "members.csv"
    file.write_bytes(LIST.encode("gb18030"))
    dry = run(club, "members", "import", str(file), "--dry-run")
    assert dry.returncode == 1 and dry.stdout.splitlines() == [
        "2  李雷  would be imported",
        "3  韩梅梅  would be imported",
        "4  王五  bad  The e-mail address is missing",
        "2 would be imported, 0 already a member, 1 bad; ignored columns: 备注",
    ]
    assert listed(club) == [("陈老师", "owner@qq.com", "owner")]
    assert run(club, "members", "import", str(file)).returncode == 1
    assert sorted(listed(club)) == [
        ("李雷", "lilei@qq.com", "admin"),
        ("陈老师", "owner@qq.com", "owner"),
        ("韩梅梅", "hanmeimei@163.com", "member"),
    ]
    file.write_text(LIST.replace("王五,,", "王五,wangwu@qq.com,"), encoding="utf-8-sig")
    again = run(club, "members", "import", str(file), "--club", "jn", "--json")
    assert again.returncode == 0 and json.loads(again.stdout) == [
        {"row": 2, "name": "李雷", "outcome": "already a member", "reason": ""},
        {"row": 3, "name": "韩梅梅", "outcome": "already a member", "reason": ""},
        {"row": 4, "name": "王五", "outcome": "imported", "reason": ""},
    ]
    letters = json.loads(run(club, "letters", "list", "--json").stdout)
    assert sorted((row["letter"], row["to"]) for row in letters) == [
        ("club.imported", "hanmeimei@163.com"),
        ("club.imported", "lilei@qq.com"),
        ("club.imported", "wangwu@qq.com"),
    ]


def test_a_file_that_cannot_be_used_is_status_two_and_one_line_says_why(club: Path) -> None:
    file = club / "members.csv"
    file.write_text("姓名,电话\n李雷,1\n", encoding="utf-8")
    wrong = run(club, "members", "import", str(file))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert (
        "members.csv: The first row has to name the columns; missing: email (邮箱). It says: 姓名, 电话"
        in wrong.stderr
    )
    assert run(club, "members", "import", str(club / "nowhere.csv")).returncode == 2
