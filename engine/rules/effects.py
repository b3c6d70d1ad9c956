"""Effects of joining and leaving on a person, run in the commit of their transition."""

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
    """Make the person an applicant; also undoes an approval (clause 2.1)."""
    person = transition.person
    person.name = transition.case.answers["name"]
    if (
        person.status == PersonStatus.MEMBER and "status_before" in transition.case.data
    ):  # Else they came in another way meanwhile.
        person.status = PersonStatus(transition.case.data["status_before"])
        person.role = PersonRole.MEMBER
        person.joined_at = person.registered_at = None
        forget_officers(transition.session)
        _drop_open_cases(transition, person)  # Also what the calendar opened meanwhile.


def enrol(transition: Transition) -> None:
    """Make the applicant a member (clause 2.2).

    The charter ticked in the form counts as acknowledged.
    """
    person, answers = transition.person, transition.case.answers
    transition.case.data = {**transition.case.data, "status_before": str(person.status)}
    person.status, person.role = PersonStatus.MEMBER, PersonRole.MEMBER
    person.joined_at = person.registered_at = transition.now
    person.name = answers["name"]
    person.display_name = f"{answers['city']}+{answers['name']}"
    person.charter_version = transition.case.data["charter_version"]
    person.charter_acknowledged_at = transition.case.opened_at


def remove(transition: Transition) -> None:
    """Remove the member: revoke their links and void their other open cases."""
    _leave_club(transition, PersonStatus.REMOVED)
    transition.person.removed_at = transition.now


def readmit(transition: Transition) -> None:
    """Make a removed person a member again (clause 2.3); old links stay revoked."""
    person = transition.person
    person.status, person.role = PersonStatus.MEMBER, PersonRole.MEMBER
    person.registered_at = transition.now
    _drop_open_cases(transition, person)  # An open application is not needed any more.


def depart(transition: Transition) -> None:
    """Make the member a departed person (clause 2.2): revoke links, void open cases."""
    _leave_club(transition, PersonStatus.DEPARTED)


def erase(transition: Transition) -> None:
    """Erase address, names and words of a departed person.

    Charter, decided rules; GDPR art. 17.
    """
    _drop_open_cases(
        transition, transition.person
    )  # An application that anyone may have submitted.
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
    """Make the person owner and the former owner an admin.

    The owner owes nothing, so their open duties become void.
    """
    before = current_owner(transition.session)
    before.role, before.away_until = PersonRole.ADMIN, None
    transition.event.answers = {"before": str(before.id)}
    transition.session.flush()  # The database allows one owner only.
    transition.person.role = PersonRole.OWNER
    forget_officers(transition.session)
    _drop_open_cases(transition, transition.person)
    open_existing_offices(transition.session, before, transition.now)


def change_address(transition: Transition) -> None:
    """Set the confirmed address, and revoke links mailed to the old one."""
    person, address = transition.person, transition.case.answers["email"]
    transition.case.answers = {**transition.case.answers, "old_address": person.address}
    person.address = address
    person.address_hash = address_hash(transition.club, address)
    person.mail_trouble = ""
    revoke_links(transition.session, person)
    requeue_after_address_change(transition.session, person, transition.now)


def rename(transition: Transition) -> None:
    """Set the display name, city+name (clause 2.2)."""
    person, answers = transition.person, transition.case.answers
    transition.case.data = {**transition.case.data, "name_before": person.display_name}
    person.name, person.display_name = answers["name"], f"{answers['city']}+{answers['name']}"


def forget(transition: Transition) -> None:
    """Erase an application that was never confirmed, with its person (clause 2.1)."""
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
