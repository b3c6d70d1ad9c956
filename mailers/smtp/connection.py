"""The hand-over of a mail to a server, phase by phase, over a kept connection.

Sent means the 250 after the final dot, nothing later: QQ answers QUIT with garbage, so that answer
is never read.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
import time
from dataclasses import replace
from email.utils import parseaddr
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from engine.settings import MailServer, is_loopback
from mailers.smtp.reply import Phase, SmtpReply


class Timeouts(NamedTuple):
    """Seconds to wait: for the line, for a command's reply, for the reply after the final dot."""

    connect: float = 30.0
    command: float = 60.0
    dot: float = 300.0


TIMEOUTS = Timeouts()
# The form of an address in SMTP; people's addresses are stored in it, so another one came by
# another way.
_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
NO_ADDRESS = SmtpReply(
    "recipient", 553, "no mail can be sent to such an address; no server was asked"
)
# A timeout of a server that had greeted: the line is open, and the port is right.
SLOW = "the server speaks, but no answer came in time"
# A name that is known outside this machine: letters, digits and hyphens in two labels or more (RFC
# 5321, 4.1.2).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}", re.IGNORECASE)
# What a broken line or a server raises in the standard library; anything else is a fault of ours.
_NOT_OURS = (OSError, smtplib.SMTPException, UnicodeDecodeError)
NO_HOST = "gaierror: the host's name cannot be looked up"
PLAIN_LOGIN = "login and password may hold ASCII letters, digits and signs only"
# A kept connection that was idle longer than this is probed before use.
IDLE_SECONDS = 20.0


class _Said(Exception):
    """A reply that ends this hand-over."""

    def __init__(self, answer: SmtpReply) -> None:
        super().__init__(str(answer))
        self.answer = answer


class _TimedSmtp:
    """A client whose line must be open within its own timeout.

    The greeting may then take as long as any reply.
    """

    def __init__(self, channel: SmtpConnection, **given: Any) -> None:
        self.channel = channel
        # Without a name of ours smtplib asks for the machine's, which may hold any letters, or take
        # seconds to find.
        super().__init__(
            timeout=channel.patience.connect, local_hostname=channel.name or "localhost", **given
        )  # type: ignore[call-arg]

    def _get_socket(self, *args: Any) -> socket.socket:
        self.channel.line = self  # It can be cut also while it is being opened.
        sock: socket.socket = super()._get_socket(*args)  # type: ignore[misc]
        sock.settimeout(self.channel.patience.command)
        return sock


class _InClear(_TimedSmtp, smtplib.SMTP):
    pass


class _Encrypted(_TimedSmtp, smtplib.SMTP_SSL):
    pass


class SmtpConnection:
    """A connection to the mail server, opened when needed and kept while it works."""

    def __init__(
        self, server: MailServer, sender: str, patience: Timeouts = TIMEOUTS, *, name: str = ""
    ) -> None:
        """Prepare a connection.

        ``name``: ours in EHLO (see ``ehlo_name``); "": by the line's own address.
        """
        self.server = server
        self.patience = patience
        self.name = name
        self.sender = parseaddr(sender)[1]
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._fresh = False
        self.line: Any = None  # The one that was opened last.
        self.greeted = False  # By the server, on that line.

    def hand_over(self, recipient: str, content: bytes) -> SmtpReply:
        """Hand over one mail.

        Never raises: each failure is a reply with the phase in which it happened.
        """
        if not _ADDRESS.fullmatch(recipient):
            return NO_ADDRESS
        phase: Phase = "connect"
        try:
            smtp = self._ready()
            phase = "sender"
            smtp = self._announce(smtp)
            phase = "recipient"
            self._expect(phase, smtp.rcpt(recipient), 250, 251)
            phase = "data"
            self._expect(phase, smtp.docmd("DATA"), 354)
            phase = "dot"
            answer = self._dot(smtp, content)
        except _Said as said:
            answer = said.answer
            self._recover(answer)
        except (
            Exception
        ) as trouble:  # smtplib, ssl, sockets and codecs raise many kinds; each is a reply here.
            self.close()
            # After the greeting a code in an exception is smtplib's own (a line that is too long),
            # not the server's.
            code = getattr(trouble, "smtp_code", 0) if phase == "connect" else 0
            answer = SmtpReply(
                phase, max(code, 0), self._words(trouble), ours=not isinstance(trouble, _NOT_OURS)
            )
        self._used_at = time.monotonic()
        return self._hushed(answer)

    def try_out(self) -> SmtpReply:
        """Connect, log in and announce the sender as for a mail, then leave.

        Code 250: all of it is accepted.
        """
        phase: Phase = "connect"
        try:
            self._smtp = self._connect()
            phase = "sender"
            reply = self._smtp.mail(self.sender)
            return SmtpReply(phase, reply[0], _text(reply[1]))
        except _Said as said:
            return self._hushed(said.answer)
        except Exception as trouble:  # As in hand_over.
            ours = not isinstance(trouble, _NOT_OURS)
            return self._hushed(
                SmtpReply(phase, getattr(trouble, "smtp_code", 0), self._words(trouble), ours=ours)
            )
        finally:
            self.close()

    def close(self) -> None:
        """Quit without reading the reply."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(Exception):
                smtp.putcmd("quit")
            with contextlib.suppress(Exception):
                smtp.close()

    def abort(self) -> None:
        """Cut the line from another thread; the mail then counts as maybe sent."""
        sock = getattr(self.line, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _ready(self) -> smtplib.SMTP:
        if (
            self._smtp is not None
            and time.monotonic() - self._used_at > IDLE_SECONDS
            and not self._alive(self._smtp)
        ):
            self.close()
        if self._smtp is None:
            self._smtp, self._fresh = self._connect(), True
        return self._smtp

    def _announce(self, smtp: smtplib.SMTP) -> smtplib.SMTP:
        """Send MAIL FROM; once more on a fresh line if the server had closed the kept one."""
        fresh, self._fresh = self._fresh, False
        try:
            reply = smtp.mail(self.sender)
        except (OSError, smtplib.SMTPServerDisconnected):
            if fresh:
                raise
            reply = (0, b"")
        if (reply[0] < 200 or reply[0] == 421) and not fresh:
            self.close()
            smtp, self._fresh = self._ready(), False
            reply = smtp.mail(self.sender)
        self._expect("sender", reply, 250)
        return smtp

    def _alive(self, smtp: smtplib.SMTP) -> bool:
        try:
            return smtp.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _connect(self) -> smtplib.SMTP:
        server = self.server
        self.greeted = False
        smtp: smtplib.SMTP
        try:
            server.host.encode("idna")
        except UnicodeError:
            raise _Said(SmtpReply("connect", 0, NO_HOST)) from None
        if server.security == "smtps":
            smtp = _Encrypted(
                self, host=server.host, port=server.port, context=ssl.create_default_context()
            )
        else:
            smtp = _InClear(self, host=server.host, port=server.port)
        self.greeted = True
        smtp.local_hostname = self.name or _address_literal(smtp.sock)
        try:
            self._greet(smtp)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        server = self.server
        smtp.ehlo_or_helo_if_needed()
        if server.security == "smtp+starttls" or (
            server.security == "smtp" and smtp.has_extn("starttls")
        ):
            context = (
                ssl.create_default_context()
            )  # 30 ms of reading certificates: only if one is needed.
            if server.security == "smtp" and is_loopback(server.host):
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            smtp.starttls(context=context)
            smtp.ehlo()
        elif server.security == "smtp" and server.user and not is_loopback(server.host):
            raise _Said(
                SmtpReply(
                    "login", 0, "the server offers no encryption; the password is not sent in clear"
                )
            )
        if server.user:
            try:
                smtp.login(server.user, server.password)
            except UnicodeEncodeError:
                raise _Said(SmtpReply("login", 0, PLAIN_LOGIN, ours=True)) from None
            except (smtplib.SMTPException, OSError) as trouble:
                raise _Said(
                    SmtpReply("login", getattr(trouble, "smtp_code", 0), self._words(trouble))
                ) from None

    def _expect(self, phase: Phase, reply: tuple[int, bytes], *codes: int) -> None:
        if reply[0] not in codes:
            raise _Said(SmtpReply(phase, max(reply[0], 0), _text(reply[1])))

    def _words(self, trouble: Exception) -> str:
        words = _words(trouble)
        return f"TimeoutError: {SLOW}" if self.greeted and "timed out" in words else words

    def _hushed(self, answer: SmtpReply) -> SmtpReply:
        """Remove the login's words from a reply, which goes into rows, logs and pages."""
        user = self.server.user
        password = self.server.password
        text = answer.text
        if answer.phase != "login" or not password:
            return answer
        for secret in (_in_base64(f"\0{user}\0{password}"), _in_base64(password), password):
            text = text.replace(secret, "…")
        return replace(answer, text=text)

    def _dot(self, smtp: smtplib.SMTP, content: bytes) -> SmtpReply:
        _wait_for(smtp, self.patience.dot)
        smtp.send(_dot_stuffed(content))
        code, text = smtp.getreply()
        _wait_for(smtp, self.patience.command)
        if code == 421 or code < 200 or 300 <= code < 400:
            self.close()
        return SmtpReply("dot", max(code, 0), _text(text))

    def _recover(self, answer: SmtpReply) -> None:
        """Reset the connection after a refusal, unless it is gone."""
        if self._smtp is None or answer.code < 400 or answer.code == 421:
            self.close()
            return
        try:
            self._smtp.rset()
        except (OSError, smtplib.SMTPException):
            self.close()


def ehlo_name(base_url: str) -> str:
    """Return the host of the base URL for EHLO, "" if it is no public ASCII name."""
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        return ""
    return name if _DOMAIN.fullmatch(name) else ""


def _address_literal(line: socket.socket | None) -> str:
    """Return the line's own address in EHLO's form (RFC 5321, 4.1.3)."""
    host = line.getsockname()[0].partition("%")[0].removeprefix("::ffff:") if line else "127.0.0.1"
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _dot_stuffed(content: bytes) -> bytes:
    """Stuff dots (RFC 5321, 4.5.2) and add the final one; lines already end with CRLF."""
    body = content.replace(b"\r\n.", b"\r\n..")
    if body.startswith(b"."):
        body = b"." + body
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _wait_for(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _words(trouble: Exception) -> str:
    """Return the server's words if it spoke SMTP (code ≥ 0), else Python's."""
    said = getattr(trouble, "smtp_error", None) if getattr(trouble, "smtp_code", 0) > 0 else None
    return _text(said) if said is not None else f"{type(trouble).__name__}: {trouble}"


def _text(said: bytes | str) -> str:
    text = said if isinstance(said, str) else _decoded(said)
    return " ".join(character for character in text.split() if character.isprintable())[:500]


def _decoded(said: bytes) -> str:
    """Decode UTF-8, else what Chinese servers write."""
    try:
        return said.decode()
    except UnicodeDecodeError:
        return said.decode("gb18030", "replace")
