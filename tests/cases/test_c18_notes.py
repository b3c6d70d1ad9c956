"""The limits of texts hold for every field, and a mail is cut whatever it quotes (C15, C18)."""

from __future__ import annotations

from sqlalchemy import select

from engine.declare.fields import NOTE_CHARACTERS
from engine.storage.models import Event
from tests.cases.pages_with_forms import Club
from tests.world import World

LONG = "字" * (NOTE_CHARACTERS + 1)
MOST = "&" * NOTE_CHARACTERS  # five times as long in HTML


def notes(world: World) -> list[int]:
    return [len(event.note) for event in world.rows(select(Event)) if len(event.note) > 99]


def test_c18_a_note_is_refused_beside_its_field_wherever_it_is_typed(world: World) -> None:
    club = Club.of(world)
    pages = [
        club.of_owner("study_plan", "person:submit").press("return", note=LONG),
        club.of_owner("study_plan", "clock:due").press("excuse", note=LONG),
        club.late().press("extend", note=LONG, days="2"),
        club.desk(f"/people/{club.member().id}").press("correct", email="c@qq.com", why=LONG),
        club.of_owner("study_plan", "person:submit").press("return", note="a" * 7_000_000),
    ]
    assert [page.status for page in pages] == [422] * len(pages)
    assert ["超过 10000 个字符" in page.text for page in pages] == [True] * len(pages)
    assert pages[0].value("note") == LONG
    assert notes(world) == []


def test_c18_the_longest_note_becomes_a_small_mail_with_a_link_to_the_rest(world: World) -> None:
    club = Club.of(world)
    assert club.of_owner("study_plan", "person:submit").press("return", note=MOST).status == 200
    mail = world.mail("study_plan.please_revise")
    assert notes(world) == [NOTE_CHARACTERS]
    assert len(mail.message.as_bytes()) < 90_000
    assert "…\n" in mail.text and "全文在这里：" in mail.text


def test_c15_answers_are_few_a_day_and_what_was_typed_stays(world: World) -> None:
    page = Club.of(world).of_person("study_plan", "clock:due", "clock:due")
    statuses = [page.press("answer", note=f"第 {number} 次回答").status for number in range(12)]
    late = page.press("answer", note="最后一次回答")
    assert (statuses[:10], statuses[10:], late.status) == ([200] * 10, [429] * 2, 429)
    assert late.value("note") == "最后一次回答"
    assert [mail.letter for mail in world.new_mails()].count("study_plan.person_answered") == 10
