"""The whole program as it is started: one process with everything, killed and started again."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import IO

import pytest
import requests
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from engine.clock import FileClock, machine_now
from engine.settings import load
from engine.storage.database import Database
from engine.storage.models import Letter
from mailers.dev_mailbox import free_port, stored_mails
from tests.databases import SECRET_KEY, Databases
from tests.page import aged
from tests.shell import Program, Shell, clean_environment
from tests.sink import Sink
from tests.world import APPLICATION
from web.app.services import Services

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(
    port: int, errors: IO[bytes] | None = None, *, forked: bool = False, **environment: str
) -> Iterator[Popen[bytes] | Program]:
    """The program, started as a person does, or (quicker) forked from one that was imported."""
    ours = clean_environment() | {"JIUNIU_PORT": str(port)} | environment
    with open(os.devnull, "r+b") as nothing:
        files = (nothing, nothing, errors or nothing)
        process = (
            Program(["app.py"], ours, *files)
            if forked
            else Popen([sys.executable, "app.py"], 0, None, *files, cwd=ROOT, env=ours)
        )
        try:
            wait_for(lambda: answers(port) or process.poll() is not None)
            yield process
        finally:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def wait_for(found: object, seconds: float = 120) -> object:
    """Poll a callable: two processes meet here, and no clock of ours moves the other one.

    ``seconds``: a busy machine may take long over anything; what never comes fails all the same.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()  # type: ignore[operator]
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def end_leases(settings: dict[str, str]) -> None:
    """As if the half minute were over for which a process may hold a letter."""
    letter = Letter.__table__
    over = (
        update(letter)
        .where(letter.c.lease_until.is_not(None))
        .values(lease_until=machine_now() - timedelta(minutes=1))
    )
    with open_database(settings) as db:
        db.write(lambda session: session.connection().execute(over))


def found_club(**settings: str) -> None:
    words = ["club", "create", "--slug", "jn", "--name", "会"]
    words += ["--owner-email", "o@qq.com", "--owner-name", "陈"]
    assert Shell(settings)(*words).returncode == 0


@contextmanager
def open_database(settings: dict[str, str]) -> Iterator[Database]:
    db = Database(load(settings).database_url)
    yield db
    db.dispose()


def letter_states(settings: dict[str, str]) -> list[tuple[str, str]]:
    letter = Letter.__table__
    with open_database(settings) as db, db.reader.connect() as connection:
        found = connection.execute(select(letter.c.name, letter.c.state))
        return [(name, str(state)) for name, state in found]


def filled_in(session: requests.Session, base: str, settings: dict[str, str]) -> dict[str, str]:
    """The join form as a person would send it, a minute after opening it."""
    soup = BeautifulSoup(session.get(f"{base}/jn/join").text, "html.parser")
    form = {
        str(item["name"]): str(item.get("value", ""))
        for item in soup.select('form[method="post"] input[name]')
    } | APPLICATION
    with open_database(settings) as db:
        stamps = Services(load(settings), db, FileClock(Path("no such file"))).form_stamps
    return form | {"form": aged(stamps, form["form"])}


@pytest.mark.slow
def test_a_stranger_s_first_two_minutes(tmp_path: Path, template: Databases) -> None:
    settings = template.settings(tmp_path, "process", bare=True)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with running(port, **settings) as process:
        session = requests.Session()
        setup = BeautifulSoup(session.get(base).text, "html.parser")
        token = setup.select_one('[name="csrf_token"]')
        assert token is not None
        home = session.post(
            f"{base}/setup", data={"csrf_token": token["value"], "action": "demo"}, timeout=60
        )
        assert home.url == f"{base}/demo/"
        assert "join.please_decide" in {mail.letter for mail in stored_mails(tmp_path / "mailbox")}
        before = len(list(stored_mails(tmp_path / "mailbox")))
        soup = BeautifulSoup(home.text, "html.parser")
        moved = session.post(
            f"{base}/setup/clock",
            data={"csrf_token": soup.select_one('[name="csrf_token"]')["value"], "by": "week"},
            timeout=60,
        )
        assert moved.status_code == 200
        assert len(list(stored_mails(tmp_path / "mailbox"))) > before
        assert session.get(f"{base}/mailbox").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
@pytest.mark.postgres
def test_killed_after_the_commit_the_same_form_again_is_one_case_and_one_set_of_mails(
    tmp_path: Path, template: Databases
) -> None:
    settings = template.settings(tmp_path, "process", bare=True)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    found_club(**settings)
    session = requests.Session()
    with running(port, forked=True, **settings) as process:
        form = filled_in(session, base, settings)
        assert session.post(f"{base}/jn/join", data=form).status_code == 200
        os.kill(process.pid, signal.SIGKILL)
    with running(port, forked=True, **settings):
        assert session.post(f"{base}/jn/join", data=form).status_code == 200
        end_leases(settings)  # killed with the letter in its hands, it holds it still
        wait_for(lambda: list(stored_mails(tmp_path / "mailbox")))
        # A second mail would take a second letter, or this one queued again.
        wait_for(lambda: letter_states(settings) == [("join.confirm_address", "sent")])
        assert [mail.letter for mail in stored_mails(tmp_path / "mailbox")] == [
            "join.confirm_address"
        ]


@pytest.mark.slow
def test_what_the_process_writes_names_nobody(tmp_path: Path, template: Databases) -> None:
    settings = template.settings(tmp_path, "process", bare=True) | {"JIUNIU_SECRET_KEY": SECRET_KEY}
    port, sink = free_port(), Sink()
    base = f"http://127.0.0.1:{port}"
    found_club(**settings)
    session = requests.Session()
    written = tmp_path / "stderr"
    with (
        written.open("wb") as errors,
        running(port, errors, JIUNIU_SMTP_URL=sink.url, **settings) as process,
    ):
        assert session.get(f"{base}/readyz").json()["status"] in ("starting", "ready")
        assert (
            session.post(f"{base}/jn/join", data=filled_in(session, base, settings)).status_code
            == 200
        )
        wait_for(lambda: sink.mails)
        part = sink.mails[0].get_body(("plain",))
        assert part is not None
        [link] = set(re.findall(r"^http\S+/c/\S+$", part.get_content(), re.MULTILINE))
        assert session.get(link).status_code == 200
        sink.replies["RCPT"] = "550 5.1.1 <lilei@qq.com> user unknown"
        assert (
            session.post(f"{base}/jn/join", data=filled_in(session, base, settings)).status_code
            == 200
        )
        assert wait_for(lambda: session.get(f"{base}/readyz").json()["status"] == "ready")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    sink.stop()
    log = written.read_text()
    assert (
        " INFO jiuniu.request POST /jn/join 303 " in log
        and " INFO jiuniu.request GET /c/… 200 " in log
    )
    for secret in ("lilei", "o@qq.com", link.rpartition("/")[2], SECRET_KEY):
        assert secret not in log
