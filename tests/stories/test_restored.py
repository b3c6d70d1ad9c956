"""The machine is gone; yesterday's backup comes back on another one, under the same address."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from engine.outbox import delivery_log
from tests.page import path_of
from tests.shell import Shell
from tests.world import World

# A backup is a copy of SQLite's file; PostgreSQL brings its own tools.
pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


class Brought:
    """The database that a restore left in a folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "jiuniu.sqlite"

    def settings(self, folder: Path, name: str, *, bare: bool = False) -> dict[str, str]:
        shutil.copy(self.file, folder / "jiuniu.sqlite")
        return {"JIUNIU_DATA_DIR": str(folder)}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell({"JIUNIU_DATA_DIR": str(tmp_path / "elsewhere")})


def test_a_club_moves_to_another_machine(world: World, shell: Shell, tmp_path: Path) -> None:
    world.join()
    world.apply(email="hanmeimei@163.com", name="韩梅梅")
    waiting = [
        row["to"] for row in world.ledger(state="queued") if row["letter"] == "join.confirm_address"
    ]
    assert waiting == ["hanmeimei@163.com"], "her letter has not left when the backup is made"
    at_home = Shell({"JIUNIU_DATA_DIR": str(world.folder / "data")})
    assert at_home("backup", str(tmp_path / "club.tar.gz")).returncode == 0, (
        "beside the running server"
    )
    link = world.mail("join.confirm_address", "hanmeimei@163.com").link()
    before = world.now

    done = shell("restore", str(tmp_path / "club.tar.gz"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "unsent letters are held and the post rests" in done.stdout
    again = shell("restore", str(tmp_path / "club.tar.gz"))
    assert again.returncode == 1 and "--replace keeps it aside" in again.stderr

    folder = tmp_path / "elsewhere"
    (tmp_path / "new").mkdir()
    new = World.begin(
        tmp_path / "new", Brought(folder), JIUNIU_SECRET_KEY_FILE=str(folder / "secret-key")
    )
    try:
        _lives_on(new, world.club_id, path_of(link), before)
    finally:
        new.end()


def _lives_on(new: World, club_id: int, link: str, before: object) -> None:
    new.club_id = club_id
    new.set_clock(before)  # type: ignore[arg-type]
    page = new.open(link)
    assert page.status == 200 and page.actions == ["confirm"], (
        "a link of the old machine opens the same case"
    )
    page.press("confirm")
    new.live_until(new.now + timedelta(days=2, hours=23), step=timedelta(hours=6))
    assert new.mails == [], (
        "what was on its way, what she started, what the clock found: nothing leaves"
    )
    held, queued = (
        {(row["letter"], row["to"]) for row in new.ledger(state=state)}
        for state in ("held", "queued")
    )
    assert ("join.confirm_address", "hanmeimei@163.com") in held
    assert {
        ("join.please_decide", "owner@qq.com"),
        ("study_plan.due_soon", "lilei@qq.com"),
    } <= queued

    new.service.db.write(delivery_log.release_all, new.now)
    came = new.new_letters()
    ids = [mail.message["Message-ID"] for mail in new.mails]
    assert (
        len(ids) == len(set(ids))
        and [row["attempts"] for row in new.ledger(state="sent") if row["attempts"] > 1] == []
    ), "each once"
    assert {("join.please_decide", "owner@qq.com"), ("study_plan.due_soon", "lilei@qq.com")} <= set(
        came
    )
    assert ("join.confirm_address", "hanmeimei@163.com") not in came, (
        "she has confirmed: that letter is out of date"
    )
    assert ("join.welcome", "lilei@qq.com") not in came, "he had his welcome from the old machine"
    assert new.new_letters() == []


def test_the_desk_says_that_the_post_rests(world: World) -> None:
    world.service.db.write(delivery_log.hold_all, world.now)
    browser = world.browser()
    page = browser.get("/jiuniu/desk")
    world.press_as_a_person(page, email="owner@qq.com")
    assert world.new_letters() == [], "even the way in waits"
    [letter] = [row["id"] for row in world.ledger(state="queued")]
    assert world.service.db.write(delivery_log.hold, world.club_id, letter, world.now)
    assert world.service.db.write(delivery_log.release, world.club_id, letter, world.now)
    desk = world.open(world.new_mails()[-1].links[0], browser).press("confirm")
    assert "发信已暂停：现在不会寄出任何邮件" in desk.text
    world.service.db.write(delivery_log.release_all, world.now)
    assert "发信已暂停" not in browser.get("/jiuniu/desk").text
