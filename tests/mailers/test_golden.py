"""Every letter, as its recipient gets it, pinned as a file: subject and text part, links as <link>.

GOLDEN=write rewrites the files; then read the difference as its recipient would.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.changes import changes
from engine.checks import letters
from engine.intake import send_form_link, send_sign_in
from engine.language import LANGUAGES, TEMPLATES
from engine.registry import all_workflows
from mailers.compose import _blocks
from mailers.sheet import Sheet
from tests.club import LILEI, MEIMEI, OWNER, PLAN, TAKEN, UNKNOWN, House, text_of
from tests.databases import Databases

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LINK = re.compile(r"https://club\.example/\S*")

Story = Callable[[House], None]


# How it came to each letter


def applied(house: House) -> None:
    house.apply()


def confirmed(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")


def joined(house: House) -> None:
    house.join()


def returned(house: House) -> None:
    confirmed(house)
    house.press(OWNER, "return", note="请写写最近读过的一本书。")


def handed_in(house: House) -> None:
    joined(house)
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)


def plan_returned(house: House) -> None:
    handed_in(house)
    house.press(OWNER, "return", workflow="study_plan", note="每周写什么？请写具体。")


def overdue(house: House) -> None:
    joined(house)
    house.deliver()
    house.now += timedelta(days=3, hours=15)  # past 24:00 of the third day
    house.tick()


def proposed(house: House) -> None:
    overdue(house)
    house.deliver()
    house.now += timedelta(hours=8)
    house.deliver()
    house.tick(days=3)


def then(story: Story, *steps: Callable[[House], object]) -> Story:
    def told(house: House) -> None:
        story(house)
        for step in steps:
            step(house)

    return told


def wait(**span: float) -> Story:
    return lambda house: house.tick(**span)


def owner(action: str, workflow: str = "study_plan", **given: object) -> Story:
    return lambda house: house.press(OWNER, action, workflow=workflow, **given)


def lilei(action: str, workflow: str = "study_plan", **given: object) -> Story:
    return lambda house: house.press(LILEI, action, workflow=workflow, **given)


def send(house: House) -> None:
    house.deliver()


CHANGED = {"goals": "读完二十本史书。", "plan": "每天早上读一小时。每周日写一篇八百字的笔记。"}
SAME_PLAN = then(plan_returned, lilei("resubmit", answers=CHANGED))


def ask_link(with_case: bool) -> Story:
    def told(house: House) -> None:
        joined(house)
        if not with_case:
            house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
            house.press(OWNER, "approve", workflow="study_plan")
        house.db.write(send_form_link, house.club_id, "study_plan", LILEI, request_id="r", now=house.now, limited=False)

    return told


def removed_and_back(house: House) -> None:
    proposed(house)
    house.press(OWNER, "remove", workflow="study_plan", note="两次都没有收到。")
    house.now += timedelta(days=30)
    house.apply(form="form-2", about="这次想好了。")
    house.press(LILEI, "confirm")


def a_day_of_much(house: House) -> None:
    """One thing of every kind for the daily letter: waiting, late, undelivered, at a standstill."""
    house.apply("lost@qq.com", "form-3", name="王五")
    house.join("lost@qq.com", "form-3")
    house.deliver(lambda frozen: UNKNOWN if frozen.recipient == "lost@qq.com" else TAKEN)
    overdue(house)
    house.apply(MEIMEI, "form-2", name="韩梅梅", city="荆州", about="我爱读小说。" * 40)
    house.press(MEIMEI, "confirm", MEIMEI)
    house.deliver()
    house.now += timedelta(hours=8, minutes=30)
    house.tick()


def two_decisions(house: House) -> None:
    confirmed(house)
    house.apply(MEIMEI, "form-2", name="韩梅梅", city="荆州")
    house.press(MEIMEI, "confirm", MEIMEI)
    house.press(OWNER, "approve")
    house.press(OWNER, "decline", MEIMEI, note="请先来听两次讨论。")
    house.tick(minutes=11)


def waits_in_the_morning(house: House) -> None:
    confirmed(house)
    house.tick(days=1)


# Letter, variant: how it came to it, and who reads it
STORIES: dict[str, tuple[Story, str]] = {
    "join.confirm_address": (applied, LILEI),
    "join.please_decide": (confirmed, OWNER),
    "join.please_decide+resubmitted": (then(returned, lambda house: house.press(LILEI, "resubmit", answers={"about": "想认真读书。最近读了《边城》。"})), OWNER),
    "join.please_decide+undone": (then(joined, owner("undo", "join")), OWNER),
    "join.please_decide+removed_before": (removed_and_back, OWNER),
    "join.please_revise": (returned, LILEI),
    "join.revise_soon": (then(returned, send, wait(days=2, hours=15)), LILEI),
    "join.welcome": (joined, LILEI),
    "join.declined": (then(confirmed, owner("decline", "join", note="请先来听两次讨论。")), LILEI),
    "join.lapsed+undecided": (then(confirmed, wait(days=9)), LILEI),
    "join.lapsed+returned": (then(returned, send, wait(days=4)), LILEI),
    "join.lapsed_undecided+undecided": (then(confirmed, wait(days=9)), OWNER),
    "join.lapsed_undecided+returned": (then(returned, send, wait(days=4)), OWNER),
    "join.withdrawn": (then(confirmed, lilei("withdraw", "join")), LILEI),
    "join.was_withdrawn": (then(confirmed, lilei("withdraw", "join")), OWNER),
    "join.taken_back+approved": (then(joined, owner("undo", "join")), LILEI),
    "join.taken_back+declined": (then(confirmed, owner("decline", "join", note="不了。"), owner("undo", "join")), LILEI),
    "join.already_member": (then(joined, lambda house: house.apply(form="form-2")), LILEI),
    "join.already_waiting": (then(confirmed, lambda house: house.apply(form="form-2")), LILEI),
    "study_plan.please_write": (joined, LILEI),
    "study_plan.due_soon": (then(joined, send, wait(days=2, hours=22)), LILEI),
    "study_plan.second_chance+nothing": (overdue, LILEI),
    "study_plan.second_chance+declined": (then(handed_in, owner("decline", note="这像是抄来的，请写你自己的。")), LILEI),
    "study_plan.second_chance+returned": (then(plan_returned, send, wait(days=4)), LILEI),
    "study_plan.second_chance+extended": (then(proposed, owner("extend", days=5, note="考完试再写。")), LILEI),
    "study_plan.last_call": (then(overdue, lambda house: setattr(house, "now", house.now + timedelta(hours=8)), send, wait(days=1, hours=16)), LILEI),
    "study_plan.please_decide": (handed_in, OWNER),
    "study_plan.please_decide+resubmitted": (SAME_PLAN, OWNER),
    "study_plan.please_revise": (plan_returned, LILEI),
    "study_plan.revise_soon": (then(plan_returned, send, wait(days=2, hours=15)), LILEI),
    "study_plan.plan_accepted": (then(handed_in, owner("approve", note="写得真好。")), LILEI),
    "study_plan.counts_as_sent": (then(handed_in, wait(days=8)), LILEI),
    "study_plan.not_looked_at": (then(handed_in, wait(days=8)), OWNER),
    "study_plan.please_decide_removal+nothing": (proposed, OWNER),
    "study_plan.please_decide_removal+declined": (then(overdue, lilei("submit", answers=PLAN), owner("decline", note="还是抄来的。")), OWNER),
    "study_plan.please_decide_removal+undone": (then(proposed, owner("excuse"), owner("undo")), OWNER),
    "study_plan.removal_proposed": (proposed, LILEI),
    "study_plan.person_answered": (then(proposed, lilei("answer", note="我住院了，下周补上。")), OWNER),
    "study_plan.removed": (then(proposed, owner("remove", note="两次都没有收到。")), LILEI),
    "study_plan.excused": (then(proposed, owner("excuse", note="好好养病。")), LILEI),
    "study_plan.not_pursued": (then(proposed, wait(days=16)), LILEI),
    "study_plan.removal_not_pursued": (then(proposed, wait(days=16)), OWNER),
    "study_plan.taken_back": (then(proposed, owner("excuse"), owner("undo")), LILEI),
    "study_plan.your_link+with_case": (ask_link(True), LILEI),
    "study_plan.your_link+without_case": (ask_link(False), LILEI),
    "club.daily+waiting": (waits_in_the_morning, OWNER),
    "club.daily+much": (a_day_of_much, OWNER),
    "club.receipt": (two_decisions, OWNER),
    "club.sign_in": (lambda house: house.db.write(send_sign_in, house.club_id, OWNER, request_id="r", now=house.now, limited=False), OWNER),
}  # fmt: skip


class English(House):
    """The same stories, told by people who read English."""

    def apply(self, *args: Any, **given: Any) -> None:
        super().apply(*args, **{"locale": "en"} | given)


@pytest.fixture
def spoken(template: Databases) -> Iterator[Callable[[str], House]]:
    houses: list[House] = []

    def begin(language: str) -> House:
        kind, name = (House, "九牛读书会") if language == "zh-CN" else (English, "Jiuniu Reading Club")
        houses.append(kind(template, locale=language, name=name))
        return houses[-1]

    yield begin
    for house in houses:
        house.end()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", STORIES)
def test_a_letter_reads_as_it_was_read_last(letter: str, language: str, spoken: Callable[[str], House]) -> None:
    story, reader = STORIES[letter]
    house = spoken(language)
    story(house)
    house.now += timedelta(hours=9) if house.letters(letter.partition("+")[0])[-1].next_at > house.now else timedelta()
    house.deliver()
    mail = house.mail(letter.partition("+")[0], reader)
    compare(f"{letter}.{language}.txt", f"{mail['Subject']}\n\n{LINK.sub('<link>', text_of(mail))}")


def test_every_letter_of_every_workflow_is_pinned() -> None:
    wanted = {f"{flow.key}.{letter}" for flow in all_workflows() for letter in letters(flow)}
    assert sorted(wanted - {letter.partition("+")[0] for letter in STORIES}) == [], "tell in STORIES how it comes to this letter"


def test_every_template_is_pinned() -> None:
    pinned = {letter.partition("+")[0].partition(".")[2] for letter in STORIES}
    written = {path.name.partition(".")[0] for path in TEMPLATES.glob("mail/*/[a-z]*.jinja")}
    assert sorted(written - pinned) == []


def test_no_golden_file_is_left_over() -> None:
    wanted = {f"{letter}.{language}.txt" for letter in STORIES for language in LANGUAGES} | {
        f"block.{kind}.html" for kind in BLOCKS
    }
    assert sorted({path.name for path in GOLDEN.iterdir()} - wanted) == [], "these are nobody's: delete them"


# One HTML file for each kind of block


def _changed(sheet: Sheet) -> None:
    sheet.changed(
        "Your plan", changes("Read each morning. Write on Sundays.\nRest.", "Read each evening. Write on Sundays.\nRest well.")
    )


BLOCKS: dict[str, Callable[[Sheet], object]] = {
    "para": lambda sheet: sheet.para(lambda: "A paragraph\n   over two lines, <b>not bold</b>."),
    "facts": lambda sheet: sheet.facts(("Matter", "Study plan"), ("Empty", ""), ("Member", '"><img onerror=alert(1)>')),
    "quote": lambda sheet: sheet.quote("A line.\n\nAnother <line>.", "The owner writes", "https://club.example/rest"),
    "changed": _changed,
    "button": lambda sheet: sheet.button("https://club.example/c/token", lambda: "Open & read"),
    "items": lambda sheet: sheet.items([("With a link", "https://club.example/c/1"), ("Without", "")]),
}


class _Home:
    home = "https://club.example/jiuniu/"


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_block_is_drawn_as_it_was_drawn_last(kind: str) -> None:
    sheet = Sheet(title="A title")
    BLOCKS[kind](sheet)
    drawn = _blocks("html").render(sheet=sheet, facts=_Home, club="Jiuniu", language="en")
    body = re.search(
        r'color:#1d2421;word-break:break-word;">\n(.*?)</td></tr>\n<tr><td style="padding:0 24px 24px;">', drawn, re.DOTALL
    )
    assert body is not None
    compare(f"block.{kind}.html", body[1])


def compare(name: str, now: str) -> None:
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(now)
    assert path.exists(), f"tests/golden/{name} is new: GOLDEN=write .venv/bin/pytest tests/mailers/test_golden.py writes it"
    assert now == path.read_text(), (
        f"tests/golden/{name}: is the change meant? Then GOLDEN=write .venv/bin/pytest tests/mailers/test_golden.py, and read it"
    )
