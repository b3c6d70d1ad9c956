"""The bytes of a mail with a text and an HTML part, written down directly. Header safety lives here
and nowhere else.

The classes of ``email.mime`` do the same with some 20 times the work; a mail of ours has one shape
(RFC 2045 to 2047, 5322).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from email.utils import formataddr
from functools import lru_cache

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# An encoded word has at most 75 characters; 45 bytes become 60 characters, and 12 stand around
# them.
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
    """The whole mail, its lines ended by CRLF. Whatever a value holds, it stays one header."""
    head = "".join(f"{name}: {_one_header(value)}\r\n" for name, value in headers.items())
    # Base64 has no underscore, so this can stand in no part.
    return (
        head + _PARTS.format(boundary="=_jiuniu_=", text=_base64(text), html=_base64(html))
    ).encode("ascii")


@lru_cache(maxsize=1024)
def mailbox(name: str, address: str) -> str:
    """A name and an address as they stand in a header; only the name is encoded (some providers
    refuse more)."""
    name, address = safe(name), safe(address)
    return formataddr((name, address)) if name.isascii() else f"{encoded_words(name)} <{address}>"


def safe(text: str) -> str:
    """One header line, whatever was typed."""
    return _UNSAFE.sub(" ", text).strip()


def encoded_words(text: str) -> str:
    """Text in a header as encoded words (RFC 2047), no character cut in two."""
    return " ".join(
        f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in _pieces(safe(text))
    )


def _one_header(value: str) -> str:
    """Folded between encoded words and nowhere else: some programs do not find a link on a header's
    second line."""
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
    """Lines of 76 characters without the last line's end."""
    return (
        base64.encodebytes(text.encode("utf-8", "replace"))
        .decode()
        .rstrip("\n")
        .replace("\n", "\r\n")
    )
