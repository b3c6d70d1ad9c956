"""Mail addresses as people type them, and the folded form in which they are stored."""

from __future__ import annotations

import re
import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

from engine.text.i18n import marked as _

# RFC 5321 allows 254 characters; what is longer is not looked at.
LONGEST_TYPED = 320
LONGEST_IDN, MOST_LABELS = 40, 5
NO_ADDRESS = _("This does not look like an e-mail address. Example: lilei@qq.com")
# Invisible characters that are copied along with an address from a chat (zero-width spaces, marks
# of direction).
_UNSEEN = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

_STOPS = str.maketrans({"。": ".", "．": ".", "｡": "."})


class BadAddress(ValueError):
    """An address that no mail can reach; its text is a msgid of the catalogue."""


def fold_stops(text: str) -> str:
    """Replace the full stops of a Chinese keyboard by plain ones."""
    return text.translate(_STOPS)


def fold_address(typed: str) -> str:
    """Return the address in the one form in which it is stored.

    Full-width characters and case are folded first: the validator would keep them as an
    internationalised local part.

    Raises: BadAddress.
    """
    if len(typed) > LONGEST_TYPED:
        raise BadAddress(NO_ADDRESS)
    folded = (
        unicodedata.normalize("NFKC", fold_stops(_UNSEEN.sub("", typed)))
        .strip()
        .strip("<>")
        .lower()
    )
    # One character may fold into eighteen.
    if len(folded) > LONGEST_TYPED or _costs_too_much(folded.rpartition("@")[2]):
        raise BadAddress(NO_ADDRESS)
    try:
        found = validate_email(folded, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise BadAddress(NO_ADDRESS) from None
    # The form that SMTP uses: a look-alike domain is visible as xn--…, and every server accepts it.
    return found.ascii_email or found.normalized


def foreign_domain(address: str | None) -> str:
    """Return the readable domain if its letters can pass for Latin ones, else "".

    Chinese characters do not count.
    """
    domain = (address or "").rpartition("@")[2]
    if "xn--" not in domain:
        return ""
    try:
        reads = str(idna.decode(domain))
    except idna.IDNAError:
        return domain
    wide = all(
        character.isascii() or unicodedata.east_asian_width(character) in "WF"
        for character in reads
    )
    return "" if wide else reads


# Providers whose mailboxes have several addresses: other domains of the same, signs that do not
# count, and the sign after which a tag begins where that is not "+".
_SAME_DOMAIN = {
    "googlemail.com": "gmail.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
_SIGNS_IGNORED = {"gmail.com": ".", "proton.me": ".-_", "yandex.ru": ".-"}
_TAG_AFTER = {"yahoo.com": "-", "ymail.com": "-", "rocketmail.com": "-"}


def mailbox_of(address: str) -> str:
    """Return the mailbox that a folded address leads to, as far as its provider's rules are known.

    Everywhere what follows a plus is taken for a tag: limits may count two people as one, not one
    as many.
    """
    local, _at, domain = address.rpartition("@")
    domain = _SAME_DOMAIN.get(domain, domain)
    host, _dot, rest = domain.partition(".")
    if rest in ("fastmail.com", "fastmail.fm"):  # anything@name.fastmail.com is name's
        local, domain = host, rest
    for tag in ("+", _TAG_AFTER.get(domain, "+")):
        local = local.partition(tag)[0] or local
    for sign in _SIGNS_IGNORED.get(domain, ""):
        local = local.replace(sign, "") or local
    return f"{local}@{domain}"


def domains_of(mailbox: str) -> tuple[str, ...]:
    """Return the domains under which a mailbox may have addresses."""
    domain = mailbox.rpartition("@")[2]
    return (domain, *(alias for alias, same in _SAME_DOMAIN.items() if same == domain))


def _costs_too_much(domain: str) -> bool:
    """True for a domain beyond ASCII that is longer than any in use.

    IDNA takes 20 µs a character, and an import has thousands of addresses.
    """
    return not domain.isascii() and (len(domain) > LONGEST_IDN or domain.count(".") > MOST_LABELS)
