"""The bytes of a mail: a parser takes out whatever was put in."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from mailers.letters.mime import encoded_words, mail_bytes, mailbox


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "a",
        "读书",
        "读" * 300,
        "🙂" * 300,
        "é" * 45,
        "a" * 2000,
        "=?utf-8?b?eA==?=",
        "𠮷 مرحبا שלום",
    ],
)
def test_a_subject_arrives_equal_on_lines_that_servers_take(subject: str) -> None:
    content = mail_bytes({"Subject": encoded_words(subject)}, text="", html="")
    assert str(parsed(content)["Subject"]) == subject
    assert max(map(len, content.split(b"\r\n"))) <= 100


@pytest.mark.parametrize(
    "name", ["", "Li Lei", "李雷", 'O"Brien, \\Pat', "李" * 200, "a" * 200, "🙂" * 200]
)
def test_a_name_and_an_address_arrive_equal(name: str) -> None:
    (found,) = parsed(mail_bytes({"To": mailbox(name, "lilei@qq.com")}, text="", html=""))[
        "To"
    ].addresses
    shown = found.display_name.replace(
        " ", ""
    )  # this parser keeps the blank between two encoded words of a name
    assert (shown, found.addr_spec) == (name.replace(" ", ""), "lilei@qq.com")


@pytest.mark.parametrize(
    "typed",
    ["x\r\nBcc: y@qq.com", "x\r\n Bcc: y", "x\n\ny", "x\x00y\x0b\x0c\x85\u2028\u2029z", "\r\n"],
)
@pytest.mark.parametrize(
    "how",
    [
        str,
        encoded_words,
        lambda typed: mailbox(typed, "lilei@qq.com"),
        lambda typed: mailbox("", typed),
    ],
)
def test_whatever_was_typed_is_one_header(typed: str, how: object) -> None:
    assert callable(how)
    mail = parsed(mail_bytes({"X-Words": how(typed), "X-Next": "next"}, text="", html=""))
    assert (mail.keys(), mail["X-Next"]) == (
        ["X-Words", "X-Next", "MIME-Version", "Content-Type"],
        "next",
    )


def test_a_long_header_of_plain_letters_and_one_of_others_are_encoded() -> None:
    mail = parsed(mail_bytes({"X-Long": "a" * 1500, "X-Wide": "读书"}, text="", html=""))
    assert (mail["X-Long"], mail["X-Wide"]) == ("a" * 1500, "读书")


@pytest.mark.parametrize(
    "text", ["", "a", ".\n", "读书\n" * 3000, "x" * 5000, "--=_jiuniu_=--\n", "\ud800"]
)
def test_both_parts_arrive_equal_without_a_defect(text: str) -> None:
    mail = parsed(mail_bytes({"To": "lilei@qq.com"}, text=text, html=f"<p>{text}</p>"))
    plain, html = mail.iter_parts()
    assert [part.defects for part in mail.walk()] == [[], [], []]
    arrived = text.encode("utf-8", "replace").decode()
    assert (
        plain.get_content_type(),
        plain.get_payload(decode=True),
        html.get_content_type(),
        html.get_payload(decode=True),
    ) == (
        "text/plain",
        arrived.encode(),
        "text/html",
        f"<p>{arrived}</p>".encode(),
    )
