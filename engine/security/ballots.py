"""Sealed choices of secret votes: one key for each ballot, which only the service's own key opens.

While a vote is open, no row, backup or log holds a choice in the clear beside its voter. At the
closing the key is destroyed with the choices (charter, *votes*).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from engine.security.encryption import Encryption
from engine.storage.unit_of_work import ClubSession

# Where a case's data keeps the sealed key of its open ballot.
BALLOT_KEY = "ballot_key"
# Choices are padded to this many characters: the length of "yes" would tell it from "no".
_PADDED = 64


def new_ballot_key(session: ClubSession) -> str:
    """Return a fresh key, sealed."""
    return base64.b64encode(session.sealer.encrypt(secrets.token_hex(32))).decode()


def seal_choice(session: ClubSession, data: Mapping[str, Any], choice: str) -> str:
    """Seal a choice with the key of the case's ballot; return it as it is where there is none."""
    if BALLOT_KEY not in data:
        return choice
    return base64.b64encode(_ballot(session, data).encrypt(choice.ljust(_PADDED))).decode()


def open_choice(session: ClubSession, data: Mapping[str, Any], stored: str) -> str:
    """Return the choice behind what a vote holds.

    Raises:
        CannotDecrypt: The installation's key of that time is gone.
    """
    if BALLOT_KEY not in data or not stored:
        return stored
    return _ballot(session, data).decrypt(base64.b64decode(stored)).rstrip()


def _ballot(session: ClubSession, data: Mapping[str, Any]) -> Encryption:
    return Encryption([session.sealer.decrypt(base64.b64decode(data[BALLOT_KEY]))])
