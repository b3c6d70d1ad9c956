"""A personal link is exchanged for a short session on a path without it, with cookies and without (case C7)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from bs4 import BeautifulSoup

from tests.page import Browser, Page
from tests.world import World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)

LILEI = "lilei@qq.com"
PLAN = {"goals": "讲得出二十本书。", "plan": "每周一本。"}
CLEAN = re.compile(r"http://[^/]+/(c|me)/~[0-9a-f]{20}(/\w+)?$")


class NoCookies(Browser):
    """A chat program's browser: it takes no cookie, not even from one redirect to the next."""

    def get(self, path: str) -> Page:
        return self._ask("GET", urljoin(self.base, path))

    def post(self, path: str, data: dict[str, str], **kwargs: Any) -> Page:
        return self._ask("POST", urljoin(self.base, path), data)

    def _ask(self, method: str, url: str, data: dict[str, str] | None = None) -> Page:
        for _redirect in range(5):
            answer = requests.request(method, url, data=data, timeout=20, allow_redirects=False)
            if not answer.is_redirect:
                return Page(self, answer)
            method, url, data = "GET", urljoin(url, answer.headers["Location"]), None
        raise AssertionError(f"round and round: {url}")


def submitted(world: World) -> str:
    return world.case("study_plan", LILEI).state


def test_c7_neither_history_nor_page_holds_the_token(world: World) -> None:
    world.join()
    link = world.mail("study_plan.please_write", LILEI).link()
    page = world.browser().get(f"{link}?lang=en")
    token = link.rpartition("/")[2]
    assert CLEAN.fullmatch(page.response.url.partition("?")[0])
    assert token not in page.response.url and token not in page.response.text
    assert [answer.status_code for answer in page.response.history] == [302, 302]
    again = page.browser.get(link)
    assert [answer.status_code for answer in again.response.history] == [302], "cookies are known"
    done = page.press("submit", **PLAN)
    assert (done.status, submitted(world)) == (200, "review")
    assert CLEAN.fullmatch(done.response.url.partition("?")[0])


def test_c7_without_cookies_the_page_opens_and_its_form_works(world: World) -> None:
    world.join()
    link = world.mail("study_plan.please_write", LILEI).link()
    page = NoCookies(world.base).get(link)
    assert page.status == 200 and page.response.url.startswith(link)
    kept = page.press("save", **PLAN)
    assert kept.status == 200 and PLAN["plan"] in kept.response.text
    assert (kept.press("submit").status, submitted(world)) == (200, "review")


def test_c7_a_page_reached_with_cookies_is_sent_without(world: World) -> None:
    """Each request on its own, as a program makes them; the redirects of one share their cookies."""
    world.join()
    got = requests.get(world.mail("study_plan.please_write", LILEI).link(), timeout=20)
    form = BeautifulSoup(got.text, "html.parser").select_one('form[method="post"]')
    assert got.status_code == 200 and form is not None
    fields = {str(item["name"]): str(item.get("value", "")) for item in form.select("input[name]")}
    sent = fields | PLAN | {"action": "submit"}
    answer = requests.post(urljoin(got.url, str(form["action"])), data=sent, timeout=20)
    assert (answer.status_code, submitted(world)) == (200, "review")


def test_c7_the_rooms_of_ones_own_page_are_exchanged_too(world: World) -> None:
    link = world.join().link("/me/")
    browser = world.browser()
    for room in ("", "/record", "/letters", "/settings", "/data"):
        page = browser.get(link + room)
        assert (page.status, bool(CLEAN.fullmatch(page.response.url))) == (200, True), room
    NoCookies(world.base).get(link + "/settings").press("fewer")
    assert world.person(LILEI).fewer_reminders


def test_c7_a_clean_path_opens_nothing_elsewhere_nor_after_signing_out(world: World) -> None:
    world.join()
    browser = world.sign_in(LILEI)
    page = browser.get(world.mail("study_plan.please_write", LILEI).link())
    strange = world.browser().get(page.response.url)
    assert (strange.status, "学习计划" in strange.text) == (410, False)
    browser.get("/jiuniu/sessions").press("sign_out")
    assert browser.get(page.response.url).status == 410


def test_c7_signing_out_ends_all_links_opened_here_if_asked(world: World) -> None:
    world.join()
    link = world.mail("study_plan.please_write", LILEI).link()
    browser = world.sign_in(LILEI)
    page = browser.get(link)
    browser.get("/jiuniu/sessions").press("sign_out_links")
    assert browser.get(link).status == 410
    late = page.press("submit", **PLAN)
    assert (late.status, PLAN["plan"] in late.response.text) == (410, True)
    assert submitted(world) == "owed"
    assert world.open(world.mail("club.new_links", LILEI).link("/me/")).status == 200


def test_c7_a_form_left_open_for_long_is_taken(world: World) -> None:
    world.join()
    page = world.open(world.mail("study_plan.please_write", LILEI))
    world.set_clock(world.now + timedelta(hours=8))
    assert (page.press("submit", **PLAN).status, submitted(world)) == (200, "review")


def test_a_press_needs_a_form_of_that_very_link(world: World) -> None:
    world.join()
    world.join(email="b@qq.com", name="乙")
    mine = world.open(world.mail("study_plan.please_write", LILEI))
    theirs = world.open(world.mail("study_plan.please_write", "b@qq.com"))
    url, fields = mine.response.url, mine.fields("submit") | PLAN | {"action": "submit"}
    foreign = fields | {"csrf_token": theirs.value("csrf_token")}
    blank = {name: text for name, text in fields.items() if name != "csrf_token"}
    assert [mine.browser.post(url, sent).status for sent in (foreign, blank)] == [400, 400]
    answer = mine.browser.post(url, fields, headers={"Origin": "https://evil.example"})
    assert (answer.status, submitted(world)) == (403, "owed")
