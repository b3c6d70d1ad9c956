"""Rows written in bulk read back like single ones, and are guarded in the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import DateTime, func, select, type_coerce, update
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.exc import StatementError
from sqlalchemy.orm.exc import StaleDataError

from engine.cases.transitions import act
from engine.club.context import current_club
from engine.declare.transition import CLOCK
from engine.storage.models import Case, Event
from engine.storage.types import UTCDateTime
from engine.storage.unit_of_work import ClubSession
from tests.club import LILEI, House

pytestmark = pytest.mark.postgres

NOON = datetime(2026, 6, 10, 12, 30, 5, 1200, timezone(timedelta(hours=8)))


def overdue(house: House, session: ClubSession) -> Case:
    """The study plan of a newcomer after its due step, not written yet."""
    case = session.get_one(Case, (house.club_id, house.case(LILEI, "study_plan").id))
    assert case.person.name
    current_club(session)
    act(session, case, "due", by=CLOCK, now=house.now)
    assert case in session.dirty
    return case


def test_a_step_written_with_its_round_reads_back_as_it_was_taken(house: House) -> None:
    house.join()
    case_id = house.case(LILEI, "study_plan").id

    def unit(session: ClubSession) -> list[object]:
        case = overdue(house, session)
        taken = [
            case.state,
            case.turn,
            case.version,
            case.entered_version,
            case.entered_at,
            case.due_at,
            case.wake_at,
            case.data,
        ]
        session.flush_and_forget()
        assert not session.new
        assert not session.dirty
        return taken

    taken = house.write(unit)
    case = house.case(LILEI, "study_plan")
    assert [
        case.state,
        case.turn,
        case.version,
        case.entered_version,
        case.entered_at,
        case.due_at,
        case.wake_at,
        case.data,
    ] == taken
    (event,) = house.rows(
        select(Event).where(Event.case_id == case_id, Event.version == case.version)
    )
    assert (event.action, event.from_state, event.to_state, event.via, event.at) == (
        "due",
        "owed",
        "overdue",
        "clock",
        house.now,
    )


def test_a_round_that_was_overtaken_writes_nothing(house: House) -> None:
    house.join()

    def unit(session: ClubSession) -> None:
        case = overdue(house, session)
        faster = update(Case).where(Case.id == case.id).values(version=Case.version + 1)
        with session.no_autoflush:
            session.execute(faster, execution_options={"synchronize_session": False})
        with pytest.raises(StaleDataError):
            session.flush_and_forget()
        session.rollback()

    house.write(unit)
    assert house.case(LILEI, "study_plan").state == "owed"
    assert house.rows(
        select(func.count()).select_from(Event).where(Event.to_state == "overdue")
    ) == [0]


def test_an_instant_is_kept_as_sqlalchemys_own_type_keeps_it() -> None:
    ours, theirs = UTCDateTime(), DateTime().dialect_impl(dialect())
    write, read = ours.bind_processor(dialect()), ours.result_processor(dialect(), None)
    kept = write(NOON)
    assert (
        kept
        == theirs.bind_processor(dialect())(NOON.astimezone(UTC).replace(tzinfo=None))
        == "2026-06-10 04:30:05.001200"
    )
    assert read(kept) == NOON
    assert read(kept).tzinfo is UTC
    assert write(None) is read(None) is None


def test_a_moment_without_a_zone_is_refused(house: House) -> None:
    naive = select(type_coerce(datetime(2026, 6, 10, 12), UTCDateTime))  # noqa: DTZ001
    with house.db.read() as session, pytest.raises(StatementError, match="needs a time zone"):
        session.execute(naive)
