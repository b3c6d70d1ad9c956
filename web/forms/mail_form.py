"""The form of a mail account, for set-up and desk: read the inputs, send one test mail."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from dataclasses import dataclass, replace
from email.utils import format_datetime, make_msgid
from typing import Any, cast

from flask import g, request
from markupsafe import escape
from wtforms import Field, Form, HiddenField, PasswordField, SelectField, ValidationError
from wtforms.validators import Length

from engine.clock import machine_now
from engine.declare.fields import Address, Text, clean_line, options
from engine.operations.mail_account import open_password, seal_password
from engine.security.encryption import CannotDecrypt
from engine.security.rate_limits import TEST_MAILS
from engine.settings import MailServer, is_host
from engine.text.i18n import marked as _
from mailers.account.providers import OWN, PRESETS, SENDER_IS_LOGIN, preset_of
from mailers.account.smtp_test import Outcome, diagnose, try_account
from mailers.letters.mime import mail_bytes, mailbox
from mailers.smtp.connection import ehlo_name
from web.app.services import services
from web.http.i18n import gettext
from web.http.security import check_rate_limit
from web.labels.mail_words import PROVIDERS, SECURITY, SENDER_IS_NOT_LOGIN, TEST_SUBJECT, TEST_TEXT

NEEDED = _("Please type it here")
TYPE_AGAIN = _("Please type it once more: the one that was kept is for another server or login")
NO_HOST = _("This does not look like the name of a server. Example: smtp.example.org")
PLAIN_ONLY = _("Please take only letters, digits and signs of an English keyboard")
OTHER_PROVIDER = _("This address is of another provider; please choose that one above")
ENOUGH = _("Those were many test mails for one hour. Please wait a while before the next one.")
LONGEST_SECRET = 1_000
SECRET_TOO_LONG = _("This is longer than any password or code; please copy only that")
BAD_PORT = _("Please give a number from 1 to 65535")


def Secret() -> Any:
    return PasswordField(
        validators=[Length(max=LONGEST_SECRET, message=SECRET_TOO_LONG)],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class AccountForm(Form):
    """The inputs of every provider.

    ``kept``: the password typed before, encrypted for its server and login.
    """

    address = Address(_("E-mail address that the club writes from"))
    password = Secret()
    kept = HiddenField(validators=[Length(max=LONGEST_SECRET)])


class OwnServerForm(Form):
    address = Address(_("E-mail address that the club writes from"))
    host = Text(_("Server (SMTP host)"), hint=_("Example: smtp.example.org"))
    security = SelectField(_("Encryption"), render_kw={"required": True})
    port = Text(_("Port"))
    user = Text(_("Login, if it is not the address"), optional=True)
    password = Secret()
    kept = HiddenField(validators=[Length(max=LONGEST_SECRET)])

    def validate_port(self, field: Field) -> None:
        number = _plain(field.data or "")
        if not number.isdecimal() or len(number) > 5 or not 0 < int(number) < 65536:
            raise ValidationError(BAD_PORT)


@dataclass(frozen=True)
class Tried:
    """The result of a test mail: in the catalogue's words, and in the server's."""

    outcome: Outcome
    words: str
    to: str
    server: MailServer


def current_provider(*fallbacks: str) -> str:
    """Return the provider chosen on the page, else the first known one, else ""."""
    chosen = (request.form.get("provider") or request.args.get("provider", ""), *fallbacks)
    return next((key for key in chosen if key in PROVIDERS), "")


def form_for(provider: str, typed: Any = None, **filled: Any) -> Form:
    form: Form = (OwnServerForm if provider == OWN else AccountForm)(typed, **filled)
    words = PROVIDERS[provider]
    password = form["password"]
    password.label.text, password.description = words.secret, words.where
    if provider == OWN:
        cast(SelectField, form["security"]).choices = options(
            {key: gettext(name) for key, name in SECURITY.items()}
        )
    else:
        password.render_kw = {**password.render_kw, "required": True}
    return form


def read(provider: str, form: Form) -> MailServer | None:
    """Return the account of the form with its password, None if a field has an error."""
    fine = form.validate()
    host = str(form.data.get("host", "")).lower()
    if "host" in form.data and not form["host"].errors and not is_host(host):
        form["host"].errors = [NO_HOST]
    if provider != OWN and preset_of(form.data["address"] or "") not in ("", provider):
        form["address"].errors = [OTHER_PROVIDER]
    if not fine or form.errors:
        return None
    server = _with_password(provider, form, _server(provider, form.data))
    if server is not None:
        form["kept"].data = save_account(server)
        if server.host in SENDER_IS_LOGIN and server.user.lower() != form.data["address"]:
            form["address"].errors = [SENDER_IS_NOT_LOGIN]
            return None
    return server


def _server(provider: str, data: dict[str, Any]) -> MailServer:
    password = _plain(data["password"] or "")
    if provider != OWN:
        return PRESETS[provider].server(data["address"], password.replace(" ", ""))
    user = clean_line(data["user"]) or (data["address"] if password or data["kept"] else "")
    return MailServer(
        data["security"], data["host"].lower(), int(_plain(data["port"])), user, password
    )


def _with_password(provider: str, form: Form, server: MailServer) -> MailServer | None:
    wrong = form["password"]
    if server.password:
        wrong.errors = [] if server.password.isascii() else [PLAIN_ONLY]
        return None if wrong.errors else server
    if not form.data["kept"]:
        wrong.errors = [] if provider == OWN and not server.user else [NEEDED]
        return None if wrong.errors else server
    try:
        return unlocked(form.data["kept"], server)
    except CannotDecrypt:
        wrong.errors = [TYPE_AGAIN]
        return None


def save_account(server: MailServer) -> str:
    """Encrypt the password for the page.

    Only this installation decrypts it, and only for this server and login.
    """
    return (
        base64.urlsafe_b64encode(seal_password(services().encryption, server)).decode()
        if server.password
        else ""
    )


def saved_account(kept: str, server: MailServer) -> str:
    """Return the account that the page holds.

    Raises: CannotDecrypt.
    """
    try:
        sealed = base64.urlsafe_b64decode(kept.encode())
    except (binascii.Error, ValueError):
        raise CannotDecrypt from None
    return open_password(services().encryption, sealed, host=server.host, user=server.user)


def _plain(typed: str) -> str:
    """Strip spaces from a code and fold its full-width letters."""
    return unicodedata.normalize("NFKC", typed).strip()


def send_test_mail(server: MailServer, *, sender: str, to: str, club: str) -> Tried | None:
    """Send one test mail; return None if this hour's limit is used up."""
    if not check_rate_limit(TEST_MAILS, "here"):
        return None
    content, name = _mail(sender=sender, to=to, club=club), ehlo_name(services().settings.base_url)
    answer = try_account(server, sender=sender, recipient=to, content=content, name=name)
    return Tried(
        diagnose(server, answer),
        f"{answer.code if answer.code > 0 else ''} {answer.text}".strip(),
        to,
        server,
    )


def _mail(*, sender: str, to: str, club: str) -> bytes:
    text = gettext(TEST_TEXT)
    headers = {
        "From": mailbox(club, sender),
        "To": mailbox("", to),
        "Subject": gettext(TEST_SUBJECT),
        "Date": format_datetime(machine_now()),
        "Message-ID": make_msgid(domain=sender.rpartition("@")[2]),
        "Auto-Submitted": "auto-generated",
        "X-Jiuniu-Letter": "club.test",
    }
    title, body = escape(gettext(TEST_SUBJECT)), escape(text)
    html = (
        f'<!doctype html><html lang="{g.language}"><meta '
        f'charset="utf-8"><title>{title}</title><p>{body}</p></html>'
    )
    return mail_bytes(headers, text=text + "\n", html=html)


def unlocked(kept: str, server: MailServer) -> MailServer:
    """Return the server with its saved password.

    Raises: CannotDecrypt.
    """
    return replace(server, password=saved_account(kept, server))
