"""The health checks: alive, ready."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from engine.operations.health import Health, read_health
from engine.storage import schema
from engine.storage.database import is_read_only
from engine.storage.heartbeats import beat
from engine.storage.unit_of_work import ClubSession
from web.app.services import Services, services

health = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@health.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer 200 while this installation can run a club.

    Its database takes a write, the schema is current, and a worker sweeps. In the first minute of
    this process a missing sweep is *starting*, not a fault: ``python app.py`` ticks at once, a
    worker beside it may need a moment.
    """
    try:
        answer = _readiness()
    except SQLAlchemyError as trouble:
        log.error("not ready: the database does not answer: %s", trouble)
        answer = {
            "status": "database",
            "database": "read-only" if is_read_only(trouble) else "unreachable",
            "schema": None,
            "last_tick": None,
            "tick_age_seconds": None,
        }
    return jsonify(answer), 200 if answer["status"] in ("ready", "starting") else 503


def current_health(here: Services, session: ClubSession, *, grace: bool = True) -> Health:
    """Return what every page says about this service.

    ``grace``: a process that has just begun may wait for its worker's first sweep.
    """
    clock = here.database_clock
    clock.measure()
    found = read_health(
        session,
        machine_now=clock.now(),
        now=here.clock.now(),
        started_at=here.started_at - clock.skew if grace else None,
    )
    return replace(found, skews=found.skews | clock.told)


def _readiness() -> dict[str, Any]:
    here = services()
    schema_is = schema.standing(here.db)
    found = None
    if schema_is == "current":
        # A standby or a disk that turned read-only shows only at a write.
        here.db.write(beat, "ready", here.database_clock.now())
        with here.db.read() as session:
            found = current_health(here, session)
    return {
        "status": found.worker if found else "schema",
        "database": "ok",
        "schema": schema_is,
        "last_tick": found.last_tick.isoformat(timespec="seconds")
        if found and found.last_tick
        else None,
        "tick_age_seconds": round(found.tick_age.total_seconds(), 1)
        if found and found.tick_age is not None
        else None,
    }
