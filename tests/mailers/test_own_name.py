"""The name under which the post introduces itself, and faults of this machine told apart from a server's."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from engine.settings import MailServer
from mailers.account.smtp_test import diagnose
from mailers.smtp.connection import PLAIN_LOGIN, SmtpConnection, ehlo_name
from mailers.smtp.reply import SmtpReply, judge
from tests.mailers.scripted import Scripted
from tests.mailers.test_post import FROM, MAIL, TO

MACHINES = ["小明的电脑.lan", "my_pc.lan", "DESKTOP 7", "a" * 300, "", "localhost", "läptop"]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda name: name[:12])
def test_a4_whatever_the_machine_is_called_the_mail_leaves_under_a_name_of_our_own(
    serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    for function in ("getfqdn", "gethostname"):
        monkeypatch.setattr(socket, function, lambda *_: machine)
    server = serve()
    post = SmtpConnection(server.server(), FROM, name="jiuniu.example.org")
    assert post.hand_over(TO, MAIL) == SmtpReply("dot", 250, "taken")
    assert server.commands[0].lower() == "ehlo jiuniu.example.org"
    assert SmtpConnection(server.server(), FROM).try_out().code == 250
    assert [command.lower() for command in server.commands if command.lower().startswith("ehlo")][
        1:
    ] == ["ehlo [127.0.0.1]"]


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://jiuniu.example.org/club", "jiuniu.example.org"),
        ("https://Jiuniu.Example.ORG:8443", "jiuniu.example.org"),
        ("https://读书会.中国", "xn--1jqyqf22m.xn--fiqs8s"),
        ("https://jiuniu.example.org.", "jiuniu.example.org"),
        ("http://127.0.0.1:8000", ""),
        ("http://[::1]:8000", ""),
        ("http://192.168.1.20:8000", ""),
        ("http://localhost:8000", ""),
        ("http://xiaoming-pc:8000", ""),
        ("https://my_club.example.org", ""),
        ("https://-a.example.org", ""),
        ("https://" + "a" * 64 + ".example.org", ""),
    ],
)
def test_a4_the_name_comes_from_the_base_url_where_that_is_a_public_ascii_name(
    base_url: str, name: str
) -> None:
    assert ehlo_name(base_url) == name


def test_a4_a_fault_of_ours_is_told_apart_from_the_server_s(
    serve: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(EHLO=b"250-here\r\n250 AUTH PLAIN\r\n")
    mine = server.server(user="club@qq.com", password="密码")
    answer = SmtpConnection(mine, FROM).hand_over(TO, MAIL)
    assert (answer.phase, answer.ours, answer.text) == ("login", True, PLAIN_LOGIN)
    assert (diagnose(mine, answer), judge(answer, 0).kind) == ("ours", "channel")

    def broken(*_: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(SmtpConnection, "_greet", broken)
    answer = SmtpConnection(server.server(), FROM).hand_over(TO, MAIL)
    assert (answer, diagnose(mine, answer)) == (
        SmtpReply("connect", 0, "AttributeError: no such thing", ours=True),
        "ours",
    )


def test_a4_a_host_whose_name_cannot_be_is_no_fault_of_the_network() -> None:
    mine = MailServer("smtp", "smtp..例子.com", 25)
    answer = SmtpConnection(mine, FROM).hand_over(TO, MAIL)
    assert (answer.ours, diagnose(mine, answer)) == (False, "host")
