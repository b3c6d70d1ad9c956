"""A mail server on a port of its own, for a world."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from mailers.dev_mailbox import free_port
from tests.mail import parse


class Sink:
    """A mail server that keeps what it takes, and says what it is told to say."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.replies: dict[str, str] = {}  # "RCPT" or "DATA" to an answer other than yes
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.controller.start()

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if "RCPT" in self.replies:
            return self.replies["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.mails.append(parse(envelope.content))
        self.recipients.extend(envelope.rcpt_tos)
        return "250 taken"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.controller.port}"

    def stop(self) -> None:
        self.controller.stop()
