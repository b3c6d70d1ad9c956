"""The doctor's checks of mail: a server and a DNS on real sockets; nothing is sent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from engine.operations.installation_checks import Finding
from engine.settings import MailServer, Settings, load
from mailers.account.dns_check import dns_records, mail_server, sender
from tests.mailers.scripted import CLOSE, Reply, Scripted

PUBLIC = {("org.", "NS"): ["ns.org."]}
CLUB = PUBLIC | {
    ("club.org.", "MX"): ["10 mx.club.org."],
    ("club.org.", "TXT"): ['"v=spf1 include:" "mx.club.org -all"', '"something else"'],
    ("_dmarc.club.org.", "TXT"): ['"v=DMARC1; p=none"'],
}


@contextlib.contextmanager
def naming(records: dict[tuple[str, str], list[str]] | None) -> Iterator[dns.resolver.Resolver]:
    """A name server that knows these records and no other name; None: one that never answers."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                asked, who = server.recvfrom(4096)
            except OSError:
                return
            if records is not None and asked:
                server.sendto(_answer(records, dns.message.from_wire(asked)), who)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
    try:
        yield resolver
    finally:
        server.close()


def _answer(records: dict[tuple[str, str], list[str]], query: Any) -> bytes:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    [question] = query.question
    name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
    if (name, kind) in records:
        response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *records[name, kind]))
    elif not any(known == name for known, _ in records):
        response.set_rcode(dns.rcode.NXDOMAIN)
    wire: bytes = response.to_wire()
    return wire


def settings(
    tmp_path: Path,
    sender: str = "九牛 <post@club.org>",
    server: MailServer | None = None,
    **given: str,
) -> Settings:
    url = {}
    if server:
        login = f"{server.user.replace('@', '%40')}:{server.password}@" if server.user else ""
        url = {"JIUNIU_SMTP_URL": f"{server.security}://{login}{server.host}:{server.port}"}
    return load({"JIUNIU_DATA_DIR": str(tmp_path), "JIUNIU_MAIL_FROM": sender} | url | given)


def looked_up(
    tmp_path: Path, records: dict[tuple[str, str], list[str]] | None, sender: str = "post@club.org"
) -> list[tuple[str, str]]:
    with naming(records) as resolver:
        return [
            (finding.check, finding.verdict)
            for finding in dns_records(settings(tmp_path, sender), resolver)
        ]


def test_a_domain_as_it_should_be(tmp_path: Path) -> None:
    with naming(CLUB) as resolver:
        assert list(dns_records(settings(tmp_path), resolver)) == [
            Finding("dns mx", "ok", "club.org: 10 mx.club.org."),
            Finding("dns spf", "ok", "v=spf1 include:mx.club.org -all"),
            Finding("dns dmarc", "ok", "v=DMARC1; p=none"),
        ]


def test_a_subdomain_follows_its_parent_s_policy(tmp_path: Path) -> None:
    records = CLUB | {
        ("post.club.org.", "MX"): ["10 mx.club.org."],
        ("post.club.org.", "TXT"): ['"v=spf1 -all"'],
    }
    assert looked_up(tmp_path, records, "a@post.club.org") == [
        ("dns mx", "ok"),
        ("dns spf", "ok"),
        ("dns dmarc", "ok"),
    ]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (
            PUBLIC | {("club.org.", "A"): ["127.0.0.1"]},
            [("dns mx", "warning"), ("dns spf", "warning"), ("dns dmarc", "warning")],
        ),
        (
            CLUB | {("club.org.", "TXT"): ['"v=spf1 a"', '"v=spf1 b"']},
            [("dns mx", "ok"), ("dns spf", "wrong"), ("dns dmarc", "ok")],
        ),
        (PUBLIC, [("dns mx", "wrong")]),
        ({}, [("dns", "not checked")]),
    ],
    ids=["nothing", "two SPF records", "no such domain", "a DNS without public names"],
)
def test_what_a_domain_lacks(
    tmp_path: Path, records: dict[tuple[str, str], list[str]], expected: list[tuple[str, str]]
) -> None:
    assert looked_up(tmp_path, records) == expected


def test_where_no_dns_answers_it_is_said_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailers.account.dns_check.DNS_SECONDS", 0.2)
    assert looked_up(tmp_path, None) == [("dns", "not checked")]
    assert looked_up(tmp_path, CLUB, "jiuniu@localhost") == [("dns", "not checked")]


def test_the_login_is_tried_and_no_mail_is_sent(
    tmp_path: Path, serve: Callable[..., Scripted]
) -> None:
    server = serve(EHLO=b"250-here\r\n250 AUTH PLAIN\r\n", AUTH=b"235 welcome\r\n")
    found = list(mail_server(settings(tmp_path, server=server.server(user="post", password="p"))))
    assert [(finding.check, finding.verdict) for finding in found] == [("mail server", "ok")]
    assert "the login and the sender" in found[0].says
    assert [line.split()[0].upper() for line in server.commands][:3] == [
        "EHLO",
        "AUTH",
        "MAIL",
    ]  # QUIT may still be under way
    assert server.mails == []


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        (
            {"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 5.7.8 wrong code\r\n"},
            "says at login: 535 5.7.8 wrong code",
        ),
        ({"GREET": CLOSE}, "says at connect: "),
        (
            {
                "EHLO": b"250-here\r\n250 AUTH PLAIN\r\n",
                "AUTH": b"235 ok\r\n",
                "MAIL": b"501 mail from must equal user\r\n",
            },
            "says at sender: 501 mail from",
        ),
    ],
    ids=["login", "connect", "sender"],
)
def test_what_a_server_refuses_is_said_with_its_words(
    tmp_path: Path, serve: Callable[..., Scripted], replies: dict[str, Reply], says: str
) -> None:
    server = serve(**replies)
    [found] = mail_server(settings(tmp_path, server=server.server(user="post", password="p")))
    assert (found.verdict, says in found.says, found.do != "") == ("wrong", True, True)
    assert ":p@" not in found.says


def test_without_a_server(tmp_path: Path) -> None:
    assert [finding.verdict for finding in mail_server(settings(tmp_path))] == ["warning"]
    away = settings(tmp_path, JIUNIU_BASE_URL="https://club.example", JIUNIU_HOST="0.0.0.0")
    assert [finding.verdict for finding in mail_server(away)] == ["wrong"]


@pytest.mark.parametrize(
    ("address", "server", "verdict"),
    [
        ("you@qq.com", MailServer("smtps", "smtp.qq.com", 465, "you@qq.com", "code"), "ok"),
        ("post@club.org", MailServer("smtps", "smtp.163.com", 465, "you", "code"), "wrong"),
        ("jiuniu@localhost", MailServer("smtp", "mx.club.org", 25), "wrong"),
        ("jiuniu@localhost", MailServer("smtp", "127.0.0.1", 25), "ok"),
        (
            "post@club.org",
            MailServer("smtps", "mx.other.org", 465, "me@other.org", "code"),
            "warning",
        ),
        ("post@club.org", MailServer("smtps", "mx.club.org", 465, "me@club.org", "code"), "ok"),
        ("post@club.org", None, "not checked"),
    ],
)
def test_the_sender(tmp_path: Path, address: str, server: MailServer | None, verdict: str) -> None:
    assert sender(settings(tmp_path, address, server)).verdict == verdict
