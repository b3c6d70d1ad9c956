"""The whole program as it is started: one process with everything, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from bs4 import BeautifulSoup

from mailers.catcher import _free_port, caught
from tests.databases import Databases
from tests.world import APPLICATION

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("JIUNIU_")}
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=clean | {"JIUNIU_PORT": str(port)} | environment,
    )  # fmt: skip
    try:
        for _ in range(200):
            try:
                requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(found: object, seconds: float = 10) -> object:
    """Poll a callable: two processes meet here, and no clock of ours moves the other one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()  # type: ignore[operator]
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_a_stranger_s_first_two_minutes(tmp_path: Path, template: Databases) -> None:
    settings = template.settings(tmp_path, "process", bare=True)
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    with running(port, **settings) as process:
        session = requests.Session()
        setup = BeautifulSoup(session.get(base).text, "html.parser")
        token = setup.select_one('[name="csrf_token"]')
        assert token is not None
        home = session.post(f"{base}/setup", data={"csrf_token": token["value"], "action": "demo"}, timeout=60)
        assert home.url == f"{base}/demo/"
        assert "join.please_decide" in {mail.letter for mail in caught(tmp_path / "mailbox")}
        before = len(list(caught(tmp_path / "mailbox")))
        soup = BeautifulSoup(home.text, "html.parser")
        moved = session.post(
            f"{base}/setup/clock", data={"csrf_token": soup.select_one('[name="csrf_token"]')["value"], "by": "week"}, timeout=60
        )
        assert moved.status_code == 200
        assert len(list(caught(tmp_path / "mailbox"))) > before
        assert session.get(f"{base}/mailbox").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_killed_after_the_commit_the_same_form_again_is_one_case_and_one_set_of_mails(tmp_path: Path, template: Databases) -> None:
    settings = template.settings(tmp_path, "process", bare=True)
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    words = ["club", "create", "--slug", "jn", "--name", "会", "--owner-email", "o@qq.com", "--owner-name", "陈"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JIUNIU_")}
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *words], cwd=ROOT, check=True, capture_output=True, timeout=60,
        env=environment | settings,
    )  # fmt: skip
    session = requests.Session()
    with running(port, **settings) as process:
        soup = BeautifulSoup(session.get(f"{base}/jn/join").text, "html.parser")
        form = {
            str(item["name"]): str(item.get("value", "")) for item in soup.select('form[method="post"] input[name]')
        } | APPLICATION
        time.sleep(2.1)  # a person takes their time: the form asks for two seconds
        assert session.post(f"{base}/jn/join", data=form).status_code == 200
        os.kill(process.pid, signal.SIGKILL)
    with running(port, **settings):
        assert session.post(f"{base}/jn/join", data=form).status_code == 200
        # Killed with the letter in its hands: it leaves when the lease is over.
        wait_for(lambda: list(caught(tmp_path / "mailbox")), seconds=45)
        time.sleep(2.5)  # another tick of the post would bring a second mail if there were one
        assert [mail.letter for mail in caught(tmp_path / "mailbox")] == ["join.confirm_address"]
