"""The pages for when something is not as it should be: they say what happened, and show what was typed."""

from __future__ import annotations

import logging
import secrets
from typing import NoReturn

from flask import Flask, abort, g, redirect, render_template, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response

from engine.db import out_of_reach
from engine.registry import workflow
from web import drafts
from web.access import DeadLink
from web.speak import begin_request, meet

log = logging.getLogger(__name__)

Page = Response | tuple[str, int]


class SignedOut(Forbidden):
    """Whoever pressed is not signed in any more. ``door``: where they sign in."""

    def __init__(self, door: str) -> None:
        super().__init__()
        self.door = door


def led_on(door: str) -> NoReturn:
    """To the page where one signs in; a press stays with what was typed."""
    if request.method == "POST":
        raise SignedOut(door)
    abort(redirect(door, 302))


def init(app: Flask) -> None:
    @app.errorhandler(DeadLink)
    def dead_link(dead: DeadLink) -> Page:
        meet(dead.club)
        matter = workflow(dead.case.workflow) if dead.case else None
        return _page(410, "dead_link", case=dead.case, matter=matter, is_out=dead.is_out)

    @app.errorhandler(HTTPException)
    def refused(trouble: HTTPException) -> Page:
        code = trouble.code or 500
        return _page(code) if code >= 400 else trouble.get_response()

    @app.errorhandler(SignedOut)
    def signed_out(trouble: SignedOut) -> Page:
        return _page(403, door=trouble.door)

    @app.errorhandler(DBAPIError)
    @app.errorhandler(PoolTimeoutError)
    @app.errorhandler(StaleDataError)
    def no_database(trouble: Exception) -> Page:
        """A full disk, a database that restarts, a row that many want: nothing was half written, and it comes back by itself."""
        if not out_of_reach(trouble) and not isinstance(trouble, StaleDataError):
            return broken(trouble)
        log.error("the database does not answer: %s", trouble)
        return _page(503)

    @app.errorhandler(Exception)
    def broken(trouble: Exception) -> Page:
        trace = secrets.token_hex(4)
        log.exception("error %s", trace, exc_info=trouble)
        return _page(500, trace=trace)


def _page(code: int, page: str = "error", **facts: object) -> Page:
    if "language" not in g:
        begin_request()
    if drafts.by_script():
        return drafts.line_for(code)
    return render_template(f"pages/{page}.html", code=code, **facts), code
