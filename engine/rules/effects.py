"""What joining and leaving do to a person: effects that declarations name, run in the commit of their step."""

from __future__ import annotations

from engine.cases.erasure import erase_person, forget_case
from engine.cases.member_links import cut_links
from engine.cases.offers import open_held
from engine.cases.transitions import act, open_cases_of
from engine.club.context import offices_changed, owner_at_hand
from engine.club.people import address_hash
from engine.declare.registry import workflow
from engine.declare.transition import CLOCK, Step
from engine.outbox.queue import write_anew
from engine.storage.models import Person


def await_decision(step: Step) -> None:
    """Under review nobody is a member yet; an approval that was taken back is undone here (clause 2.1)."""
    person = step.person
    person.name = step.case.answers["name"]
    if person.status == "member" and "status_before" in step.case.data:  # else they came in another way meanwhile
        person.status, person.role = step.case.data["status_before"], "member"
        person.joined_at = person.registered_at = None
        offices_changed(step.session)
        _drop_open_cases(step, person)  # also what the calendar opened meanwhile


def enrol(step: Step) -> None:
    """The applicant becomes a member (clause 2.2); the charter ticked in the form counts as acknowledged."""
    person, answers = step.person, step.case.answers
    step.case.data = {**step.case.data, "status_before": person.status}
    person.status, person.role = "member", "member"
    person.joined_at = person.registered_at = step.now
    person.name = answers["name"]
    person.display_name = f"{answers['city']}+{answers['name']}"
    person.charter_version = step.case.data["charter_version"]
    person.charter_acknowledged_at = step.case.opened_at


def remove(step: Step) -> None:
    """The member is out: their links die, and every other open case of theirs falls away through the door."""
    _out(step, "removed")
    step.person.removed_at = step.now


def readmit(step: Step) -> None:
    """The owner takes somebody removed back in (clause 2.3); their old links stay dead."""
    person = step.person
    person.status, person.role, person.registered_at = "member", "member", step.now
    _drop_open_cases(step, person)  # an application that is under way has become needless


def depart(step: Step) -> None:
    """The member leaves (clause 2.2); their links die, what was open falls away."""
    _out(step, "departed")


def erase(step: Step) -> None:
    """Address, names and words of somebody who left go (charter, decided rules; GDPR art. 17)."""
    _drop_open_cases(step, step.person)  # an application that anybody may have handed in
    step.session.flush()
    erase_person(step.session, step.person)
    step.event.note, step.event.answers = "", {}


def take_office(step: Step) -> None:
    step.person.role = "admin"
    offices_changed(step.session)


def leave_office(step: Step) -> None:
    step.person.role = "member"
    offices_changed(step.session)


def take_over(step: Step) -> None:
    """One owner at a time: whoever had the club before is an admin from here on. The owner owes nothing, so what was open ends."""
    before = owner_at_hand(step.session)
    before.role, before.away_until = "admin", None
    step.event.answers = {"before": str(before.id)}
    step.session.flush()  # the database knows one owner only
    step.person.role = "owner"
    offices_changed(step.session)
    _drop_open_cases(step, step.person)
    open_held(step.session, before, step.now)


def readdress(step: Step) -> None:
    """Mail goes to the confirmed address from here on; links that were mailed to the old one die."""
    person, address = step.person, step.case.answers["email"]
    step.case.answers = {**step.case.answers, "old_address": person.address}
    person.address, person.address_hash, person.mail_trouble = address, address_hash(step.club, address), ""
    cut_links(step.session, person)
    write_anew(step.session, person, step.now)


def rename(step: Step) -> None:
    """The display name is city+name (clause 2.2)."""
    person, answers = step.person, step.case.answers
    step.case.data = {**step.case.data, "name_before": person.display_name}
    person.name, person.display_name = answers["name"], f"{answers['city']}+{answers['name']}"


def forget(step: Step) -> None:
    """An application that was never confirmed is erased, and its person with it (clause 2.1)."""
    forget_case(step.session, step.case)
    step.event.answers = {}


def _out(step: Step, status: str) -> None:
    person = step.person
    person.status, person.role = status, "member"
    cut_links(step.session, person)
    offices_changed(step.session)
    _drop_open_cases(step, person)


def _drop_open_cases(step: Step, person: Person) -> None:
    for case in open_cases_of(step.session, person):
        if case.id != step.case.id and not workflow(case.workflow).outlives_member:
            act(step.session, case, "void", by=CLOCK, now=step.now)
