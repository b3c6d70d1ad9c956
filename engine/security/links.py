"""Signed links: recipient and target. They carry no permission.

A token names club, person, link epoch, target and time. Known damage is repaired (mail programs
append brackets and full stops, or leave quoted-printable's ``=3D``); the signature decides.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from urllib.parse import unquote

from itsdangerous import BadSignature, Signer

# A token holds the place in this order: new kinds go at the end.
Kind = Literal[
    "case",
    "form",
    "me",
    "desk",
    "unsubscribe",
    "calendar",
    "proof",
    "waiting",
    "confirm",
    "confirm_form",
    "confirm_copy",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Links whose target is the letter that holds them: mailed for one act, good for it once.
OF_A_LETTER: tuple[Kind, ...] = ("desk", "confirm", "confirm_form", "confirm_copy")
_SHAPE = struct.Struct(">BQQHQI")
LIFE = timedelta(days=180)
SIGN_IN_LIFE = timedelta(minutes=30)
_NOT_IN_TOKEN = re.compile(r"=3D|=\s*|[^A-Za-z0-9_.-]")
_QUOTED = re.compile("=(2E|2D|5F)")
# Payload, full stop, signature (SHA-1), in base64 without padding; the signature's last character
# holds four bits.
_LENGTH = math.ceil(_SHAPE.size * 4 / 3) + 1 + 27
_LAST = tuple("AEIMQUYcgkosw048")


class BadLink(ValueError):
    """A token that this installation did not make."""


@dataclass(frozen=True)
class Link:
    """A link's content.

    ``target``: a case's id, a form's number, or 0 for a person's own page. ``made_at``: in the
    club's time, whole seconds. Kind *proof* opens a case and shows that its holder reads the
    address; *waiting* opens the review queue.
    """

    kind: Kind
    club_id: int
    person_id: int
    epoch: int
    target: int
    made_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """True if it is young enough for leaving or for a new address."""
        return now - self.made_at <= SIGN_IN_LIFE

    def expired(self, now: datetime) -> bool:
        """True if it is too old: 30 minutes for a sign-in, 180 days for others.

        A calendar feed lives as long as the epoch.
        """
        if self.kind == "calendar":
            return False
        return now - self.made_at > (SIGN_IN_LIFE if self.kind == "desk" else LIFE)


class Links:
    """The maker and reader of tokens; the first of ``keys`` signs, the others verify."""

    def __init__(self, keys: Sequence[str], base_url: str) -> None:
        # itsdangerous signs with the last key of a list and tries them all.
        self._signer = Signer(
            [key.encode() for key in reversed(keys)], salt=b"jiuniu.link", key_derivation="hmac"
        )
        self.base_url = base_url.rstrip("/")

    def token(self, link: Link) -> str:
        packed = _SHAPE.pack(
            KINDS.index(link.kind),
            link.club_id,
            link.person_id,
            link.epoch,
            link.target,
            int(link.made_at.timestamp()),
        )
        return self._signer.sign(base64.urlsafe_b64encode(packed).rstrip(b"=")).decode()

    def read(self, token: str) -> Link:
        """Verify a token, repaired if need be.

        Raises: BadLink.
        """
        for attempt in dict.fromkeys(_healed(token)):
            try:
                packed = self._signer.unsign(attempt.encode())
                kind, club_id, person_id, epoch, target, made = _SHAPE.unpack(
                    base64.urlsafe_b64decode(packed + b"==")
                )
                return Link(
                    KINDS[kind],
                    club_id,
                    person_id,
                    epoch,
                    target,
                    datetime.fromtimestamp(made, UTC),
                )
            except (
                BadSignature,
                binascii.Error,
                struct.error,
                IndexError,
                UnicodeEncodeError,
                ValueError,
            ):
                continue
        raise BadLink

    def url(self, path: str) -> str:
        return f"{self.base_url}/{path.lstrip('/')}"


def _healed(token: str) -> Iterator[str]:
    """Yield the tokens that it may have been.

    Text after a whole token was never part of it: a bracket, a full stop, a tracker's ``?…``.
    """
    for text in (token, unquote(token), _QUOTED.sub(lambda found: chr(int(found[1], 16)), token)):
        cleaned = _NOT_IN_TOKEN.sub("", text)[:_LENGTH]
        if cleaned[-1:] in _LAST:
            yield cleaned
