"""Checks of the mail server and of the sender's DNS records; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

import dns.exception
import dns.resolver

from engine.operations.installation_checks import Finding
from engine.settings import MailServer, Settings, is_loopback
from mailers.account.providers import SENDER_IS_LOGIN
from mailers.account.smtp_test import Outcome, diagnose
from mailers.smtp.connection import SmtpConnection, ehlo_name
from mailers.smtp.reply import SmtpReply

# Names that no public DNS knows (RFC 2606, RFC 6762).
_NO_DNS = ("localhost", "local", "lan", "internal", "test", "example", "invalid", "arpa")
DNS_SECONDS = 4.0

_WHERE = "on the desk under Mail account, or in JIUNIU_SMTP_URL"

_MENDS = {
    "connect": (
        f"look at host and port ({_WHERE}) and at the firewall (many machines may not use port 25)"
    ),
    "login": (
        f"look at user and password ({_WHERE}); QQ and 163 want an authorization code, not the "
        "password"
    ),
    "sender": "JIUNIU_MAIL_FROM: take the address that this account may write as",
}
# Where the reply says more than its phase.
_MENDS_OF: dict[Outcome, str] = {
    "certificate": f"take the exact name of the host ({_WHERE}); renew a "
    "certificate that ran out; for an "
    "authority of your own, "
    "SSL_CERT_FILE names a file with its certificate",
    "no_tls": f"take smtps:// and port 465, or smtp+starttls:// and 587 ({_WHERE})",
    "mismatch": f"465 begins encrypted (smtps://), 587 and 25 with STARTTLS ({_WHERE})",
    "no_password": (
        "its provider lets no program in by password: ask its administrator to allow SMTP "
        "AUTH, or take another mailbox"
    ),
    "login_wanted": f"name its user and password ({_WHERE})",
    "ours": (
        f"the server is not at fault: if it speaks of the login, look there ({_WHERE}); else "
        "report it with these words"
    ),
    "used_up": "nothing to mend: letters leave by themselves as soon as the provider lets them",
    "slow": (
        "letters wait longer than this: look at `letters list`; if none leaves, ask your mail "
        "provider"
    ),
}


def mail_server(settings: Settings) -> Iterator[Finding]:
    """Connect, log in and announce the sender over the worker's own connection, and quit."""
    server = settings.mail_server
    if server is None:
        if settings.built_in_mailbox:
            says = "none: every mail stays in the built-in mailbox on this machine"
            yield Finding(
                "mail server",
                "warning",
                says,
                f"right for trying out; a real club needs an account ({_WHERE})",
            )
        else:
            yield Finding(
                "mail server",
                "wrong",
                "none: letters wait until there is an account",
                f"set one up {_WHERE}",
            )
        return
    answer = SmtpConnection(server, settings.mail_from, name=ehlo_name(settings.base_url)).try_out()
    where = f"{server.host}:{server.port}"
    if answer.code == 250:
        yield Finding(
            "mail server",
            "ok",
            f"{where} accepts {'the login and ' if server.user else ''}the sender",
        )
    else:
        yield Finding("mail server", "wrong", _said(server, answer), _mend(server, answer))


def _mend(server: MailServer, answer: SmtpReply) -> str:
    return _MENDS_OF.get(diagnose(server, answer)) or _MENDS[answer.phase]


def _said(server: MailServer, answer: SmtpReply) -> str:
    if answer.ours:
        return (
            f"{server.host}:{server.port} was not asked: a fault of this program or machine at "
            f"{answer.phase}: {answer.text}"
        )
    return f"{server.host}:{server.port} says {_in_its_words(answer)}"


def _in_its_words(answer: SmtpReply) -> str:
    return f"at {answer.phase}: {answer.code or ''} {answer.text}".replace(":  ", ": ")


def sender(settings: Settings) -> Finding:
    """Check the rule of QQ and 163, and what other providers suspect."""
    address, server = parseaddr(settings.mail_from)[1], settings.mail_server
    domain = address.rpartition("@")[2]
    if server is None:
        return Finding(
            "sender", "not checked", f"{address}; there is no mail server to check it against"
        )
    if server.host in SENDER_IS_LOGIN and address != server.user.lower():
        return Finding(
            "sender",
            "wrong",
            f"{address}, but {server.host} wants the login",
            f"JIUNIU_MAIL_FROM: take {server.user}",
        )
    if domain == "localhost" and not is_loopback(server.host):
        return Finding(
            "sender",
            "wrong",
            f"{address} is nobody outside this machine",
            "set JIUNIU_MAIL_FROM to an address of yours",
        )
    login_domain = server.user.lower().rpartition("@")[2] if "@" in server.user else ""
    if login_domain and login_domain != domain:
        return Finding(
            "sender",
            "warning",
            f"{address} is of another domain than the login",
            "make sure that the account may write as it",
        )
    return Finding("sender", "ok", address)


def dns_records(
    settings: Settings, resolver: dns.resolver.Resolver | None = None
) -> Iterator[Finding]:
    """Check MX, SPF and DMARC of the sender's domain, as recipients' servers do."""
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    if domain.rpartition(".")[2] in _NO_DNS:
        yield Finding("dns", "not checked", f"{domain} is no public domain")
        return
    try:
        yield from _records(_Asker(resolver), domain)
    except dns.exception.DNSException as trouble:
        yield Finding(
            "dns",
            "not checked",
            f"{domain}: no DNS server answers here ({type(trouble).__name__})",
            "look its MX, SPF and DMARC up elsewhere",
        )


class _Asker:
    """The client of one DNS.

    Raises: DNSException if no server answers.
    """

    def __init__(self, resolver: dns.resolver.Resolver | None) -> None:
        self.resolver = resolver or dns.resolver.Resolver()
        self.resolver.lifetime = DNS_SECONDS

    def __call__(self, name: str, kind: str) -> list[str] | None:
        """Return the records as text, None if the name does not exist."""
        try:
            found = self.resolver.resolve(name, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return None
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            if kind == "TXT"
            else record.to_text()
            for record in found.rrset or ()
        ]


def _records(ask: _Asker, domain: str) -> Iterator[Finding]:
    found = ask(domain, "MX")
    if found is not None:
        yield from (_mx(domain, found), _spf(ask, domain), _dmarc(ask, domain))
    elif ask(domain.rpartition(".")[2], "NS"):
        says = f"there is no domain {domain}: no server takes mail from it"
        yield Finding("dns mx", "wrong", says, "look at JIUNIU_MAIL_FROM")
    else:
        yield Finding(
            "dns",
            "not checked",
            f"{domain}: the DNS of this machine knows no public names",
            "look it up elsewhere",
        )


def _mx(domain: str, found: list[str]) -> Finding:
    if not found:
        return Finding(
            "dns mx",
            "warning",
            f"{domain} has no MX: answers and delivery reports do not reach you",
            "add one, or send from a mailbox that is read",
        )
    return Finding("dns mx", "ok", f"{domain}: {', '.join(sorted(found))}")


def _spf(ask: _Asker, domain: str) -> Finding:
    found = [record for record in ask(domain, "TXT") or () if record.lower().startswith("v=spf1")]
    if not found:
        return Finding(
            "dns spf",
            "warning",
            f"{domain} has no SPF: many servers take your mail for spam",
            "add the TXT record that your mail provider names",
        )
    if len(found) > 1:
        return Finding(
            "dns spf",
            "wrong",
            f"{domain} has {len(found)} SPF records: receivers then use none",
            "join them into one",
        )
    return Finding("dns spf", "ok", found[0])


def _dmarc(ask: _Asker, domain: str) -> Finding:
    labels = domain.split(".")
    for start in range(len(labels) - 1):  # A subdomain follows its parent's policy.
        name = "_dmarc." + ".".join(labels[start:])
        found = [
            record for record in ask(name, "TXT") or () if record.lower().startswith("v=dmarc1")
        ]
        if found:
            return Finding("dns dmarc", "ok", found[0])
    return Finding(
        "dns dmarc",
        "warning",
        f"{domain} has no DMARC policy: some providers want one",
        f"add a TXT record _dmarc.{domain}: v=DMARC1; p=none",
    )
