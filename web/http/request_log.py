"""The log. It never names a recipient: addresses, personal links and secrets are masked.

The mask works on the finished text of a record (message, traceback, exception), so no call needs to
think of it.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Flask, Response, g, request

from engine.settings import Settings

if TYPE_CHECKING:
    from threading import ExceptHookArgs

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# An exception may quote a whole form.
LONGEST_LINE = 32_000
log = logging.getLogger("jiuniu")
requests_log = logging.getLogger("jiuniu.request")

_NOT_IN_ADDRESS = r"\s@＠<>\"'(),:;=\[\]{}/\\|"
# Each with signs without which it cannot match: most lines have none of them.
_MASKS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("@",), re.compile(r"://[^\s/]*@"), "://***@"),  # User and password of a server.
    (
        ("/c/", "/me/", "/unsubscribe/"),
        re.compile(r"(/(?:c|me|unsubscribe)/)[^\s\"'<>?#&]+"),
        r"\1…",
    ),
    (
        ("=", "%3D"),
        re.compile(r"((?:token|jiuniu_\w{1,40})(?:=|%3D))[^\s\"'<>&;]+", re.IGNORECASE),
        r"\1…",
    ),
    (
        (".",),
        re.compile(r"(?<![\w-])[\w-]{8,}\.(?:[\w-]{4,8}\.)?[\w-]{27}(?![\w-])"),
        "…",
    ),  # Whatever else is signed like a link.
    (
        ("@", "＠", "%40"),
        re.compile(
            rf"([^*%{_NOT_IN_ADDRESS}])(?:[^%{_NOT_IN_ADDRESS}]|%(?!40)){{0,80}}"
            r"(?:[@＠]|%40)(?=[\w\[])"
        ),
        r"\1***@",
    ),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Mask a text: ``l***@qq.com``, ``/c/…``, and "…" for each of ``secrets``."""
    for secret in secrets:
        text = text.replace(secret, "…")
    for signs, pattern, replacement in _MASKS:
        if any(sign in text for sign in signs):
            text = pattern.sub(replacement, text)
    return text


class Masked(logging.Formatter):
    """A formatter that masks the result of another one.

    Lines after the first are indented, so that none can be forged.
    """

    def __init__(self, inner: logging.Formatter, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self.inner, self.secrets = inner, secrets

    def format(self, record: logging.LogRecord) -> str:
        text = _CONTROL.sub("?", mask(self.inner.format(record)[:LONGEST_LINE], self.secrets))
        return text.replace("\n", "\n    ")


class _Quiet(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:
        """Report a failed record without its arguments, which the standard one prints."""
        self.stream.write(f"a log line of {record.name} could not be written\n")


def install(settings: Settings) -> None:
    """Mask each line of the root logger and of stderr."""
    server = settings.mail_server
    secrets = (
        (*settings.secret_keys, server.password)
        if server and server.password
        else settings.secret_keys
    )
    root = logging.getLogger()
    if not root.handlers:
        own = _Quiet()
        own.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(own)
    for handler in root.handlers:
        inner = handler.formatter or logging.Formatter()
        handler.setFormatter(Masked(inner.inner if isinstance(inner, Masked) else inner, secrets))
    sys.excepthook, threading.excepthook = _uncaught, _uncaught_in_thread


def _uncaught(
    kind: type[BaseException], trouble: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, trouble, trace)
        return
    log.critical("nobody expected this", exc_info=(kind, trouble, trace))


def _uncaught_in_thread(given: ExceptHookArgs) -> None:
    if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
        log.critical("a thread ended unexpectedly", exc_info=given.exc_value)


def set_level() -> None:
    """Log our own records from INFO on, and other libraries' warnings, in a server or worker."""
    logging.getLogger().setLevel(logging.INFO)
    for chatty in ("apscheduler", "mail.log", "waitress.queue", "alembic"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def init(app: Flask) -> None:
    """Log one line per request: method, path, status, milliseconds.

    No query, no address of the visitor.
    """
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    if request.endpoint not in ("assets.asset_file", "health.healthz", "health.readyz"):
        taken = (time.perf_counter() - g.get("began", time.perf_counter())) * 1000
        requests_log.info(
            "%s %s %s %.0f ms",
            request.method,
            quote(request.path[:200]),
            response.status_code,
            taken,
        )
    return response
