"""The mail account in use: from the environment, a page, or the built-in mailbox.

The password is encrypted together with its server and login, so that it never goes to another one.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, update

from engine.security.encryption import CannotDecrypt, Encryption
from engine.settings import MailServer, Settings
from engine.storage.database import across_clubs, lock_row
from engine.storage.heartbeats import note_channel
from engine.storage.models import Letter, MailAccount
from engine.storage.states import LetterState
from engine.storage.unit_of_work import ClubSession

THE_ONE = 1
Origin = Literal["environment", "page", "unreadable", "mailbox", "nothing"]


@dataclass(frozen=True)
class Outgoing:
    """The way by which mail leaves.

    ``server`` None: letters wait. *unreadable*: no key of this installation decrypts the account's
    password.
    """

    origin: Origin
    server: MailServer | None
    sender: str

    def into(self, settings: Settings) -> Settings:
        """Return the settings as if the environment had named this account."""
        return (
            settings
            if self.origin == "environment"
            else replace(settings, mail_server=self.server, mail_from=self.sender)
        )


def seal_password(encryption: Encryption, server: MailServer) -> bytes:
    return encryption.encrypt(json.dumps([server.host, server.user, server.password]))


def open_password(encryption: Encryption, sealed: bytes, *, host: str, user: str) -> str:
    """Decrypt the password.

    Raises: CannotDecrypt, also if it was encrypted for another server or login.
    """
    try:
        *bound, password = json.loads(encryption.decrypt(sealed))
    except ValueError:  # CannotDecrypt among them.
        raise CannotDecrypt from None
    if bound != [host, user]:
        raise CannotDecrypt
    return str(password)


def save_account(
    session: ClubSession, encryption: Encryption, server: MailServer, *, sender: str, now: datetime
) -> None:
    """Store the account; each process uses it from its next delivery on."""
    session.merge(
        MailAccount(
            id=THE_ONE,
            security=server.security,
            host=server.host,
            port=server.port,
            user=server.user,
            secret=seal_password(encryption, server),
            sender=sender,
            at=now,
        )
    )
    note_channel(session, "", (), now)
    discard_rendered(session)


def clear_account(session: ClubSession) -> None:
    """Delete the account that was set on a page or by command."""
    session.execute(delete(MailAccount))


def reencrypt(session: ClubSession, encryption: Encryption) -> None:
    """Encrypt the password with the present first key, before the old one is dropped."""
    kept = session.get(MailAccount, THE_ONE)
    if kept is None or encryption.is_current(kept.secret):
        return
    lock_row(session, kept)  # Another process may be setting an account.
    with contextlib.suppress(CannotDecrypt):  # The desk then asks for it again.
        kept.secret = encryption.encrypt(encryption.decrypt(kept.secret))


@across_clubs
def discard_rendered(session: ClubSession) -> None:
    """Drop the bytes of refused letters, which name the old sender.

    A letter that may have arrived keeps its bytes.
    """
    again = (Letter.state == LetterState.QUEUED) & Letter.bytes.is_not(None) & ~Letter.maybe_twice
    session.execute(update(Letter).where(again).values(bytes=None))


def outgoing(session: ClubSession, settings: Settings, encryption: Encryption) -> Outgoing:
    """Return how mail leaves now.

    The built-in mailbox has no server here: only the process that runs it knows its port.
    """
    if settings.mail_server is not None:
        return Outgoing("environment", settings.mail_server, settings.mail_from)
    kept = session.get(MailAccount, THE_ONE)
    if kept is None:
        return Outgoing(
            "mailbox" if settings.built_in_mailbox else "nothing", None, settings.mail_from
        )
    try:
        password = open_password(encryption, kept.secret, host=kept.host, user=kept.user)
    except CannotDecrypt:
        return Outgoing("unreadable", None, kept.sender)
    return Outgoing(
        "page", MailServer(kept.security, kept.host, kept.port, kept.user, password), kept.sender
    )
