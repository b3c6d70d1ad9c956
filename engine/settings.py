"""The installation's settings, from the environment and ``.env``.

A wrong one is named in one line.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from engine.text.addresses import BadAddress, fold_address

log = logging.getLogger(__name__)

_KEY_CHARACTERS = 16
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
_SMTP_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
# Providers that refuse a sender other than the login.
_SENDER_IS_LOGIN = ("qq.com", "163.com", "126.com", "foxmail.com")


class SettingsError(ValueError):
    """A wrong setting in one line: the variable and its mend."""


@dataclass(frozen=True)
class MailServer:
    """A mail server. ``security``: smtp (STARTTLS if offered), smtps, smtp+starttls."""

    security: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    data_dir: Path
    base_url: str
    secret_keys: tuple[str, ...]
    database_url: str
    mail_server: MailServer | None
    mail_from: str
    host: str
    port: int
    trusted_proxies: int
    clock_file: Path | None
    rate_limits: bool

    @property
    def is_local(self) -> bool:
        """True if host and base URL are loopback; only then is there a built-in mailbox."""
        return is_loopback(self.host) and is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def is_unsafe(self) -> bool:
        """True if pages and links cross a network in clear."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and not is_loopback(parts.hostname or "")

    @property
    def built_in_mailbox(self) -> bool:
        return self.mail_server is None and self.is_local


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings.

    Raises: SettingsError.
    """
    if environment is None:
        environment = {
            key: value for key, value in dotenv_values(".env").items() if value is not None
        } | dict(os.environ)
    get = _Reader(environment)
    data_dir = Path(get("JIUNIU_DATA_DIR") or "instance").resolve()
    if "?" in str(data_dir):
        raise SettingsError(
            f"JIUNIU_DATA_DIR: takes a folder without a question mark in its path, not {data_dir}"
        )
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as trouble:
        raise SettingsError(
            f"JIUNIU_DATA_DIR: {data_dir} cannot be made or written ({trouble.strerror})"
        ) from None
    host, port = get("JIUNIU_HOST") or "127.0.0.1", get.number("JIUNIU_PORT", 8000, 1, 65535)
    if not is_host(host.lower()):
        raise SettingsError(
            "JIUNIU_HOST: takes a name or an address of this machine such as 127.0.0.1, "
            f"not {host!r}"
        )
    database_url = _database_url(get("JIUNIU_DATABASE_URL"), data_dir)
    own_keys = _secret_keys(get("JIUNIU_SECRET_KEY"), database_url, data_dir)
    mail_server = _mail_server(get("JIUNIU_SMTP_URL"))
    clock_file = get("JIUNIU_CLOCK_FILE")
    if clock_file and Path(clock_file).is_dir():
        raise SettingsError(f"JIUNIU_CLOCK_FILE: {clock_file} is a folder; name a file in it")
    fallbacks = get("JIUNIU_SECRET_KEY_FALLBACKS").replace(",", " ").split()
    if any(len(key) < _KEY_CHARACTERS for key in fallbacks):
        raise SettingsError(
            f"JIUNIU_SECRET_KEY_FALLBACKS: each key takes at least {_KEY_CHARACTERS} characters"
        )
    return Settings(
        data_dir=data_dir,
        base_url=_base_url(get("JIUNIU_BASE_URL"), host, port),
        secret_keys=(*own_keys, *fallbacks),
        database_url=database_url,
        mail_server=mail_server,
        mail_from=_mail_from(get("JIUNIU_MAIL_FROM") or "Jiuniu <jiuniu@localhost>", mail_server),
        host=host,
        port=port,
        trusted_proxies=get.number("JIUNIU_TRUSTED_PROXIES", 0, 0, 10),
        clock_file=Path(clock_file) if clock_file else None,
        rate_limits=get.switch("JIUNIU_RATE_LIMITS", "on"),
    )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def __call__(self, name: str) -> str:
        path = self.environment.get(f"{name}_FILE", "").strip()
        if not path or name == "JIUNIU_CLOCK":
            return self.environment.get(name, "").strip()
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"{name}_FILE: {path} cannot be read") from None

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self(name) or str(default)
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise SettingsError(f"{name}: takes a whole number from {low} to {high}, not {text!r}")
        return int(text)

    def switch(self, name: str, default: str) -> bool:
        text = self(name) or default
        if text not in ("on", "off"):
            raise SettingsError(f"{name}: takes on or off, not {text!r}")
        return text == "on"


def is_host(text: str) -> bool:
    """True if it can be the name or address of a machine."""
    return _HOST.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".lan", ".internal", ".test"))


def _base_url(text: str, host: str, port: int) -> str:
    if not text:
        everywhere = host in ("0.0.0.0", "::")  # noqa: S104
        shown = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}"
    try:
        parts: SplitResult = urlsplit(text)
        known_host = _HOST.fullmatch(parts.hostname or "")
        usable = (
            parts.scheme in ("http", "https")
            and known_host
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise SettingsError(
            f"JIUNIU_BASE_URL: takes an address such as https://club.example, not {text!r}"
        )
    if parts.scheme == "http" and not _is_private(parts.hostname or ""):
        raise SettingsError(
            "JIUNIU_BASE_URL: must begin with https:// (http is only for loopback and "
            "private addresses)"
        )
    return text.rstrip("/")


def _secret_keys(text: str, database_url: str, data_dir: Path) -> list[str]:
    """Return the set key, else those of the file in the data folder.

    Its first line signs; the lines below it are older keys.
    """
    if text:
        if len(text) < _KEY_CHARACTERS:
            raise SettingsError(
                f"JIUNIU_SECRET_KEY: takes at least {_KEY_CHARACTERS} characters; try: "
                "openssl rand -hex 32"
            )
        return [text]
    if not database_url.startswith("sqlite"):
        raise SettingsError(
            "JIUNIU_SECRET_KEY: must be set with a database server, the same on every host"
        )
    path = data_dir / "secret-key"
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        _tell_of_a_lost_key(path, database_url)
    except FileExistsError:
        pass
    except OSError as trouble:
        raise SettingsError(
            f"JIUNIU_DATA_DIR: {data_dir} cannot be written ({trouble.strerror})"
        ) from None
    try:
        kept = [
            line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
    except OSError as trouble:
        raise SettingsError(
            f"JIUNIU_SECRET_KEY: {path} cannot be read by this account ({trouble.strerror})"
        ) from None
    except UnicodeDecodeError:
        kept = []
    if not kept or any(len(key) < _KEY_CHARACTERS for key in kept):
        raise SettingsError(
            f"JIUNIU_SECRET_KEY: {path} is empty or damaged; restore it from a backup, or "
            "delete it (all links die)"
        )
    return kept


def _tell_of_a_lost_key(path: Path, database_url: str) -> None:
    """Warn if the database is older than the key: a backup may still hold the lost one."""
    database = Path(make_url(database_url).database or "")
    if database.is_file() and database.stat().st_size:
        log.warning(
            (
                "%s was missing and is made anew: links of earlier mails open nothing until "
                "the old file is back"
            ),
            path,
        )


def _database_url(text: str, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'jiuniu.sqlite'}"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = make_url("unreadable://")
    a_file = (
        url.drivername == "sqlite"
        and url.database
        and url.database != ":memory:"
        and not Path(url.database).is_dir()
    )
    a_server = (
        url.drivername in ("postgresql", "postgresql+psycopg")
        and (url.host or "host" in url.query)
        and url.database
    )
    if not a_file and not a_server:
        raise SettingsError(
            "JIUNIU_DATABASE_URL: takes sqlite:///path/file or "
            "postgresql://user:password@host/database"
        )
    if a_server and find_spec("psycopg") is None:
        raise SettingsError(
            "JIUNIU_DATABASE_URL: psycopg is missing; python -m pip install -r "
            "requirements-postgresql.txt"
        )
    return text


def read_mail_account(url: str, sender: str) -> tuple[MailServer, str]:
    """Read an account as in JIUNIU_SMTP_URL and JIUNIU_MAIL_FROM.

    Raises: SettingsError.
    """
    server = _mail_server(url.strip())
    if server is None:
        raise SettingsError("JIUNIU_SMTP_URL: takes an account such as smtps://user:pass@host:465")
    return server, parseaddr(_mail_from(sender, server))[1]


def _mail_server(text: str) -> MailServer | None:
    if not text:
        return None
    wrong = SettingsError(
        "JIUNIU_SMTP_URL: takes smtp://, smtps:// or smtp+starttls://user:password@host:port"
    )
    try:
        parts = urlsplit(text)
        port = _SMTP_PORTS[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        raise wrong from None
    if (
        not _HOST.fullmatch(parts.hostname or "")
        or port == 0
        or parts.path.strip("/")
        or parts.query
    ):
        raise wrong
    if bool(parts.username) != bool(parts.password):
        raise SettingsError("JIUNIU_SMTP_URL: takes a user and a password, or neither")
    return MailServer(
        parts.scheme,
        parts.hostname or "",
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _mail_from(text: str, server: MailServer | None) -> str:
    name, address = parseaddr(text)
    if text.count("@") != 1:
        address = ""
    try:
        folded = address if address.endswith("@localhost") else fold_address(address)
    except BadAddress:
        raise SettingsError(
            f"JIUNIU_MAIL_FROM: takes a sender such as Jiuniu <club@example.org>, not {text!r}"
        ) from None
    login = server.user.lower() if server else ""
    if login.rpartition("@")[2] in _SENDER_IS_LOGIN and folded != login:
        raise SettingsError(f"JIUNIU_MAIL_FROM: this provider wants the login as sender: {login}")
    return f"{name} <{folded}>" if name else folded
