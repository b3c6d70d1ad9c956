"""No line of the log names an address, opens a page, or holds a secret."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.security.links import Link, Links
from engine.storage.database import Database
from tests.world import APPLICATION, World
from web.http import request_log

TOKEN = Links(["a key of the tests, long enough"], "").token(
    Link("case", 1 << 60, 1 << 59, 1, 1 << 58, datetime(2026, 11, 30, tzinfo=UTC))
)
MASKED = {
    "550 <lilei@qq.com>: user unknown": "550 <l***@qq.com>: user unknown",
    "lilei+books@qq.com,han.mei@163.com": "l***@qq.com,h***@163.com",
    "ｌｉｌｅｉ＠ｑｑ．ｃｏｍ lilei@qq。com": "ｌ***@ｑｑ．ｃｏｍ l***@qq。com",
    "/jn/desk/lilei%40qq.com": "/jn/desk/l***@qq.com",
    "{'email': 'lilei@qq.com'}": "{'email': 'l***@qq.com'}",
    "smtps://you@qq.com:CODE@smtp.qq.com:465": "smtps://***@smtp.qq.com:465",
    "postgresql://me:p@ss@host/db": "postgresql://***@host/db",
    f"GET /club/c/{TOKEN} 200": "GET /club/c/… 200",
    "https://club.example/me/damaged=3D>": "https://club.example/me/…>",
    f"/jn/calendar.ics?token={TOKEN}&a=b": "/jn/calendar.ics?token=…&a=b",
    f"/nowhere/{TOKEN}": "/nowhere/…",
    "jiuniu_session=abc; lang=en": "jiuniu_session=…; lang=en",
    'File "/srv/web/cases/case.py", line 3, in show\n    @app.route': 'File "/srv/web/cases/case.py", line 3, in show\n    @app.route',
}


@pytest.mark.parametrize("text", MASKED)
def test_the_mask(text: str) -> None:
    assert request_log.mask(text) == MASKED[text]


def test_a_mask_over_a_long_text_is_quick_enough_to_end() -> None:
    essay = "读" * 300_000
    assert request_log.mask(essay + "给lilei@qq.com") == essay[:-74] + "***@qq.com"


@pytest.fixture
def paper() -> Iterator[io.StringIO]:
    """The log as a file of its own, hung up before the app starts."""
    root, written = logging.getLogger(), io.StringIO()
    handler, before = logging.StreamHandler(written), root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_forced_500_tells_the_log_what_but_not_whom(
    paper: io.StringIO, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.join()
    me = world.mail("join.welcome").links[0]

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"lilei@qq.com came by {me}\n2026-11-30 INFO jiuniu forged line")

    monkeypatch.setattr(Database, "read", broken)
    page = world.browser().get(me)
    assert page.status == 500
    log = paper.getvalue()
    assert "RuntimeError: l***@qq.com came by http://127.0.0.1" in log and "Traceback" in log
    assert "\n    2026-11-30 INFO jiuniu forged line" in log, (
        "a line of somebody's text does not pass for one of ours"
    )
    assert "500 " in log and "/…" in log
    _nobody_is_named(log, world)


def test_what_servers_refuse_with_an_address_in_it(paper: io.StringIO, world: World) -> None:
    for phase, answer in (
        ("RCPT", "550 5.1.1 <lilei@qq.com> user unknown"),
        ("DATA", "554 lilei@qq.com refused"),
        ("RCPT", "421 lilei@qq.com"),
    ):
        world.sink.replies = {phase: answer}
        world.apply(email=f"{phase.lower()}{answer[:3]}@qq.com")
        world.tick()
    world.sink.replies = {}
    world.apply()
    world.pass_time(minutes=30)
    assert APPLICATION["email"] in {mail.to for mail in world.mails}
    _nobody_is_named(paper.getvalue(), world)


def test_a_request_is_one_line_without_query_and_cannot_forge_another(
    paper: io.StringIO, world: World
) -> None:
    world.apply()
    link = world.mail("join.confirm_address").link()
    world.open(link + "?lang=en&token=secret-thing")
    world.browser().get("/nowhere/%0A2026%20INFO%20forged%20lilei%40qq.com")
    world.browser().get("/healthz")
    lines = [line for line in paper.getvalue().splitlines() if line.startswith(("GET", "POST"))]
    assert lines[-2].startswith("GET /c/… 200 ") and lines[-2].endswith(" ms")
    assert lines[-1].startswith("GET /nowhere/%0***@qq.com 404 ")
    _nobody_is_named(paper.getvalue(), world)


def test_a_thread_that_dies_and_a_line_that_cannot_be_written(
    paper: io.StringIO,
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fall() -> None:
        raise RuntimeError("lilei@qq.com")

    monkeypatch.setattr(threading, "excepthook", request_log._uncaught_in_thread)
    thread = threading.Thread(target=fall)
    thread.start()
    thread.join()
    assert "RuntimeError: l***@qq.com" in paper.getvalue()
    handler = request_log._Quiet()
    handler.handle(
        logging.LogRecord("a", logging.ERROR, "", 0, "%d of lilei@qq.com", ("many",), None)
    )
    assert "lilei" not in capsys.readouterr().err + paper.getvalue()


def test_secrets_of_the_installation_are_masked_wherever_they_stand(
    paper: io.StringIO, world: World
) -> None:
    key = world.service.settings.secret_keys[0]
    logging.getLogger("anything").error("the key is %s", key)
    assert paper.getvalue().endswith("the key is …\n")


def _nobody_is_named(log: str, world: World) -> None:
    assert log != ""
    for name in ("lilei@", "lilei%40", "owner@qq.com"):
        assert name not in log
    for mail in world.mails:
        for link in mail.links:
            assert link.rpartition("/")[2] not in log or ("/c/" not in link and "/me/" not in link)
    for key in world.service.settings.secret_keys:
        assert key not in log
