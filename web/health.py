"""Is it alive, is it ready; and the pages for when something is not as it should be."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, g, jsonify, render_template, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from engine import schema
from engine.clock import machine_now
from engine.db import out_of_reach
from engine.models import Heartbeat
from engine.registry import workflow
from web.access import DeadLink
from web.service import service
from web.speak import begin_request, meet

health = Blueprint("health", __name__)
log = logging.getLogger(__name__)
TICK_IS_OLD = timedelta(seconds=60)
# Where people write what they hand in; no password is among it.
HANDED_IN = ("forms.submit", "case.press", "for_them.press", "people.press", "settings.press")


@health.get("/healthz")
def alive() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 while this installation can run a club: database reachable, schema current, and somebody sweeps.

    A sweep that ran more than ``TICK_IS_OLD`` ago is a dead worker: pages alone remind nobody. In the first minute of this
    process that is *starting*, not a fault: ``python app.py`` ticks at once, a worker beside it may need a moment.
    """
    try:
        answer = _readiness()
    except SQLAlchemyError as trouble:
        log.error("not ready: the database does not answer: %s", trouble)
        answer = {"status": "database", "database": "unreachable", "schema": None, "last_tick": None, "tick_age_seconds": None}
    return jsonify(answer), 200 if answer["status"] in ("ready", "starting") else 503


def _readiness() -> dict[str, Any]:
    here, now = service(), machine_now()
    schema_is = schema.standing(here.db)
    beat = None
    if schema_is == "current":
        with here.db.read() as session:
            beat = session.get(Heartbeat, "sweep")
    age = max(now - beat.at, timedelta()) if beat else None
    if schema_is != "current":
        status = "schema"
    elif age is not None and age <= TICK_IS_OLD:
        status = "ready"
    else:
        status = "starting" if now - here.started_at <= TICK_IS_OLD else "worker"
    return {
        "status": status,
        "database": "ok",
        "schema": schema_is,
        "last_tick": beat.at.isoformat(timespec="seconds") if beat else None,
        "tick_age_seconds": round(age.total_seconds(), 1) if age is not None else None,
    }


def init(app: Flask) -> None:
    @app.errorhandler(DeadLink)
    def dead_link(dead: DeadLink) -> tuple[str, int]:
        meet(dead.club)
        matter = workflow(dead.case.workflow) if dead.case else None
        return render_template("pages/dead_link.html", case=dead.case, matter=matter, is_out=dead.is_out), 410

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
        if not out_of_reach(trouble) and not isinstance(trouble, StaleDataError):
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
    return render_template("pages/error.html", code=code, trace=trace, typed=_typed() if code >= 500 else [])


def _typed() -> list[tuple[str, str]]:
    """What the person had sent, to be shown and sent again: a browser's way back does not always bring it back."""
    here = request.method == "POST" and request.endpoint in HANDED_IN
    return list(request.form.items(multi=True)) if here else []
