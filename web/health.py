"""Is it alive, is it ready; and the pages for when something is not as it should be."""

from __future__ import annotations

import logging
import secrets

from flask import Blueprint, Flask, g, jsonify, render_template
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from engine import schema
from engine.models import Heartbeat
from engine.registry import workflow
from web.access import DeadLink
from web.service import service
from web.speak import begin_request, meet

health = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@health.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """Database reachable, schema current; and when the sweep last ran (nobody's fault to a web process)."""
    db = service().db
    with db.read() as session:
        session.execute(text("SELECT 1"))
        beat = session.get(Heartbeat, "sweep")
    current = schema.is_current(db)
    body = jsonify(status="ready" if current else "schema", last_tick=beat.at.isoformat() if beat else None)
    return body, 200 if current else 503


def init(app: Flask) -> None:
    @app.errorhandler(DeadLink)
    def dead_link(dead: DeadLink) -> tuple[str, int]:
        meet(dead.club)
        matter = workflow(dead.case.workflow) if dead.case else None
        return render_template("pages/dead_link.html", case=dead.case, matter=matter), 410

    @app.errorhandler(HTTPException)
    def refused(trouble: HTTPException) -> tuple[str, int] | Response:
        if trouble.code and trouble.code < 400:
            return trouble.get_response()
        return _page(trouble.code or 500, ""), trouble.code or 500

    @app.errorhandler(DBAPIError)
    @app.errorhandler(PoolTimeoutError)
    @app.errorhandler(StaleDataError)
    def no_database(trouble: Exception) -> tuple[str, int]:
        """A full disk, a database that restarts, a row that many want: nothing was half written, and it comes back by itself."""
        if isinstance(trouble, DBAPIError) and not (isinstance(trouble, OperationalError) or trouble.connection_invalidated):
            return broken(trouble)
        log.error("the database does not answer: %s", trouble)
        return _page(503, ""), 503

    @app.errorhandler(Exception)
    def broken(trouble: Exception) -> tuple[str, int]:
        trace = secrets.token_hex(4)
        log.exception("error %s", trace, exc_info=trouble)
        return _page(500, trace), 500


def _page(code: int, trace: str) -> str:
    if "language" not in g:
        begin_request()
    return render_template("pages/error.html", code=code, trace=trace)
