"""Several processes on one database, as on several hosts: each thing happens once."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select, text

from engine.club.context import by_slug
from engine.security.links import Link
from engine.settings import load
from engine.storage.models import Case, Event, Letter, Person
from engine.storage.schema import newest
from mailers.dev_mailbox import free_port
from tests import postgres
from tests.databases import Databases
from tests.page import Browser, aged
from tests.shell import Program, Shell, clean_environment
from tests.sink import Sink
from tests.web.test_process import wait_for
from tests.world import APPLICATION, MONDAY
from web.app.services import Services

pytestmark = pytest.mark.postgres

PEOPLE = [f"reader{number}@qq.com" for number in range(20)]
CREATE = (
    "club",
    "create",
    "--slug",
    "jn",
    "--name",
    "会",
    "--owner-email",
    "o@qq.com",
    "--owner-name",
    "陈",
)


class Fleet:
    """Web processes and workers; the test looks into their database and signs as they do."""

    def __init__(self, folder: Path, settings: dict[str, str], *, web: int, workers: int) -> None:
        self.sink, self.clock = Sink(), folder / "clock"
        ours = settings | {
            "JIUNIU_SMTP_URL": self.sink.url,
            "JIUNIU_MAIL_FROM": "Jiuniu <club@jiuniu.example>",
            "JIUNIU_RATE_LIMITS": "off",
            "JIUNIU_CLOCK_FILE": str(self.clock),
            "JIUNIU_BASE_URL": "http://127.0.0.1:1",
        }
        self.environment = clean_environment() | ours
        self.move(MONDAY)
        self.ports = [free_port() for _ in range(web)]
        self.log = open(folder / "log", "wb")  # noqa: SIM115  (open as long as the processes write)
        self.nothing = open(os.devnull, "rb")  # noqa: SIM115
        self.processes = [self._start("app.py", JIUNIU_PORT=str(port)) for port in self.ports]
        self.processes += [self._start("worker") for _ in range(workers)]
        wait_for(lambda: all(map(self.ready, self.ports)))
        self.service = Services.build(load(ours | {"JIUNIU_DATA_DIR": settings["JIUNIU_DATA_DIR"]}))
        self.club_id = 0

    def _start(self, *words: str, **more: str) -> Program:
        return Program(words, self.environment | more, self.nothing, self.log, self.log)

    def ready(self, port: int) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 200
        except requests.RequestException:
            return False

    def move(self, at: datetime) -> None:
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(at.isoformat())
        os.replace(fresh, self.clock)

    def base(self, number: int) -> str:
        return f"http://127.0.0.1:{self.ports[number % len(self.ports)]}"

    def rows(self, statement: Any) -> list[Any]:
        with self.service.db.read(self.club_id) as session:
            return list(session.execute(statement).scalars())

    def count(self, letter: str, state: str = "sent") -> int:
        return len(self.rows(select(Letter.id).where(Letter.name == letter, Letter.state == state)))

    def open_form(self, address: str) -> tuple[Browser, dict[str, str]]:
        """Somebody's browser, and what it would send."""
        browser = Browser(self.base(0))
        page = browser.get("/jn/join")
        stamp = aged(self.service.form_stamps, page.value("form"))
        return browser, page.fields() | APPLICATION | {"email": address, "form": stamp}

    def link(self, case: Case, person: Person) -> str:
        """The address of a case's page for this person."""
        link = Link(
            "proof", self.club_id, person.id, person.link_epoch, case.id, self.service.clock.now()
        )
        return "/c/" + self.service.links.token(link)

    def end(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        self.codes = [process.wait(60) for process in self.processes]
        self.service.db.dispose()
        self.sink.stop()
        self.log.close()
        self.nothing.close()


def all_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(16) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@pytest.fixture
def begin_fleet(tmp_path: Path, template: Databases) -> Iterator[Callable[[int, int], Fleet]]:
    begun: list[Fleet] = []

    def begin(web: int, workers: int) -> Fleet:
        begun.append(
            Fleet(
                tmp_path,
                template.settings(tmp_path / "data", "fleet", bare=True),
                web=web,
                workers=workers,
            )
        )
        return begun[0]

    yield begin
    for fleet in begun:
        fleet.end()
        assert set(fleet.codes) == {0}, "a clean end"


@pytest.mark.slow
def test_each_thing_is_done_once(begin_fleet: Callable[[int, int], Fleet]) -> None:
    fleet = begin_fleet(4, 2)
    the_tables_are_made_once(fleet)
    two_found_the_same_club(fleet)
    a_hundred_forms_at_once_are_twenty_applications(fleet)
    a_hundred_presses_at_once_are_twenty_decisions(fleet)
    many_due_steps_and_six_that_sweep(fleet)


def the_tables_are_made_once(fleet: Fleet) -> None:
    with fleet.service.db.reader.connect() as connection:
        assert connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalars().all() == [newest()]
    assert {process.poll() for process in fleet.processes} == {None}


def two_found_the_same_club(fleet: Fleet) -> None:
    def create() -> subprocess.CompletedProcess[str]:
        return Shell(fleet.environment)(*CREATE)

    created = all_at_once([create, create])
    assert sorted(done.returncode for done in created) == [0, 2], [done.stderr for done in created]
    with fleet.service.db.read() as session:
        club = by_slug(session, "jn")
        assert club is not None
        fleet.club_id = club.id


def a_hundred_forms_at_once_are_twenty_applications(club: Fleet) -> None:
    """Each is sent five times, to different processes."""
    forms = [club.open_form(address) for address in PEOPLE]

    def send(browser: Browser, data: dict[str, str], number: int) -> int:
        return browser.session.post(
            f"{club.base(number)}/jn/join", data=data, timeout=60, allow_redirects=False
        ).status_code

    calls = [lambda form=form, n=number: send(*form, n) for number in range(5) for form in forms]  # type: ignore[misc]
    assert Counter(all_at_once(calls)) == {303: 100}
    assert Counter(club.rows(select(Case.state))) == {"unconfirmed": len(PEOPLE)}
    wait_for(lambda: club.count("join.confirm_address") == len(PEOPLE))
    assert Counter(club.sink.recipients) == Counter(PEOPLE)


def press_at_once(club: Fleet, who: str, action: str) -> Counter[int]:
    """Everybody's case, five times at once, through different processes."""
    people = {person.id: person for person in club.rows(select(Person))}
    owner = next(person for person in people.values() if person.role == "owner")
    presses, phone = [], Browser(club.base(0))  # the decider's own, trusted from the first press
    for case in club.rows(select(Case).where(Case.workflow == "join")):
        path = club.link(case, owner if who == "owner" else people[case.person_id])
        page = (phone if who == "owner" else Browser(club.base(0))).get(path)
        data = page.fields(action) | {"action": action}
        presses += [(page.browser, path, data, number) for number in range(5)]

    def press(browser: Browser, path: str, data: dict[str, str], number: int) -> int:
        return browser.session.post(
            club.base(number) + path, data=data, timeout=60, allow_redirects=False
        ).status_code

    return Counter(all_at_once([lambda one=one: press(*one) for one in presses]))  # type: ignore[misc]


def a_hundred_presses_at_once_are_twenty_decisions(club: Fleet) -> None:
    assert press_at_once(club, "person", "confirm") == {303: 20, 409: 80}
    wait_for(lambda: club.count("join.please_decide") == len(PEOPLE))
    assert press_at_once(club, "owner", "approve") == {303: 20, 409: 80}
    assert Counter(
        club.rows(
            select(Event.action).join(Case, Case.id == Event.case_id).where(Case.workflow == "join")
        )
    ) == {
        "open": 20,
        "confirm": 20,
        "approve": 20,
    }
    assert Counter(club.rows(select(Case.workflow))) == {"join": 20, "study_plan": 20}
    for letter in ("join.welcome", "study_plan.please_write"):
        wait_for(lambda letter=letter: club.count(letter) == len(PEOPLE))  # type: ignore[misc]
    assert Counter(str(mail["X-Jiuniu-Letter"]) for mail in club.sink.mails)["join.welcome"] == len(
        PEOPLE
    )


def many_due_steps_and_six_that_sweep(club: Fleet) -> None:
    club.move(MONDAY + timedelta(days=3))
    wait_for(lambda: club.count("study_plan.due_soon") == len(PEOPLE))
    club.move(MONDAY + timedelta(days=4))
    wait_for(lambda: club.count("study_plan.second_chance") == len(PEOPLE))
    plans = club.rows(select(Case).where(Case.workflow == "study_plan"))
    assert Counter((case.state, case.version, case.trouble) for case in plans) == {
        ("overdue", 2, ""): len(PEOPLE)
    }
    wait_for(
        lambda: (
            club.rows(select(Letter.id).where(Letter.state.in_(("claimed", "transmitting")))) == []
        )
    )
    assert_each_mail_left_once(club)


def assert_each_mail_left_once(club: Fleet) -> None:
    to_readers = Counter(
        (str(mail["X-Jiuniu-Letter"]), str(mail["To"]))
        for mail in club.sink.mails
        if "reader" in mail["To"]
    )
    assert set(to_readers.values()) == {1}
    identities = Counter(str(mail["Message-ID"]) for mail in club.sink.mails)
    assert [identity for identity, count in identities.items() if count > 1] == []
    assert len(identities) == len(club.rows(select(Letter.id).where(Letter.state == "sent")))
    assert club.rows(select(Letter.answer).where(Letter.state == "failed")) == []


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)  # a file has nobody to restart
def test_a_database_that_restarts_loses_no_accepted_form(
    begin_fleet: Callable[[int, int], Fleet],
) -> None:
    """503 meanwhile, and it comes back by itself."""
    club = begin_fleet(2, 1)
    two_found_the_same_club(club)
    forms, answers = (
        [club.open_form(f"late{number}@qq.com") for number in range(60)],
        Counter[int](),
    )
    accepted: list[str] = []

    def send(browser: Browser, data: dict[str, str], number: int) -> None:
        answer = browser.session.post(
            f"{club.base(number)}/jn/join", data=data, timeout=60, allow_redirects=False
        ).status_code
        answers[answer] += 1
        if answer == 303:
            accepted.append(data["email"])
        threading.Event().wait(0.1)

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, *form, number) for number, form in enumerate(forms)]
        for how in (signal.SIGINT, signal.SIGQUIT):
            threading.Event().wait(0.5)
            postgres.server().stop(how)
            threading.Event().wait(0.3)
            postgres.server().start()
        for future in sending:
            future.result()
    assert set(answers) <= {303, 503} and answers[503], answers
    known = {
        person.address
        for person in club.rows(select(Person).join(Case, Case.person_id == Person.id))
    }
    assert set(accepted) <= known
    wait_for(lambda: {item["To"] for item in club.sink.mails} >= set(accepted))
    assert all(map(club.ready, club.ports))
