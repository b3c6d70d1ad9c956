"""What joining and leaving do to a person: effects that declarations name, run in the commit of
their step."""

from __future__ import annotations

from engine.cases.erasure import erase_person, forget_case
from engine.cases.member_links import revoke_links
from engine.cases.offers import open_existing_offices
from engine.cases.open_cases import open_cases_of
from engine.cases.transitions import act
from engine.club.context import current_owner, forget_officers
from engine.club.people import address_hash
from engine.declare.registry import workflow
from engine.declare.transition import CLOCK, Transition
from engine.outbox.queue import requeue_after_address_change
from engine.storage.models import Person
from engine.storage.states import PersonRole, PersonStatus


def await_decision(transition: Transition) -> None:
    """Under review nobody is a member yet; an approval that was taken back is undone here (clause
    2.1)."""
    person = transition.person
    person.name = transition.case.answers["name"]
    if (
        person.status == PersonStatus.MEMBER and "status_before" in transition.case.data
    ):  # else they came in another way meanwhile
        person.status = PersonStatus(transition.case.data["status_before"])
        person.role = PersonRole.MEMBER
        person.joined_at = person.registered_at = None
        forget_officers(transition.session)
        _drop_open_cases(transition, person)  # also what the calendar opened meanwhile


def enrol(transition: Transition) -> None:
    """The applicant becomes a member (clause 2.2); the charter ticked in the form counts as
    acknowledged."""
    person, answers = transition.person, transition.case.answers
    transition.case.data = {**transition.case.data, "status_before": str(person.status)}
    person.status, person.role = PersonStatus.MEMBER, PersonRole.MEMBER
    person.joined_at = person.registered_at = transition.now
    person.name = answers["name"]
    person.display_name = f"{answers['city']}+{answers['name']}"
    person.charter_version = transition.case.data["charter_version"]
    person.charter_acknowledged_at = transition.case.opened_at


def remove(transition: Transition) -> None:
    """The member is out: their links die, and every other open case of theirs falls away through
    the door."""
    _leave_club(transition, PersonStatus.REMOVED)
    transition.person.removed_at = transition.now


def readmit(transition: Transition) -> None:
    """The owner takes somebody removed back in (clause 2.3); their old links stay dead."""
    person = transition.person
    person.status, person.role = PersonStatus.MEMBER, PersonRole.MEMBER
    person.registered_at = transition.now
    _drop_open_cases(transition, person)  # an application that is under way has become needless


def depart(transition: Transition) -> None:
    """The member leaves (clause 2.2); their links die, what was open falls away."""
    _leave_club(transition, PersonStatus.DEPARTED)


def erase(transition: Transition) -> None:
    """Address, names and words of somebody who left go (charter, decided rules; GDPR art. 17)."""
    _drop_open_cases(
        transition, transition.person
    )  # an application that anybody may have handed in
    transition.session.flush()
    erase_person(transition.session, transition.person)
    transition.event.note, transition.event.answers = "", {}


def take_office(transition: Transition) -> None:
    transition.person.role = PersonRole.ADMIN
    forget_officers(transition.session)


def leave_office(transition: Transition) -> None:
    transition.person.role = PersonRole.MEMBER
    forget_officers(transition.session)


def transfer_ownership(transition: Transition) -> None:
    """One owner at a time: whoever had the club before is an admin from here on. The owner owes
    nothing, so what was open ends."""
    before = current_owner(transition.session)
    before.role, before.away_until = PersonRole.ADMIN, None
    transition.event.answers = {"before": str(before.id)}
    transition.session.flush()  # the database knows one owner only
    transition.person.role = PersonRole.OWNER
    forget_officers(transition.session)
    _drop_open_cases(transition, transition.person)
    open_existing_offices(transition.session, before, transition.now)


def change_address(transition: Transition) -> None:
    """Mail goes to the confirmed address from here on; links that were mailed to the old one die."""
    person, address = transition.person, transition.case.answers["email"]
    transition.case.answers = {**transition.case.answers, "old_address": person.address}
    person.address, person.address_hash, person.mail_trouble = (
        address,
        address_hash(transition.club, address),
        "",
    )
    revoke_links(transition.session, person)
    requeue_after_address_change(transition.session, person, transition.now)


def rename(transition: Transition) -> None:
    """The display name is city+name (clause 2.2)."""
    person, answers = transition.person, transition.case.answers
    transition.case.data = {**transition.case.data, "name_before": person.display_name}
    person.name, person.display_name = answers["name"], f"{answers['city']}+{answers['name']}"


def forget(transition: Transition) -> None:
    """An application that was never confirmed is erased, and its person with it (clause 2.1)."""
    forget_case(transition.session, transition.case)
    transition.event.answers = {}


def _leave_club(transition: Transition, status: PersonStatus) -> None:
    person = transition.person
    person.status, person.role = status, PersonRole.MEMBER
    revoke_links(transition.session, person)
    forget_officers(transition.session)
    _drop_open_cases(transition, person)


def _drop_open_cases(transition: Transition, person: Person) -> None:
    for case in open_cases_of(transition.session, person):
        if case.id != transition.case.id and not workflow(case.workflow).outlives_member:
            act(transition.session, case, "void", by=CLOCK, now=transition.now)
