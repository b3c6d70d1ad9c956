"""What joining and leaving do to a person: effects that declarations name, run in the commit of their step."""

from __future__ import annotations

from sqlalchemy import delete

from engine.erasure import forget_case
from engine.models import Person, WebSession
from engine.registry import workflow
from engine.run import act, open_cases_of
from engine.step import CLOCK, Step


def await_decision(step: Step) -> None:
    """Under review nobody is a member yet; an approval that was taken back is undone here (clause 2.1)."""
    person = step.person
    person.name = step.case.answers["name"]
    if person.status == "member" and "status_before" in step.case.data:  # else they came in another way meanwhile
        person.status = step.case.data["status_before"]
        person.joined_at = person.registered_at = None


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
    person = step.person
    person.status, person.removed_at, person.role = "removed", step.now, "member"
    person.link_epoch += 1
    step.session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    _drop_open_cases(step, person)


def forget(step: Step) -> None:
    """An application that was never confirmed is erased, and its person with it (clause 2.1)."""
    forget_case(step.session, step.case)
    step.event.answers = {}


def _drop_open_cases(step: Step, person: Person) -> None:
    for case in open_cases_of(step.session, person):
        if case.id != step.case.id and not workflow(case.workflow).outlives_member:
            act(step.session, case, "void", by=CLOCK, now=step.now)
