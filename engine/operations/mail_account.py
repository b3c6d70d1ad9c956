"""How mail leaves: by the account in the environment, else the one set on a page, else the built-in
mailbox.

The password lies sealed together with its server and login, so that it never goes to another one.
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
    """``server`` None: letters wait. *unreadable*: an account was set, but no key of this
    installation opens its password."""

    origin: Origin
    server: MailServer | None
    sender: str

    def into(self, settings: Settings) -> Settings:
        """The settings as if the environment had named this account."""
        return (
            settings
            if self.origin == "environment"
            else replace(settings, mail_server=self.server, mail_from=self.sender)
        )


def seal_password(encryption: Encryption, server: MailServer) -> bytes:
    return encryption.encrypt(json.dumps([server.host, server.user, server.password]))


def open_password(encryption: Encryption, sealed: bytes, *, host: str, user: str) -> str:
    """The password. Raises Broken, also where it was sealed for another server or login."""
    try:
        *bound, password = json.loads(encryption.decrypt(sealed))
    except ValueError:  # Broken among them
        raise CannotDecrypt from None
    if bound != [host, user]:
        raise CannotDecrypt
    return str(password)


def save_account(
    session: ClubSession, encryption: Encryption, server: MailServer, *, sender: str, now: datetime
) -> None:
    """From the post's next round on, in every process, mail leaves by this account."""
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
    """Forget the account that was set on a page or by command."""
    session.execute(delete(MailAccount))


def reencrypt(session: ClubSession, encryption: Encryption) -> None:
    """After the installation's key was changed: the password stays readable when the old key is
    dropped one day."""
    kept = session.get(MailAccount, THE_ONE)
    if kept is None or encryption.is_current(kept.secret):
        return
    lock_row(session, kept)  # somebody may be setting another one
    with contextlib.suppress(CannotDecrypt):  # then the desk says that it wants to be set again
        kept.secret = encryption.encrypt(encryption.decrypt(kept.secret))


@across_clubs
def discard_rendered(session: ClubSession) -> None:
    """Letters that were refused before carry the old sender; one that may have arrived keeps its
    bytes."""
    again = (Letter.state == LetterState.QUEUED) & Letter.bytes.is_not(None) & ~Letter.maybe_twice
    session.execute(update(Letter).where(again).values(bytes=None))


def outgoing(session: ClubSession, settings: Settings, encryption: Encryption) -> Outgoing:
    """How mail leaves now. The built-in mailbox has no server here: only the process that runs it
    knows where."""
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
