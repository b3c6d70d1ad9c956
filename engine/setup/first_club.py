"""The first club of an installation: setup code, saved answers, creation in one commit."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from engine.club.context import all_clubs, current_owner
from engine.operations.mail_account import save_account
from engine.security.encryption import Encryption
from engine.settings import MailServer
from engine.setup.club_admin import SETUP, create_club
from engine.storage.models import Club, Heartbeat
from engine.storage.unit_of_work import ClubSession

# Without the signs that people confuse (0 O, 1 I L).
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 8


class AlreadyFounded(Exception):
    """There is a club; the set-up is over."""


def setup_code(keys: Sequence[str]) -> str:
    """Derive the code that the server prints from the installation's key.

    Every process knows it, also after a restart.
    """
    number = int.from_bytes(hmac.digest(keys[0].encode(), b"jiuniu.setup", hashlib.sha256))
    signs = ""
    for _place in range(_LENGTH):
        number, sign = divmod(number, len(_ALPHABET))
        signs += _ALPHABET[sign]
    return f"{signs[:4]}-{signs[4:]}"


def is_setup_code(typed: str, keys: Sequence[str]) -> bool:
    """True if it is the code, in any case and width, with or without its hyphen."""
    return hmac.compare_digest(_signs(typed).encode(), _signs(setup_code(keys)).encode())


def _signs(code: str) -> str:
    return "".join(
        sign for sign in unicodedata.normalize("NFKC", code[:100]).upper() if sign.isalnum()
    )


def real_club(session: ClubSession) -> Club | None:
    """Return the first club that is no demo."""
    return session.execute(
        select(Club).where(~Club.is_demo).order_by(Club.created_at, Club.id).limit(1)
    ).scalar_one_or_none()


def only_club(session: ClubSession) -> Club | None:
    """Return the one club that is no demo, or None if there are several."""
    real = list(session.execute(select(Club).where(~Club.is_demo).limit(2)).scalars())
    return real[0] if len(real) == 1 else None


def demo_exists(session: ClubSession) -> bool:
    return any(club.is_demo for club in all_clubs(session))


def saved_answers(session: ClubSession) -> dict[str, Any]:
    """Return step of the set-up to its saved answers."""
    row = session.get(Heartbeat, SETUP)
    return dict(row.data) if row else {}


def save_answers(session: ClubSession, step: str, said: Mapping[str, Any], now: datetime) -> None:
    row = session.get(Heartbeat, SETUP)
    if row is None:
        row = Heartbeat(name=SETUP, at=now, data={})
        session.add(row)
    row.at, row.data = now, row.data | {step: dict(said)}


def create_first_club(
    session: ClubSession,
    *,
    club: Mapping[str, str],
    charter: Mapping[str, Any],
    account: tuple[MailServer, str] | None,
    encryption: Encryption,
    now: datetime,
) -> tuple[int, int]:
    """Create club, owner and mail account in one commit; return both ids.

    ``server`` and ``sender`` are the mail account's.

    Raises: AlreadyFounded, BadClub, CharterError.
    """
    session.execute(
        select(Heartbeat).where(Heartbeat.name == SETUP).with_for_update()
    )  # A second founder waits here, and then finds the club.
    if real_club(session) is not None:
        raise AlreadyFounded
    club_id = create_club(session, charter=charter, now=now, **club)  # type: ignore[arg-type]
    if account is not None:
        save_account(session, encryption, account[0], sender=account[1], now=now)
    session.execute(delete(Heartbeat).where(Heartbeat.name == SETUP))
    return club_id, current_owner(session).id
