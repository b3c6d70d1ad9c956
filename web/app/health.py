"""The health checks: alive, ready."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from engine.clock import machine_now
from engine.storage import schema
from engine.storage.models import Heartbeat
from web.app.services import services

health = Blueprint("health", __name__)
log = logging.getLogger(__name__)
TICK_IS_OLD = timedelta(seconds=60)


@health.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer 200 if this installation can run a club.

    The database is reachable, the schema is current, and there is a sweep: one more than
    ``TICK_IS_OLD`` ago means a dead worker, and pages alone remind no one. In the first minute of
    this process that is *starting*, not a fault: ``python app.py`` ticks at once, a worker beside
    it may need a moment.
    """
    try:
        answer = _readiness()
    except SQLAlchemyError as trouble:
        log.error("not ready: the database does not answer: %s", trouble)
        answer = {
            "status": "database",
            "database": "unreachable",
            "schema": None,
            "last_tick": None,
            "tick_age_seconds": None,
        }
    return jsonify(answer), 200 if answer["status"] in ("ready", "starting") else 503


def _readiness() -> dict[str, Any]:
    here, now = services(), machine_now()
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
