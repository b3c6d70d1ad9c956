"""Closing a text so that only this installation opens it again (libsodium's secret box: XSalsa20
and Poly1305)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox


class CannotDecrypt(ValueError):
    """None of the installation's keys opens this."""


class Encryption:
    """Closes with the first of the installation's keys; each of them opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._boxes = [SecretBox(_derived(key)) for key in keys]

    def encrypt(self, text: str) -> bytes:
        return bytes(self._boxes[0].encrypt(text.encode()))

    def decrypt(self, sealed: bytes) -> str:
        """Raises Broken: another installation's, a key that is gone, or damaged."""
        for box in self._boxes:
            try:
                return box.decrypt(sealed).decode()
            except (CryptoError, ValueError, TypeError):
                continue
        raise CannotDecrypt

    def is_current(self, sealed: bytes) -> bool:
        """Closed with the first key? Else it opens only as long as an older one is kept."""
        try:
            self._boxes[0].decrypt(sealed)
        except (CryptoError, ValueError, TypeError):
            return False
        return True


def _derived(key: str) -> bytes:
    """Another key for another purpose: who learns this one signs no links with it."""
    return hashlib.blake2b(
        key.encode(), digest_size=SecretBox.KEY_SIZE, person=b"jiuniu.seal"
    ).digest()
