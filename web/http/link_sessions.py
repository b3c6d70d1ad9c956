"""Exchange a personal link for a short session on a path without its token.

Where cookies are taken, ``/c/<token>`` leads to ``/c/~<name>``, and the token stays in a cookie of
that path alone: no history, no Referer and no screenshot holds it. The first link that a browser
opens takes one redirect more, which shows whether cookies are taken; where not, the page opens at
the link itself. The form token of such a page names its link, so a press needs no cookie.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, redirect, request, url_for
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import Gone
from werkzeug.wrappers import Response

from engine.security.links import BadLink
from web.app.services import services

DEVICE, LINK = "jiuniu_device", "jiuniu_link"
MARK, PROBED = "~", "opened"
# Without a page for so long, the link in the mail is wanted again.
LIFE = timedelta(hours=2)
# A page that is still open may be sent for so long, also where its cookie is gone.
FORM_LIFE = timedelta(days=1)
DEVICE_LIFE = timedelta(days=400)


class ClosedPage(Gone):
    """A page without its cookie: opened in another browser, too long ago, or signed out."""


def init(app: Flask) -> None:
    app.before_request(_open)
    app.after_request(_keep_open)
    app.context_processor(lambda: {"csrf_token": form_token})  # in the place of Flask-WTF's


def form_token() -> str:
    """Return the hidden token of a form: that of the link by which its page was opened, if any."""
    token = g.get("link_token")
    return _form_signer().dumps([token, secrets.token_hex(8)]) if token else generate_csrf()


def is_own_form() -> bool:
    """True if the form that was sent comes from a page opened by the very link it is sent to."""
    token = g.get("link_token")
    return token is not None and _link_in_form() == token


def device_cookie() -> str:
    """Return what tells this browser from others; empty if it takes no cookies."""
    return request.cookies.get(DEVICE, "")


def forget_device(response: Response) -> None:
    """End every page that was opened by a link in this browser."""
    response.delete_cookie(DEVICE, path=f"{request.script_root}/")


def _open() -> Response | None:
    """Find the link of the request; a link in the address is exchanged for a path without it."""
    rule = request.url_rule.rule if request.url_rule else ""
    if not rule.startswith(("/c/", "/me/")):
        return None
    arguments: dict[str, Any] = request.view_args or {}
    token = arguments["token"]
    if token.startswith(MARK):
        _open_session(arguments, token)
        return None
    try:
        g.link_token = services().links.token(services().links.read(token))
    except BadLink:
        return None  # the view says so, and counts it
    return _exchange(arguments) if request.method in ("GET", "HEAD") else None


def _open_session(arguments: dict[str, Any], path_name: str) -> None:
    """Read the link of a short path from its cookie or its form. Raises: ClosedPage."""
    try:
        g.link_token = _signer().loads(request.cookies[LINK], max_age=int(LIFE.total_seconds()))
        g.link_path = f"{request.script_root}{_folder()}{path_name}"
    except (KeyError, BadData):
        g.link_token = _link_in_form() if request.method == "POST" else None
        arguments["token"] = g.link_token  # there is no cookie to lead back to the short path
    if not g.link_token or MARK + _name(g.link_token) != path_name:
        g.link_token = None
        raise ClosedPage


def _exchange(arguments: dict[str, Any]) -> Response | None:
    if not device_cookie():
        if PROBED in request.args:
            return None
        response = redirect(_url(arguments["token"], **{PROBED: "1"}))
        device = secrets.token_urlsafe(16)
        _set_cookie(response, DEVICE, device, f"{request.script_root}/", DEVICE_LIFE)
        return response
    path_name = MARK + _name(g.link_token)
    response = redirect(_url(path_name))
    _set_link(response, f"{request.script_root}{_folder()}{path_name}")
    return response


def _url(token: str, **more: str) -> str:
    """Return the page that was asked for, at another token. What the query holds goes along."""
    query = {key: value for key, value in request.args.items() if key != PROBED} | more
    path = url_for(str(request.endpoint), token=token)
    return f"{path}?{urlencode(query)}" if query else path


def _keep_open(response: Response) -> Response:
    if g.get("link_token") and g.get("link_path") and device_cookie():
        _set_link(response, g.link_path)
    return response


def _set_link(response: Response, path: str) -> None:
    _set_cookie(response, LINK, str(_signer().dumps(g.link_token)), path)


def _set_cookie(
    response: Response, name: str, value: str, path: str, life: timedelta | None = None
) -> None:
    response.set_cookie(
        name,
        value,
        path=path,
        max_age=int(life.total_seconds()) if life else None,
        httponly=True,
        samesite="Lax",
        secure=services().settings.base_url.startswith("https://"),
    )


def _folder() -> str:
    return "/me/" if request.url_rule and request.url_rule.rule.startswith("/me/") else "/c/"


def _name(token: str) -> str:
    return hashlib.sha256(b"jiuniu.link:" + token.encode()).hexdigest()[:20]


def _link_in_form() -> str | None:
    try:
        sent = request.form.get("csrf_token", "")
        found = _form_signer().loads(sent, max_age=int(FORM_LIFE.total_seconds()))
    except BadData:
        return None
    return found[0] if isinstance(found, list) else None


def _signer() -> URLSafeTimedSerializer:
    """Sign for this browser alone: signing out there forgets its device."""
    return URLSafeTimedSerializer(_keys(), salt="jiuniu.link:" + device_cookie())


def _form_signer() -> URLSafeTimedSerializer:
    """Sign with the salt of the other form tokens: one reader finds when a form was opened."""
    return URLSafeTimedSerializer(_keys(), salt="wtf-csrf-token")


def _keys() -> list[str]:
    config = current_app.config
    return [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]
