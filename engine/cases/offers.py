"""Cases that another person begins: an office already held, or one on offer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.cases.transitions import open_case
from engine.club.authority import role_includes
from engine.club.context import current_club
from engine.club.people import by_address
from engine.declare.openings import HeldBefore, OfferedBy
from engine.declare.registry import all_workflows, workflow
from engine.declare.transition import Actor
from engine.storage.database import enter_club, lock_row
from engine.storage.models import Case, Person
from engine.storage.states import PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _

NOT_A_MEMBER = _("No member has this address. Please look it up under People")
OWNER_ALREADY = _("This is the owner already")
OFFERED_ALREADY = _("An offer is open already. Take it back first, or wait for the answer")


class CannotOffer(ValueError):
    """A refusal of an offer; the text is a msgid of the catalogue."""


def open_existing_offices(session: ClubSession, person: Person, now: datetime) -> None:
    """Open the case of each office held without an election, so that it can be resigned."""
    for flow in all_workflows():
        for opening in flow.openings:
            if isinstance(opening, HeldBefore) and role_includes(opening.role, person):
                open_case(session, flow.key, person, by=Actor(None, "command"), now=now)


def offer(
    session: ClubSession,
    club_id: int,
    workflow_name: str,
    address: str,
    *,
    by: Actor,
    now: datetime,
) -> int:
    """Open a case for the member with this address, and return its id.

    One at a time in the club.

    Raises: CannotOffer.
    """
    enter_club(session, club_id)
    opening = next(item for item in workflow(workflow_name).openings if isinstance(item, OfferedBy))
    person = by_address(session, address)
    if person is not None:
        lock_row(session, person)  # They may leave in this very moment.
    if person is None or person.status != PersonStatus.MEMBER:
        raise CannotOffer(NOT_A_MEMBER)
    if role_includes(opening.role, person):
        raise CannotOffer(OWNER_ALREADY)
    lock_row(session, current_club(session))
    if open_offer(session, workflow_name) is not None:
        raise CannotOffer(OFFERED_ALREADY)
    return open_case(session, workflow_name, person, by=by, now=now).id


def open_offer(session: ClubSession, workflow_name: str) -> Case | None:
    """Return the offer that waits for its answer, if there is one."""
    return session.execute(
        select(Case).where(Case.workflow == workflow_name, Case.turn != "").limit(1)
    ).scalar_one_or_none()
