"""Style sheet, script and logo. Read once, so their change needs a restart.

Their addresses change with their content: a browser keeps them for good, and a page on a slow line
waits for nothing.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, url_for

FOLDER = Path(__file__).resolve().parents[1] / "static"
KINDS = {"style.css": "text/css", "jiuniu.js": "text/javascript", "seal.svg": "image/svg+xml"}
# The sheet's parts in cascade order: later ones win.
SHEET = (
    "tokens",
    "ground",
    "text",
    "lists",
    "forms",
    "club",
    "desk",
    "settings",
    "member",
    "media",
)
A_YEAR = 365 * 86400  # Seconds.

assets = Blueprint("assets", __name__)


def init(app: Flask) -> None:
    app.jinja_env.globals["asset"] = address


def address(name: str) -> str:
    return url_for("assets.asset_file", name=name, v=_fingerprint(name))


@assets.get("/static/<name>")
def asset_file(name: str) -> Response:
    if name not in KINDS:
        abort(404)
    response = Response(_content(name), mimetype=KINDS[name])
    response.set_etag(_fingerprint(name))
    if request.args.get("v") == _fingerprint(name):
        response.cache_control.public = True
        response.cache_control.max_age = A_YEAR
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


@cache
def _content(name: str) -> bytes:
    if name == "style.css":
        return b"\n".join((FOLDER / "style" / f"{part}.css").read_bytes() for part in SHEET)
    return (FOLDER / name).read_bytes()


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:12]
