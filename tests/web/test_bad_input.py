"""Bad input gets a clear word beside its field; everything typed stays; nothing is lost, ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.storage.models import Case, Person
from engine.text.addresses import fold_address
from tests.page import Page
from tests.world import APPLICATION, World
from web.http import security

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "O'Brien & <b>Söhne</b>",
    "𠮷野 👩‍👩‍👧 مرحبا שלום",
]


def error_of(page: Page, name: str) -> str:
    field = page.soup.select_one(f'[name="{name}"]')
    assert field is not None and field.get("aria-invalid") == "true"
    for described in str(field["aria-describedby"]).split():
        found = page.soup.find(id=described)
        if found is not None and "error" in " ".join(found.get("class", [])):
            return str(found.get_text(" ", strip=True))
    raise AssertionError("no error is tied to the field")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "名" * 201),
        ("email", "not an address"),
        ("email", "a@b"),
        ("city", "   "),
        ("about", ""),
    ],
)
def test_each_wrong_field_is_named_and_the_rest_stays(world: World, field: str, value: str) -> None:
    page = world.apply(**{field: value})
    assert page.status == 422
    assert error_of(page, field) != ""
    for name, typed in (APPLICATION | {field: value}).items():
        if name != "accept_charter":
            assert page.value(name).strip() == typed.strip()
    assert world.rows(select(func.count()).select_from(Case)) == [0]


def test_joining_takes_the_tick_at_the_charter(world: World) -> None:
    page = world.browser().get("/jiuniu/join")
    data = page.fields() | APPLICATION | {"form": world.aged_stamp(page.value("form"))}
    del data["accept_charter"]
    refused = page.browser.post("/jiuniu/join", data)
    assert refused.status == 422 and error_of(refused, "accept_charter") != ""


@pytest.mark.parametrize(
    "typed",
    [
        "ＬＩＬＥＩ＠ｑｑ．ｃｏｍ",
        "LiLei@QQ.com",
        "lilei@qq。com",
        " <lilei@qq.com> ",
        "\u202alilei@qq.com\u200b",
    ],
)
def test_an_address_is_folded_to_the_one_it_means(world: World, typed: str) -> None:
    world.apply(email=typed)
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]


@pytest.mark.parametrize(("address", "flagged"), [("a@qԛ.com", "qԛ.com"), ("a@例子.中国", "")])
def test_a_domain_that_poses_as_another_is_flagged_to_the_owner(
    world: World, address: str, flagged: str
) -> None:
    world.apply(email=address)
    world.open(world.mail("join.confirm_address")).press("confirm")
    asked = world.mail("join.please_decide")
    assert [f"读作“{flagged}”" in seen for seen in (asked.text, world.open(asked).text)] == [
        bool(flagged)
    ] * 2
    assert world.person(fold_address(address)).address == fold_address(address)


@pytest.mark.postgres
@pytest.mark.parametrize("text", NASTY)
def test_what_people_type_is_inert_and_equal_everywhere(world: World, text: str) -> None:
    world.apply(name=text, about=f"开头\n.\n{text}\n结尾")
    world.open(world.mail("join.confirm_address")).press("confirm")
    please = world.mail("join.please_decide")
    assert text in please.text.replace("\u2068", "").replace("\u2069", "")
    assert "\n.\n" in please.text
    page = world.open(please)
    for raw in (please.html, page.response.text):
        assert "<script>alert" not in raw and "<img src=x" not in raw and "<b>Söhne" not in raw
    assert text in page.soup.get_text()
    assert len(please.message.get_all("Subject")) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("control", ["\r\nBcc: x@y.z", "\x00", "\u2028", "\x0b", "\x85"])
def test_control_characters_never_make_a_second_header_line(world: World, control: str) -> None:
    world.apply(name=f"李{control}雷")
    world.open(world.mail("join.confirm_address")).press("confirm")
    please = world.mail("join.please_decide")
    assert please.message["Bcc"] is None
    assert world.rows(select(func.count()).select_from(Person)) == [2]


@pytest.mark.postgres
def test_a_megabyte_is_taken_and_more_is_refused_with_the_text_kept(world: World) -> None:
    essay = "字" * (1024 * 1024 // 3)
    assert world.apply(about=essay).status == 200
    world.open(world.mail("join.confirm_address")).press("confirm")
    please = world.mail("join.please_decide")
    assert len(please.message.as_bytes()) < 90_000 and please.link() is not None
    longer = essay + "字" * 1000
    refused = world.apply(email="b@qq.com", about=longer)
    assert refused.status == 422 and refused.value("about") == longer


def test_a_request_of_fifty_megabytes_is_turned_away(world: World) -> None:
    browser = world.browser()
    browser.get("/jiuniu/join")
    assert browser.post("/jiuniu/join", {"about": "x" * 50_000_000}).status == 413


def test_a_form_sent_within_two_seconds_or_with_a_filled_trap_is_shown_again_not_lost(
    world: World,
) -> None:
    page = world.browser().get("/jiuniu/join")
    too_fast = page.browser.post("/jiuniu/join", page.fields() | APPLICATION)
    assert too_fast.status == 422 and too_fast.value("about") == APPLICATION["about"]
    trapped = world.press_as_a_person(page, **APPLICATION, homepage="http://spam.example")
    assert (
        trapped.status == 422
        and trapped.value("homepage") == ""
        and trapped.value("about") == APPLICATION["about"]
    )
    assert world.new_letters() == []
    again = trapped.browser.post(
        trapped.response.url, trapped.fields() | {"form": world.aged_stamp(trapped.value("form"))}
    )
    assert again.status == 200


def test_a_form_without_its_stamp_is_as_old_as_its_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = world.browser().get("/jiuniu/join")
    named = {"csrf_token": page.value("csrf_token"), **APPLICATION}
    assert page.browser.post("/jiuniu/join", named).status == 422
    later = security.machine_now() + timedelta(seconds=3)
    monkeypatch.setattr(security, "machine_now", lambda: later)
    assert [page.browser.post("/jiuniu/join", named).status for _ in range(2)] == [200, 200]
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]


def test_a_form_without_its_token_is_shown_again_with_every_word(world: World) -> None:
    page = world.browser().get("/jiuniu/join")
    stranger = world.browser()  # the cookie is gone, as after a browser's restart
    refused = stranger.post(
        "/jiuniu/join", page.fields() | APPLICATION | {"form": world.aged_stamp(page.value("form"))}
    )
    assert refused.status == 400 and refused.value("about") == APPLICATION["about"]
    assert world.new_letters() == []
    assert world.press_as_a_person(refused, **APPLICATION).status == 200
    assert world.new_letters() == [("join.confirm_address", "lilei@qq.com")]


def test_a_hand_in_without_its_token_is_shown_again_with_every_word(world: World) -> None:
    world.join()
    page = world.open(world.mail("study_plan.please_write"))
    data = page.fields("submit") | {"goals": "长长的目标", "plan": "长长的计划", "action": "submit"}
    del data["csrf_token"]
    refused = world.phone_of("lilei@qq.com").post(page.response.url, data)
    assert refused.status == 400
    assert (refused.value("goals"), refused.value("plan")) == ("长长的目标", "长长的计划")


@pytest.mark.postgres
@pytest.mark.parametrize(
    "path", ["%00/", "%00/join", "jiuniu%00/join", "c/%00", "%F0%9F%99%82/join", "a" * 500 + "/"]
)
def test_an_address_that_no_club_can_have_is_not_found(world: World, path: str) -> None:
    assert world.browser().get(f"/{path}").status == 404


def test_a_form_for_a_club_that_is_not_there_is_not_taken_in(world: World) -> None:
    browser = world.browser()
    page = browser.get("/jiuniu/join")
    data = page.fields() | APPLICATION | {"form": world.aged_stamp(page.value("form"))}
    assert browser.post("/nobody/join", data).status == 404
    assert world.new_letters() == []


def test_a_form_lives_through_a_restart_and_a_long_night(
    world: World, begin: Callable[..., World]
) -> None:
    page = world.browser().get("/jiuniu/join")
    later = begin(**world.same_data)  # a second process on the same data
    page.browser.base = later.base
    page.browser.session.cookies = page.browser.session.cookies
    moved = page.browser.post(
        "/jiuniu/join", page.fields() | APPLICATION | {"form": world.aged_stamp(page.value("form"))}
    )
    assert moved.status == 200


def test_a_missing_text_on_the_case_page_is_named_and_the_other_stays(world: World) -> None:
    world.join()
    refused = world.open(world.mail("study_plan.please_write")).press(
        "submit", goals="", plan="每天一页"
    )
    assert refused.status == 422
    assert error_of(refused, "goals") != "" and refused.value("plan") == "每天一页"


def test_a_stale_form_is_refused_with_the_page_and_the_text(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    please = world.mail("join.please_decide")
    slow, fast = world.open(please), world.open(please)
    fast.press("return", note="请补充")
    late = slow.press("decline", note="一大段已经写好的理由")
    assert late.status == 409
    assert "一大段已经写好的理由" in late.soup.get_text()
    assert "陈老师" in late.text
    assert [case.state for case in world.rows(select(Case))] == ["returned"]


@pytest.mark.postgres
def test_a_double_tap_is_one_decision_and_one_mail(world: World) -> None:
    world.apply()
    world.open(world.mail("join.confirm_address")).press("confirm")
    page = world.open(world.mail("join.please_decide"))
    world.new_mails()
    first, second = page.press("approve"), page.press("approve")
    assert (first.status, second.status) == (200, 409)
    assert "陈老师" in second.text
    assert world.new_letters() == [
        ("join.add_to_group", "owner@qq.com"),
        ("join.welcome", "lilei@qq.com"),
        ("study_plan.please_write", "lilei@qq.com"),
    ]


@pytest.mark.postgres
def test_a_double_press_of_a_hand_in_is_one_hand_in(world: World) -> None:
    world.join()
    page = world.open(world.mail("study_plan.please_write"))
    for _press in range(2):
        assert page.press("submit", goals="会", plan="写").status == 200
    assert world.new_letters()[-1] == ("study_plan.please_write", "lilei@qq.com")
    assert [row["letter"] for row in world.ledger(letter="study_plan.please_decide")] == [
        "study_plan.please_decide"
    ]
