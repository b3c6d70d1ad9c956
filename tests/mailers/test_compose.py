"""From a letter to a mail: one line per header, words unchanged, no live markup."""

from __future__ import annotations

import email
import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import update

from engine.cases.transitions import act, open_case
from engine.club.people import add_person
from engine.declare.roles import Proof
from engine.declare.transition import Actor
from engine.storage.models import Club, Letter, Person
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import fold_address
from mailers.letters.compose import MOST_BYTES
from mailers.letters.document import unbroken
from tests.club import APPLICATION, LILEI, MEIMEI, OWNER, House
from tests.mail import html_of, parse, text_of

EVIL = '<script>alert(1)</script> "><img src=x onerror=alert(1)> {{7*7}} {% raw %}'
DAMAGED = "李\r\nBcc: x@qq.com\x00雷\u2028\u0085\x0b"


def raw_headers(content: bytes) -> list[str]:
    """Header lines, folded ones joined: what a server counts as one header."""
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    return re.sub(r"\r\n[ \t]", " ", head).split("\r\n")


def set_on(house: House, model: type, **values: object) -> None:
    """Straight into the rows, past every field that would have cleaned it."""
    house.write(
        lambda session: session.execute(
            update(model)
            .where(*([model.role != "owner"] if model is Person else []))
            .values(**values)
        )
    )


def confirmed(house: House, **changed: object) -> EmailMessage:
    house.apply(**changed)  # type: ignore[arg-type]
    house.press(LILEI, "confirm")
    house.deliver()
    return house.mail("join.please_decide", OWNER)


def test_a23_every_header_is_there_once(house: House) -> None:
    mail = confirmed(house)
    letter = house.letters("join.please_decide")[0]
    case = f"<case-{letter.case_id}@jiuniu.example>"
    assert {
        key: str(value)
        for key, value in mail.items()
        if key not in ("Content-Type", "MIME-Version", "Subject", "Date")
    } == {
        "From": "九牛读书会 <post@jiuniu.example>",
        "To": "陈老师 <owner@qq.com>",
        "Reply-To": "李雷 <lilei@qq.com>",
        "Message-ID": f"<{letter.message_id}@jiuniu.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "List-Id": "jiuniu <jiuniu.jiuniu.example>",
        "X-Jiuniu-Letter": "join.please_decide",
        "References": case,
        "In-Reply-To": case,
    }
    assert mail["Date"].datetime == house.now
    assert len(mail.keys()) == len({key.lower() for key in mail})


@pytest.mark.parametrize("place", ["name", "club"])
def test_line_breaks_and_controls_in_names_make_no_second_header(house: House, place: str) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    damaged = (
        DAMAGED if house.db.is_sqlite else DAMAGED.replace("\x00", "")
    )  # PostgreSQL keeps no NUL
    set_on(house, Person if place == "name" else Club, name=damaged)
    house.deliver()
    for _, _, content in house.server.taken:
        names = [line.partition(":")[0] for line in raw_headers(content)]
        assert len(names) == len(set(names))
        assert "Bcc" not in names
        assert parse(content)["Bcc"] is None
        assert all(
            32 <= byte < 127 or byte in b"\r\n\t" for byte in content.partition(b"\r\n\r\n")[0]
        )
    assert house.letter_states() == [
        ("join.confirm_address", "dropped"),
        ("join.please_decide", "sent"),
    ]


@pytest.mark.parametrize("field", ["name", "city"])
def test_what_turns_the_direction_turns_only_itself(house: House, field: str) -> None:
    """A mark that ends our isolation would let the rest of the subject run backwards."""
    house.apply(**{field: "\u2069\u202e李雷"})
    house.press(LILEI, "confirm", LILEI)
    house.deliver()
    assert "\u2068\u202e李雷\u2069" in str(house.mail("join.please_decide")["Subject"])


@pytest.mark.parametrize(
    "subject", ["读" * 200, "🙂" * 200, "a" * 200, "𠮷野家 " * 40, "مرحبا " * 33]
)
def test_a_long_subject_decodes_equal(house: House, subject: str) -> None:
    set_on(house, Club, name=subject.strip())
    house.join()
    house.deliver()
    mail = house.mail("join.welcome", LILEI)
    said = re.sub(
        "[\u2068\u2069]", "", str(mail["Subject"])
    )  # a right-to-left name is kept from turning its sentence
    assert " ".join(said.split()) == f"欢迎加入{' '.join(subject.split())}"


def test_no_line_of_a_mail_is_longer_than_servers_take(house: House) -> None:
    """998 octets without the line end (RFC 5322, 2.1.1); 200 characters of a name may be emoji."""
    house.apply(name="🙂" * 200)
    house.press(LILEI, "confirm")
    set_on(house, Club, name="🙂" * 80)
    house.deliver()
    house.press(OWNER, "approve")
    house.deliver()
    assert (
        max(len(line) for _, _, content in house.server.taken for line in content.split(b"\r\n"))
        <= 998
    )


def test_deciders_answer_the_person_and_everybody_else_the_owner(house: House) -> None:
    house.join()
    house.deliver()
    replies = {
        (letter, to): str(house.mail(letter, to)["Reply-To"]) for letter, to in house.server.mails()
    }
    assert replies == {
        ("join.welcome", LILEI): "陈老师 <owner@qq.com>",
        ("join.add_to_group", OWNER): "李雷 <lilei@qq.com>",
        ("study_plan.please_write", LILEI): "陈老师 <owner@qq.com>",
    }
    house.apply(MEIMEI, "form-2", name="韩梅梅")
    house.press(MEIMEI, "confirm", MEIMEI)
    house.deliver()
    assert str(house.mail("join.please_decide", OWNER)["Reply-To"]) == "韩梅梅 <hanmeimei@163.com>"


def test_members_answer_the_clubs_contact_where_it_names_one(house: House) -> None:
    def name_contact(session: ClubSession) -> None:
        club = session.get_one(Club, house.club_id)
        club.charter, club.charter_version = club.charter | {"contact": "post@jiuniu.example"}, 2

    house.write(name_contact)
    house.apply()
    house.deliver()
    assert str(house.mail("join.confirm_address")["Reply-To"]) == "post@jiuniu.example"


def test_only_reminders_can_be_unsubscribed_from(house: House) -> None:
    house.join()
    house.live(until=house.now + timedelta(days=3), hours=6)
    found = {
        (
            str(mail["X-Jiuniu-Letter"]),
            mail["List-Unsubscribe-Post"],
            bool(mail["List-Unsubscribe"]),
        )
        for mail in (parse(content) for _, _, content in house.server.taken)
    }
    assert {item for item in found if item[2]} == {
        ("study_plan.due_soon", "List-Unsubscribe=One-Click", True)
    }
    address = str(house.mail("study_plan.due_soon")["List-Unsubscribe"])
    assert re.fullmatch(r"<https://club\.example/unsubscribe/[\w.-]+>", address)


TEXTS = [
    EVIL,
    "مرحبا بالعالم",
    "שלום",
    "𠮷野家で👩‍👩‍👧‍👦🇨🇳",
    ".",
    "..",
    ".\n.\nFrom me",
    "x" * 5000,
    "a\n\n\nb",
    "–“’”…",
    "=3D=20",
    "&amp;&lt;",
    "\\n%s{0}",
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:12]))
def test_what_somebody_wrote_arrives_equal_in_the_text_part(house: House, text: str) -> None:
    mail = confirmed(house, about=text)
    assert f"\n{text}\n" in text_of(mail)


def test_what_somebody_wrote_is_inert_in_both_parts_and_the_subject(house: House) -> None:
    mail = confirmed(house, about=EVIL, name=EVIL, city="{{7*7}}")
    html = html_of(mail)
    assert "<script" not in html and "<img" not in html and "onerror=alert(1)&gt;" in html
    assert "49" not in str(mail["Subject"]) + text_of(mail).replace(mail["Message-ID"], "")[:200]
    assert "{{7*7}}" in str(mail["Subject"]) and "{{7*7}}" in text_of(mail) and "{{7*7}}" in html
    assert set(re.findall(r"<(\w+)", html)) <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "table",
        "tr",
        "td",
        "p",
        "br",
        "a",
    }


@pytest.mark.parametrize(
    "text",
    ["读书笔记。" * 70_000, "<b>&\"'" * 170_000, "🙂" * 260_000, "a" * 1_000_000, "行\n" * 250_000],
    ids=lambda text: text[:3],
)
def test_a_megabyte_becomes_a_mail_that_no_mailbox_cuts_with_its_start_and_a_link(
    house: House, text: str
) -> None:
    mail = confirmed(house, about=text)
    content = house.server.taken[-1][2]
    assert len(content) < MOST_BYTES
    assert text[:300].split("\n", maxsplit=1)[0] in text_of(mail)
    assert "全文在这里：\nhttps://club.example/c/" in text_of(mail)
    assert "打开全文" in html_of(mail)


def test_short_answers_beside_a_megabyte_are_whole(house: House) -> None:
    mail = confirmed(house, about="长" * 300_000, interests="短短的一句。")
    assert "\n短短的一句。\n" in text_of(mail)


def test_a_daily_letter_with_much_in_it_is_not_cut_either(house: House) -> None:
    def wait(session: ClubSession) -> None:
        for number in range(100):
            person = add_person(session, f"a{number}@qq.com", locale="zh-CN", name="名" * 20)
            answers = APPLICATION | {"about": "长" * 500}
            case = open_case(
                session,
                "join",
                person,
                by=Actor(person, "page"),
                now=house.now,
                answers=answers,
                data={"charter_version": 1},
            )
            act(
                session,
                case,
                "confirm",
                by=Actor(person, "page", proof=Proof.ADDRESS),
                now=house.now,
            )

    house.write(wait)
    house.write(lambda session: session.execute(update(Letter).values(state="held")))
    house.tick(days=1)
    assert house.deliver() == [("club.daily", OWNER)]
    assert len(house.server.taken[-1][2]) < MOST_BYTES


def test_the_daily_letter_quotes_what_somebody_wrote_and_not_their_address(house: House) -> None:
    house.apply(about="读书。")
    house.press(LILEI, "confirm")
    house.tick(days=1)
    house.deliver()
    lines = text_of(house.mail("club.daily")).split("\n")
    assert LILEI not in lines
    assert "读书。" in lines


def test_the_first_the_reviewer_sees_is_not_called_a_resubmission(house: House) -> None:
    """Somebody who applied twice before confirming has handed in once, as far as the reviewer
    knows."""
    house.apply()
    house.apply(form="form-2", about="想认真读书，也想交朋友。")
    house.press(LILEI, "confirm")
    house.deliver()
    mail = house.mail("join.please_decide")
    assert str(mail["Subject"]).startswith("请审核：")
    assert "先看改动" not in text_of(mail)


def test_a_mail_to_an_international_address_can_be_composed(house: House) -> None:
    house.apply(fold_address("lilei@例子.中国"))
    assert [letter for letter, _ in house.deliver()] == ["join.confirm_address"]


def test_text_and_html_say_the_same(house: House) -> None:
    mail = confirmed(house, about="想认真读书。\n每天一章。")
    bare = re.sub(
        r"\s+",
        "",
        re.sub(
            r"<[^>]+>", "", re.sub(r"<(style|title).*?</\1>", "", html_of(mail), flags=re.DOTALL)
        ),
    )
    words = [
        line
        for line in text_of(mail).split("\n")
        if line and not line.startswith(("http", "--")) and not line.endswith("：")
    ]
    missing = [line for line in words if re.sub(r"\s+", "", line) not in bare and "：" not in line]
    assert missing == []


@pytest.mark.parametrize(
    ("written", "joined"),
    [
        ("  a\n   b  ", "a b"),
        ("读书\n  学习", "读书学习"),
        ("读书。\nEnglish", "读书。English"),
        ("end\n，然后", "end，然后"),
        ("a\n\n\nb", "a b"),
        ("", ""),
    ],
)
def test_a_templates_paragraph_is_one_line_and_chinese_joins_without_a_space(
    written: str, joined: str
) -> None:
    assert unbroken(written) == joined


def test_mails_are_read_by_a_parser_without_a_defect(house: House) -> None:
    house.join()
    house.deliver()
    for _, _, content in house.server.taken:
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert [part.defects for part in mail.walk()] == [[], [], []]
        assert mail.get_content_type() == "multipart/alternative"
