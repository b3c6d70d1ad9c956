"""The protection of pages: headers, limits, tokens of open forms."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

from engine.clock import machine_now
from engine.security.client_networks import networks_of
from engine.security.rate_limits import (
    REFUSED_BY_NETWORK,
    REFUSED_POSTS,
    Limit,
    hit,
    hit_networks,
    is_used_up,
)
from engine.settings import Settings
from engine.text.i18n import marked as _
from web.app.services import services

LEAST_SECONDS = 2
SESSION_COOKIE = "jiuniu_session"
PRESS_AGAIN = _(
    "Nothing was sent yet. Everything you typed is still here: please press the button once more."
)

SENT_BEFORE = _(
    "This form was sent already, for another address. Everything you typed is still here: "
    "please press once more to send it for this one too."
)

TOO_MANY = _(
    "Too many forms came from your network in the last hour. Everything you typed is still "
    "here: please try again later."
)

MAILBOX_FULL = _(
    "This address has had several mails from us today already. Please look into it, or try "
    "again tomorrow."
)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src "
    "'self'; style-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; "
    "frame-src 'self'",
    "Referrer-Policy": "same-origin",  # Flask-WTF wants a Referer over https.
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init(app: Flask, settings: Settings) -> None:
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        SESSION_COOKIE_NAME="jiuniu_form",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=secure,
    )
    app.after_request(_add_headers)
    app.wsgi_app = _Prefix(app.wsgi_app, urlsplit(settings.base_url).path)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]


class _Prefix:
    """A middleware that serves below the base URL's path, whether or not a proxy strips it."""

    def __init__(self, app: Any, prefix: str) -> None:
        self.app, self.prefix = app, prefix.rstrip("/")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.prefix:
            path: str = environ["PATH_INFO"]
            if path == self.prefix or path.startswith(self.prefix + "/"):
                environ["PATH_INFO"] = path[len(self.prefix) :] or "/"
            environ["SCRIPT_NAME"] = self.prefix
        result: Iterable[bytes] = self.app(environ, start_response)
        return result


def _add_headers(response: Response) -> Response:
    for key, value in HEADERS.items():
        response.headers.setdefault(key, value)
    if services().settings.base_url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "assets.asset_file":
        response.headers["Cache-Control"] = "no-store"
    if "Location" in response.headers:
        response.headers["Location"] = _on_this_site(response.headers["Location"])
    return response


def _on_this_site(location: str) -> str:
    """Make the router's redirect to a closing slash relative.

    It would name the requested host; only the base URL makes absolute links.
    """
    parts = urlsplit(location)
    if not parts.netloc:
        return location
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, parts.fragment))


def check_rate_limit(limit: Limit, who: str) -> bool:
    """Count one more; True if it is within the limit, or if limits are off."""
    if not services().settings.rate_limits:
        return True
    return services().db.write(hit, limit, who, machine_now())


def new_form_token() -> str:
    """Make the form token of an open form: an id, signed with the time of opening."""
    return str(services().form_stamps.dumps(secrets.token_hex(8)))


def read_form_token(text: str) -> tuple[str, bool]:
    """Return the form's id, and True if a person can have filled it in.

    Not sooner than LEAST_SECONDS after it was opened. A token that this installation did not sign
    gives a new id and False. A program may leave it out: the csrf token shows the same.
    """
    token = request.form.get("csrf_token", "")
    signer = (
        services().form_stamps
        if text
        else URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="wtf-csrf-token")
    )
    try:
        form_id, opened = signer.loads(text or token, return_timestamp=True)
    except BadData:
        return secrets.token_hex(8), False
    if not text:
        form_id = hashlib.sha256(token.encode()).hexdigest()[:16]
    return form_id, machine_now() - opened >= timedelta(seconds=LEAST_SECONDS)


def check_network_limit(limit: Limit) -> bool:
    """Count one more of these for the visitor's networks; True when all are within the limit."""
    if not services().settings.rate_limits:
        return True
    return services().db.write(hit_networks, limit, client_networks(), machine_now())


def count_refused_post() -> None:
    """Count a refused post for its link or browser, and for its network."""
    here = services()
    if here.settings.rate_limits:
        here.db.write(hit, REFUSED_POSTS, _presser(), machine_now())
        here.db.write(hit, REFUSED_BY_NETWORK, client_address(), machine_now())


def refused_too_often() -> bool:
    """True if too many posts of this link, browser or network were refused lately."""
    here = services()
    if not here.settings.rate_limits:
        return False
    with here.db.read() as session:
        return is_used_up(session, REFUSED_POSTS, _presser(), machine_now()) or is_used_up(
            session, REFUSED_BY_NETWORK, client_address(), machine_now()
        )


def _presser() -> str:
    """Return the network with the link or browser: one link does not block a neighbour's."""
    token = str((request.view_args or {}).get("token", ""))
    return f"{client_address()} {token} {request.cookies.get(SESSION_COOKIE, '')}"


def client_networks() -> tuple[str, ...]:
    """Return the networks of the visitor, the narrow one first."""
    return networks_of(request.remote_addr or "?")


def client_address() -> str:
    """Return the address that limits count: with IPv6 the network of 2**64 addresses."""
    return client_networks()[0]
