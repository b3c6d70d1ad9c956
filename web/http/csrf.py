"""CSRF protection; an expired or missing token shows the form again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from web.app.request_limits import too_many
from web.app.services import services
from web.http import link_sessions
from web.http.auth import read_token, visitor, visitor_here
from web.http.security import count_refused_post, refused_too_often

csrf = CSRFProtect()
# Neither 429, which would go on for ever, nor what is our own trouble.
_REFUSED = frozenset({400, 403, 404, 409, 410, 413, 422})
_no_token_needed: set[Callable[..., Any]] = set()


def init(app: Flask) -> None:
    csrf.init_app(app)
    link_sessions.init(app)  # it finds the link that a form may name
    app.before_request(_check)
    app.after_request(_count_refused)


def no_token_needed(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that is posted without a page, so without a token (RFC 8058)."""
    _no_token_needed.add(view)
    return view


def _check() -> None:
    if request.method != "POST":
        return
    origin = request.headers.get(
        "Origin", "null"
    )  # None from an old browser, null from a page that hides its origin.
    g.foreign = origin != "null" and urlsplit(origin).netloc not in _own_hosts()
    g.by_machine = too_many(request)
    if g.by_machine:
        abort(413)
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or view in _no_token_needed:
        return
    if g.foreign:
        abort(403)
    if refused_too_often():
        abort(429)
    if link_sessions.is_own_form():
        return
    try:
        csrf.protect()
    except CSRFError:
        _greet()
        abort(400)


def _count_refused(response: Response) -> Response:
    if request.method == "POST" and response.status_code in _REFUSED:
        count_refused_post()
    return response


def _own_hosts() -> set[str]:
    return {urlsplit(services().settings.base_url).netloc, request.host}


def _greet() -> None:
    """Set the language of the page that is refused.

    Raises what the page would have raised.
    """
    address = request.view_args or {}
    with services().db.read() as session:
        if "token" in address:
            visitor(session, read_token(address["token"]))
        elif "slug" in address:
            visitor_here(session, address["slug"])
