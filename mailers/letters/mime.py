"""The bytes of a mail with a text and an HTML part. Header safety is here and nowhere else.

Written directly: the classes of ``email.mime`` take some 20 times the work, and our mails have one
shape (RFC 2045 to 2047, 5322).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from email.utils import formataddr
from functools import lru_cache

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# An encoded word has at most 75 characters; 45 bytes become 60 characters, and 12 surround them.
_WORD_BYTES = 45
# 998 octets a line (RFC 5322, 2.1.1), less the longest name of a header.
_LINE_MOST = 998 - 40

_PARTS = """\
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="{boundary}"\r
\r
--{boundary}\r
Content-Type: text/plain; charset="utf-8"\r
Content-Transfer-Encoding: base64\r
\r
{text}\r
--{boundary}\r
Content-Type: text/html; charset="utf-8"\r
Content-Transfer-Encoding: base64\r
\r
{html}\r
--{boundary}--\r
"""


def mail_bytes(headers: Mapping[str, str], *, text: str, html: str) -> bytes:
    """Return the whole mail with CRLF lines; a value can never add a header."""
    head = "".join(f"{name}: {_one_header(value)}\r\n" for name, value in headers.items())
    # Base64 has no underscore, so no part can contain this.
    return (
        head + _PARTS.format(boundary="=_jiuniu_=", text=_base64(text), html=_base64(html))
    ).encode("ascii")


@lru_cache(maxsize=1024)
def mailbox(name: str, address: str) -> str:
    """Format name and address for a header.

    Only the name is encoded: some providers refuse more.
    """
    name, address = safe(name), safe(address)
    return formataddr((name, address)) if name.isascii() else f"{encoded_words(name)} <{address}>"


def safe(text: str) -> str:
    """Reduce any typed text to one header line."""
    return _UNSAFE.sub(" ", text).strip()


def encoded_words(text: str) -> str:
    """Encode text as encoded words (RFC 2047), without cutting a character in two."""
    return " ".join(
        f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in _pieces(safe(text))
    )


def _one_header(value: str) -> str:
    """Fold between encoded words only.

    Some programs do not find a link on a header's second line.
    """
    value = safe(value)
    lines = (value if value.isascii() else encoded_words(value)).replace("?= =?", "?=\r\n =?")
    longest = max(map(len, lines.split("\r\n")))
    return lines if longest < _LINE_MOST else encoded_words(value).replace("?= =?", "?=\r\n =?")


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for character in text:
        raw = character.encode("utf-8", "replace")
        if len(piece) + len(raw) > _WORD_BYTES:
            yield piece
            piece = b""
        piece += raw
    yield piece


def _base64(text: str) -> str:
    """Encode in lines of 76 characters, without the last line's end."""
    return (
        base64.encodebytes(text.encode("utf-8", "replace"))
        .decode()
        .rstrip("\n")
        .replace("\n", "\r\n")
    )
