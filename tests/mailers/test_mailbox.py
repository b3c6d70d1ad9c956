"""The built-in mailbox: what is sent to it is found, shown and emptied, and nothing else is opened."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailers import dev_mailbox
from mailers.dev_mailbox import DevMailbox, open_mail, stored_mails
from mailers.queue.worker import DeliveryWorker
from mailers.smtp.connection import SmtpConnection
from tests.club import LILEI, MEIMEI, House
from tests.mail import text_of
from tests.mailers.test_delivery import Standing


@pytest.fixture
def box(tmp_path: Path) -> Iterator[DevMailbox]:
    made = DevMailbox(tmp_path / "mailbox")
    yield made
    made.stop()


def test_letters_go_out_over_a_real_server_into_the_built_in_mailbox(
    house: House, box: DevMailbox
) -> None:
    house.join()
    sent = DeliveryWorker(house.db, house.composer, box.start(), Standing(house)).deliver()
    assert sent == 3
    found = list(stored_mails(box.folder))
    assert sorted((mail.letter, mail.recipient) for mail in found) == [
        ("join.add_to_group", "陈老师 <owner@qq.com>"),
        ("join.welcome", "李雷 <lilei@qq.com>"),
        ("study_plan.please_write", "李雷 <lilei@qq.com>"),
    ]
    assert [mail.sent_at for mail in found] == [house.now] * 3
    opened = open_mail(box.folder, next(mail.id for mail in found if mail.letter == "join.welcome"))
    assert opened is not None
    assert "欢迎" in text_of(opened)


def test_the_mailbox_finds_by_recipient_shows_the_newest_first_and_can_be_emptied(
    house: House, box: DevMailbox
) -> None:
    house.apply()
    deliver = DeliveryWorker(house.db, house.composer, box.start(), Standing(house)).deliver
    deliver()
    house.apply(MEIMEI, "form-2")
    deliver()
    assert [mail.recipient for mail in stored_mails(box.folder)] == [MEIMEI, LILEI]
    assert [mail.recipient for mail in stored_mails(box.folder, "lilei")] == [LILEI]
    assert [mail.recipient for mail in stored_mails(box.folder, limit=1)] == [MEIMEI]
    assert [mail.recipient for mail in stored_mails(box.folder, "lilei", limit=1)] == [
        LILEI
    ]  # among all, not among the newest
    assert [
        mail.recipient
        for mail in stored_mails(box.folder, before=next(stored_mails(box.folder)).id)
    ] == [LILEI]
    dev_mailbox.empty(box.folder)
    assert list(stored_mails(box.folder)) == []


@pytest.mark.parametrize("name", ["../secret", "", "-", "a/b", ".hidden", "none"])
def test_the_mailbox_opens_nothing_but_its_mails(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.eml").write_text("Subject: secret\n\n")
    (tmp_path / "mailbox").mkdir()
    assert open_mail(tmp_path / "mailbox", name) is None


def test_a4_the_built_in_mailbox_works_on_a_machine_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "小明的电脑.lan")
    catcher = DevMailbox(tmp_path)
    server = catcher.start()
    try:
        assert (
            SmtpConnection(server, "Jiuniu <jiuniu@localhost>")
            .hand_over("lilei@qq.com", b"Subject: x\r\n\r\nx\r\n")
            .code
            == 250
        )
    finally:
        catcher.stop()
