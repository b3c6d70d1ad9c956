"""The error pages: they say what happened, and show what was typed."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, g, render_template
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from engine.declare.registry import workflow
from engine.storage.database import database_unavailable
from web.http.auth import DeadLink, SignedOut
from web.http.i18n import begin_request, set_request_owner
from web.http.unsaved_input import by_script, line_for

log = logging.getLogger(__name__)

Page = Response | tuple[str, int]


def init(app: Flask) -> None:
    @app.errorhandler(DeadLink)
    def dead_link(dead: DeadLink) -> Page:
        set_request_owner(dead.club)
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
        """Answer 503 for a full disk, a restart or a contended row: nothing was half written."""
        if not database_unavailable(trouble) and not isinstance(trouble, StaleDataError):
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
    if by_script():
        return line_for(code)
    return render_template(f"pages/{page}.html", code=code, **facts), code
