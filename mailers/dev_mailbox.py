"""The built-in mailbox: a mail server on loopback that stores each mail as a file."""

from __future__ import annotations

import email
import email.policy
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from engine.settings import MailServer


@dataclass(frozen=True)
class StoredMail:
    """A mail in the built-in mailbox.

    ``slug``: of the club that sent it, "" for a test of the account.
    """

    id: str
    recipient: str
    subject: str
    sent_at: datetime
    letter: str
    slug: str


class DevMailbox:
    """A mail server for every address; ``folder`` outlives the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        # aiosmtpd greets itself on the port it was given, so 0 does not work.
        self._port = free_port()
        # A name of its own: aiosmtpd would ask for the machine's, and greets in ASCII.
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self._port,
            data_size_limit=None,
            server_hostname="localhost",
        )

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        name = f"{time.time_ns():020d}-{secrets.token_hex(3)}"
        written = self.folder / f".{name}"
        written.write_bytes(envelope.content)
        written.rename(self.folder / f"{name}.eml")
        return "250 kept"

    def start(self) -> MailServer:
        """Listen on a free loopback port, and return it."""
        self._controller.start()
        return MailServer("smtp", "127.0.0.1", self._port)

    def stop(self) -> None:
        self._controller.stop()


def stored_mails(
    folder: Path, recipient: str = "", *, before: str = "", limit: int = 200
) -> Iterator[StoredMail]:
    """Return the mails of the mailbox, newest first.

    To this recipient; older than the one with the id ``before``.
    """
    mails = (
        _listed(path)
        for path in sorted(folder.glob("*.eml"), reverse=True)
        if not before or path.stem < before
    )
    return islice((mail for mail in mails if recipient in mail.recipient), limit)


def _listed(path: Path) -> StoredMail:
    mail = _parse(path)
    return StoredMail(
        path.stem,
        str(mail["To"]),
        str(mail["Subject"]),
        parsedate_to_datetime(mail["Date"]),
        str(mail["X-Jiuniu-Letter"]),
        slug_of(mail),
    )


def slug_of(mail: EmailMessage) -> str:
    return str(mail["List-Id"] or "").partition(" ")[0]


def open_mail(folder: Path, mail_id: str) -> EmailMessage | None:
    path = folder / f"{mail_id}.eml"
    return _parse(path) if mail_id.replace("-", "").isalnum() and path.exists() else None


def empty(folder: Path) -> None:
    for path in folder.glob("*.eml"):
        path.unlink(missing_ok=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _parse(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
