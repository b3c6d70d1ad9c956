"""Encryption that only this installation can undo.

libsodium's secret box: XSalsa20 and Poly1305.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox


class CannotDecrypt(ValueError):
    """A text that none of the installation's keys decrypts."""


class Encryption:
    """The installation's keys: the first one encrypts, each of them decrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._boxes = [SecretBox(_derived(key)) for key in keys]

    def encrypt(self, text: str) -> bytes:
        return bytes(self._boxes[0].encrypt(text.encode()))

    def decrypt(self, sealed: bytes) -> str:
        """Decrypt a text.

        Raises: CannotDecrypt if it is damaged or its key is not known here.
        """
        for box in self._boxes:
            try:
                return box.decrypt(sealed).decode()
            except (CryptoError, ValueError, TypeError):
                continue
        raise CannotDecrypt

    def is_current(self, sealed: bytes) -> bool:
        """True if the first key encrypted it; another key may be removed later."""
        try:
            self._boxes[0].decrypt(sealed)
        except (CryptoError, ValueError, TypeError):
            return False
        return True


def _derived(key: str) -> bytes:
    """Derive a key for one purpose: a leaked one signs no links."""
    return hashlib.blake2b(
        key.encode(), digest_size=SecretBox.KEY_SIZE, person=b"jiuniu.seal"
    ).digest()
