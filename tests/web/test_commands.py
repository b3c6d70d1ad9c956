"""The commands: useful exit status, one line for an error, JSON for lists."""

from __future__ import annotations

import json
import locale
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url

from app import create_app
from engine.club.context import by_slug
from engine.club.people import add_person
from engine.settings import SettingsError, load
from engine.storage import schema
from engine.storage.database import Database, enter_club
from engine.storage.unit_of_work import ClubSession
from mailers.dev_mailbox import free_port
from tests.databases import SECRET_KEY, Databases
from tests.shell import Shell
from web import commands
from web.app import demo
from web.app.services import Services

ROOT = Path(__file__).resolve().parents[2]
CREATE = (
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


@pytest.fixture
def shell(tmp_path: Path, template: Databases) -> Shell:
    return Shell(template.settings(tmp_path / "data", "commands", bare=True))


@pytest.mark.postgres
def test_a_club_is_founded_shown_changed_and_exported(shell: Shell, tmp_path: Path) -> None:
    assert shell(*CREATE).stdout.strip() == "http://127.0.0.1:8000/jn/"
    assert shell.json("club", "list") == [
        {"slug": "jn", "name": "九牛读书会", "timezone": "Asia/Shanghai", "locale": "zh-CN"}
    ]
    [shown] = shell.json("club", "show")
    assert (shown["owner"], shown["members"], shown["charter_version"]) == ("owner@qq.com", 1, 1)
    exported = shell("club", "export").stdout
    changed = tmp_path / "charter.toml"
    changed.write_text(exported.replace("plan_days = 3", "plan_days = 5"))
    assert shell("club", "apply", str(changed)).stdout.strip() == "charter version 2"
    assert "plan_days = 5" in shell("club", "export").stdout
    changed.write_text(exported.replace("plan_days = 3", "plan_days = 0"))
    wrong = shell("club", "apply", str(changed))
    assert (
        wrong.returncode == 2
        and "numbers.plan_days: takes a whole number from 1 to 366, not 0" in wrong.stderr
    )
    assert (
        "--timezone: 'Mars/Olympus' is no time zone"
        in shell("club", "change", "--timezone", "Mars/Olympus").stderr
    )
    assert (
        shell("club", "change", "--name", "泰晤士读书会", "--timezone", "Europe/London").returncode
        == 0
    )
    [row] = shell.json("club", "list")
    assert (row["name"], row["timezone"]) == ("泰晤士读书会", "Europe/London")


def test_a_club_rests_goes_on_and_is_offered_from_the_command_line(
    shell: Shell, tmp_path: Path
) -> None:
    assert shell(*CREATE).returncode == 0
    assert shell("club", "pause", "--until", "2020-01-01").stderr.endswith(
        "--until: takes a day that is not over yet\n"
    )
    assert shell("club", "pause").returncode == 0
    assert shell("club", "resume").stdout == "0 matters go on\n"
    roster = tmp_path / "members.csv"
    roster.write_text("name,email\n李雷,lilei@qq.com\n")
    assert shell("members", "import", str(roster)).returncode == 0
    assert (
        "--to: No member has this address"
        in shell("club", "transfer", "--to", "nobody@qq.com").stderr
    )
    assert shell("club", "transfer", "--to", "lilei@qq.com").returncode == 0
    assert ("handover.please_take_over", "lilei@qq.com") in [
        (row["letter"], row["to"]) for row in shell.json("letters", "list")
    ]


def test_what_cannot_be_a_club_is_named(shell: Shell) -> None:
    assert shell(*CREATE).returncode == 0
    assert "--slug: there is a club named jn already" in shell(*CREATE).stderr
    for option, value in (
        ("--slug", "me"),
        ("--owner-email", "nobody"),
        ("--timezone", "Mars/Olympus"),
        ("--name", ""),
    ):
        words = [*CREATE, "--slug", "other"] if option != "--slug" else list(CREATE)
        done = shell(*words, option, value)
        assert done.returncode == 2 and option in done.stderr, (option, done.stderr)
    assert len(shell.json("club", "list")) == 1


def test_tick_due_and_letters_speak_json(shell: Shell, tmp_path: Path) -> None:
    assert shell(*CREATE).returncode == 0
    assert json.loads(shell("tick").stdout) == {"cases": 0, "letters": 0}
    assert shell.json("due", "--days", "14") == []
    assert shell.json("letters", "list") == []
    (tmp_path / "group.csv").write_text("name,email\n李雷,lilei@qq.com\n", encoding="utf-8")
    assert shell("members", "import", str(tmp_path / "group.csv")).returncode == 0
    [letter] = shell.json("letters", "list")
    [due, *_later] = shell.json("due", "--days", "14")
    assert due == {
        "at": letter["at"],
        "letter": "club.imported",
        "to": "lilei@qq.com",
        "case": None,
        "why": "brought in from a list",
    }
    assert letter["to"] == "lilei@qq.com"
    assert shell.json("letters", "show", str(letter["id"])) == [letter | {"mail": ""}]
    assert shell("letters", "retry", "12").returncode == 1
    assert shell("letters", "list", "--state", "lost").returncode == 2
    assert shell("db", "upgrade").stdout.strip() == f"schema {schema.newest()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIUNIU_PORT", "80a"),
        ("JIUNIU_BASE_URL", "http://club.example.com"),
        ("JIUNIU_SMTP_URL", "ftp://x"),
    ],
)
def test_a_wrong_setting_is_one_line_and_status_two(shell: Shell, name: str, value: str) -> None:
    for words in (["app.py"], ["club", "list"]):
        done = shell(*words, **{name: value})
        assert done.returncode == 2
        assert done.stderr.startswith(f"{name}: ") and len(done.stderr.strip().splitlines()) == 1, (
            done.stderr
        )
        assert done.stdout == ""


def test_an_address_that_cannot_be_listened_at_is_one_line_and_status_two(shell: Shell) -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=shell.environment | {"JIUNIU_HOST": "203.0.113.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith(
        "JIUNIU_HOST, JIUNIU_PORT: cannot listen on 203.0.113.1:8000 ("
    ), done.stderr


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_database_that_may_not_be_written_is_one_line_and_status_two(
    template: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file that can be read would show every page and keep nothing. Whoever runs the tests may
    write everywhere."""
    settings = load(template.settings(tmp_path, "closed"))
    file = Path(make_url(settings.database_url).database or "")
    monkeypatch.setattr(os, "access", lambda path, _mode: path != file)
    with pytest.raises(SystemExit) as end:
        create_app(settings)
    assert (end.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
    monkeypatch.setattr(os, "access", lambda path, _mode: path != file.parent)
    with pytest.raises(SettingsError, match=rf"^JIUNIU_\w+: {file.parent} cannot be written"):
        Services.build(settings)


def test_a_terminal_that_takes_english_letters_only_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _set: "ANSI_X3.4-1968")
    monkeypatch.setattr(sys, "argv", ["flask", "club", "list"])
    commands.init(Flask("any"))
    monkeypatch.setattr(sys, "argv", ["flask", "club", "create", "--name", "\udce4\udcb9\udc9d"])
    with pytest.raises(SettingsError, match=r"^PYTHONUTF8: "):
        commands.init(Flask("any"))


@pytest.mark.postgres
def test_a_database_server_that_does_not_answer_is_one_line_and_status_two(shell: Shell) -> None:
    url = f"postgresql://club:the-word@127.0.0.1:{free_port()}/jiuniu"
    done = shell("club", "list", JIUNIU_DATABASE_URL=url, JIUNIU_SECRET_KEY=SECRET_KEY)
    assert done.returncode == 2
    assert (
        done.stderr.startswith("JIUNIU_DATABASE_URL: ")
        and len(done.stderr.strip().splitlines()) == 1
    ), done.stderr
    assert "the-word" not in done.stderr


def test_without_the_driver_of_postgresql_the_start_ends_with_status_two(shell: Shell) -> None:
    begin = "import sys; sys.modules['psycopg'] = None; from app import create_app; create_app()"
    environment = shell.environment | {
        "JIUNIU_DATABASE_URL": "postgresql://club@db.example/jiuniu",
        "JIUNIU_SECRET_KEY": SECRET_KEY,
    }
    done = subprocess.run(
        [sys.executable, "-c", begin],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    wanted = "JIUNIU_DATABASE_URL: psycopg is missing; python -m pip install -r requirements-postgresql.txt\n"
    assert (done.stdout, done.stderr) == ("", wanted)


def test_a_real_club_first_removes_the_demo_and_its_clock(shell: Shell, tmp_path: Path) -> None:
    service = Services.build(load(shell.environment))
    demo.begin(service)
    service.db.dispose()
    (tmp_path / "data" / "clock").write_text("+3d")
    refused = shell(*CREATE)
    assert refused.returncode == 1 and "--replace-demo" in refused.stderr
    assert shell(*CREATE, "--replace-demo").returncode == 0
    assert [club["slug"] for club in shell.json("club", "list")] == ["jn"]
    assert not (tmp_path / "data" / "clock").exists()


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_backup_goes_and_comes_back_by_command(shell: Shell, tmp_path: Path) -> None:
    assert shell(*CREATE).returncode == 0
    file = tmp_path / "club.tar.gz"
    assert (
        shell("backup", str(file)).stdout
        == f"{file}: clubs 1, people 1, cases 0, letters 0, schema {schema.newest()}\n"
    )
    refused = shell("backup", str(file))
    assert refused.returncode == 1 and "overwrites nothing" in refused.stderr
    there = Shell({"JIUNIU_DATA_DIR": str(tmp_path / "there")})
    done = there("restore", str(file))
    assert done.returncode == 0 and "0 unsent letters are held and the post rests" in done.stdout
    assert (tmp_path / "data" / "secret-key").read_text() == (
        tmp_path / "there" / "secret-key"
    ).read_text()
    assert (
        there("letters", "release", "--all").stdout.strip() == "the post works; 0 held letters go"
    )
    kept = there(
        "restore", str(file), "--replace", JIUNIU_SECRET_KEY="a key of another house, long"
    )
    assert kept.returncode == 0 and "JIUNIU_SECRET_KEY_FALLBACKS" in kept.stderr
    assert "jiuniu.sqlite.before-restore-" in kept.stdout
    assert [club["slug"] for club in there.json("club", "list")] == ["jn"]


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_backup_that_finds_no_room_says_so_and_leaves_nothing(
    template: Databases, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    shell, file = Shell(template.settings(tmp_path / "data", "commands")), tmp_path / "club.tar.gz"
    words = [
        "bash",
        "-c",
        'ulimit -f 64; exec "$0" "$@"',
        sys.executable,
        "-m",
        "flask",
        "--app",
        "app",
        "backup",
        file,
    ]
    done = subprocess.run(
        words, cwd=ROOT, env=shell.environment, capture_output=True, text=True, check=False
    )
    assert (
        done.returncode,
        f"Error: {file} cannot be written: " in done.stderr,
        "Traceback" in done.stderr,
    ) == (1, True, False)
    assert list(tmp_path.glob("*club*")) == []


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "words",
    [("backup", "no/such/folder/b"), ("restore", "README.md"), ("restore", "nothing.tar.gz")],
)
def test_a_file_that_will_not_do_is_named(shell: Shell, words: tuple[str, ...]) -> None:
    done = shell(*words)
    assert done.returncode in (1, 2) and words[1] in done.stderr and "Traceback" not in done.stderr


def test_hold_and_release_take_a_letter_or_all(shell: Shell) -> None:
    assert shell(*CREATE).returncode == 0
    assert (
        shell("letters", "hold", "--all").stdout.strip()
        == "the post rests until `letters release --all`"
    )
    for words in (
        ("release",),
        ("release", "1", "--all"),
        ("hold", "--all", "--club", "jn"),
        ("retry", "--all"),
    ):
        assert shell("letters", *words).returncode == 2, words
    assert shell("letters", "release", "7").returncode == 1


@pytest.mark.postgres
def test_somebody_is_erased_after_a_question(shell: Shell) -> None:
    assert shell(*CREATE).returncode == 0

    def add(session: ClubSession) -> int:
        club = by_slug(session, "jn")
        assert club is not None
        enter_club(session, club.id)
        return add_person(session, "lilei@qq.com", locale="en", name="Li Lei").id

    db = Database(load(shell.environment).database_url)
    lilei = str(db.write(add))
    db.dispose()
    for answer in ("n\n", "\n"):
        asked = shell("erase", "Lilei@QQ.com", typed=answer)
        assert (
            asked.returncode == 1
            and "Erase Li Lei (applicant, lilei@qq.com) for good?" in asked.stdout
        )
    assert (
        shell("erase", "lilei@qq.com").stdout
        == "erased; 0 open cases ended, 0 letters to them do not leave\n"
    )
    for who, says in (
        ("lilei@qq.com", "nobody here is lilei@qq.com"),
        ("12", "nobody here is 12"),
        ("9" * 30, "nobody here is"),
        ("x", "nobody here is x"),
        (lilei, "was erased before"),
        ("owner@qq.com", "the owner cannot be erased"),
    ):
        refused = shell("erase", who, "--yes")
        assert refused.returncode == 1 and says in refused.stderr, who
