"""A mail as its recipient reads it."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage


def parse(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[return-value]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


@dataclass
class Mail:
    """A mail as its recipient sees it."""

    message: EmailMessage

    @property
    def letter(self) -> str:
        return str(self.message["X-Jiuniu-Letter"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def to(self) -> str:
        return str(self.message["To"].addresses[0].addr_spec)

    @property
    def text(self) -> str:
        return text_of(self.message)

    @property
    def html(self) -> str:
        return html_of(self.message)

    def link(self, kind: str = "/c/") -> str:
        """The first link of a kind, from the text part."""
        return next(url for url in self.links if kind in url)

    @property
    def links(self) -> list[str]:
        return re.findall(r"^https?://\S+$", self.text, re.MULTILINE)
