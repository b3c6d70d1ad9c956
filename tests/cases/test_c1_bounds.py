"""The cost of any text in any field of any form is bounded (cases C1, C2, C18).

``SHAPES=all`` tries every shape in every field (some minutes); else each field meets a few of them,
in turn.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
import requests
from sqlalchemy.orm import Session

from engine.cases.transitions import act
from engine.declare.transition import Actor
from engine.storage.database import enter_club
from engine.storage.models import Case, Person
from tests.cases.pages_with_forms import Club, Form, forms_of
from tests.cases.shapes import SHAPES, text_of
from tests.page import Browser
from tests.world import APPLICATION, World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)

CPU_SECONDS = 1.0
ALL, SAMPLE = os.environ.get("SHAPES") == "all", 1


def test_c1_no_field_of_any_form_costs_more_than_a_second(begin: Callable[..., World]) -> None:
    world = begin(JIUNIU_RATE_LIMITS="off")
    world.found_club()
    slow: list[tuple[str, str, str, float]] = []
    broken: list[tuple[str, str, str, int]] = []
    tried = 0
    for form in forms_of(Club.of(world), whole=ALL):
        for field in form.fields():
            for shape in _shapes(tried):
                status, taken = _post(world, form, field, text_of(shape))
                tried += 1
                if taken > CPU_SECONDS:
                    slow.append((form.name, field, shape, round(taken, 2)))
                if status >= 500:
                    broken.append((form.name, field, shape, status))
    assert (slow, broken) == ([], [])
    assert tried >= 100, "every form has lost its fields"


def _shapes(start: int) -> list[str]:
    names = list(SHAPES)
    return names if ALL else [names[(start + number) % len(names)] for number in range(SAMPLE)]


def _post(world: World, form: Form, field: str, text: str) -> tuple[int, float]:
    """The answer's status, and the seconds of work that all threads of the process spent on it."""
    page = form.open()
    sent = page.fields(form.action) | form.typed
    if sent.get("form"):
        sent["form"] = world.aged_stamp(sent["form"])
    began = time.process_time()
    answer: requests.Response = page.browser.session.post(
        page.response.url, data=sent | {field: text}, timeout=60, allow_redirects=False
    )
    return answer.status_code, time.process_time() - began


@pytest.mark.parametrize("shape", ["spaces", "combining marks", "pairs", "ampersands"])
def test_c1_what_was_taken_in_is_read_by_everybody_without_waiting(
    world: World, shape: str
) -> None:
    """Of an application of the longest texts: its mail, the desk, the page of all that waits, its
    own page, a resubmission."""
    club, text = Club.of(world), text_of(shape)
    world.apply(about=text, interests=text)
    case = world.case("join", "lilei@qq.com")
    _press(world.browser(), world.mail("join.confirm_address").link(), {"action": "confirm"})
    slow = {"mail": _cost(world.tick)}
    owner, applicant = (
        club.token(world.person(address), "case", case.id)
        for address in ("owner@qq.com", "lilei@qq.com")
    )
    for path in ("/jiuniu/desk", "/jiuniu/desk/waiting", "/jiuniu/desk/people", owner):
        slow[path] = _cost(lambda path=path: _get(club, path))
    world.service.db.write(_send_back, world, case.id)
    again = APPLICATION | {"about": text[:-9] + "好。", "interests": text[9:], "action": "resubmit"}
    slow["resubmit"] = _cost(lambda: _press(world.browser(), applicant, again))
    slow["second mail"] = _cost(world.tick)
    slow["changes"] = _cost(lambda: _get(club, owner))
    assert {name: round(taken, 2) for name, taken in slow.items() if taken > CPU_SECONDS} == {}
    assert world.case("join", "lilei@qq.com").state == "review"


def _cost(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _send_back(session: Session, world: World, case_id: int) -> None:
    enter_club(session, world.club_id)
    owner = session.get_one(Person, (world.club_id, world.person("owner@qq.com").id))
    act(
        session,
        session.get_one(Case, (world.club_id, case_id)),
        "return",
        by=Actor(owner, "page"),
        now=world.now,
        note="再想想。",
    )


def _press(browser: Browser, url: str, sent: dict[str, str]) -> None:
    """A press without reading the page as a tree: that costs the tests more than all of it costs
    the service."""
    token = re.findall(
        r'name="csrf_token"[^>]*value="([^"]+)"', browser.session.get(url, timeout=60).text
    )[0]
    assert (
        browser.session.post(
            url, data=sent | {"csrf_token": token}, timeout=60, allow_redirects=False
        ).status_code
        == 303
    )


def _get(club: Club, path: str) -> None:
    assert club.owner.session.get(urljoin(club.world.base, path), timeout=60).status_code == 200
