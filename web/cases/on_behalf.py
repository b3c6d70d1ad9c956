"""The owner acts for a member who cannot get at their mail, or asked by word of mouth; both names
stand in the history."""

from __future__ import annotations

from engine.cases.submissions import may_submit
from engine.declare.registry import is_offer, workflow
from engine.declare.transition import Actor
from engine.declare.workflow import Workflow
from engine.storage.models import Case, Person
from engine.storage.states import PersonRole, PersonStatus
from web.http.auth import Visitor

# What somebody says on the telephone in a sentence. An address is put right on their record; a
# nomination is one's own.
FORMS = ("new_name", "departure")


def forms_for(you: Person, person: Person) -> list[type[Workflow]]:
    """The forms that you, the owner, may hand in for this person."""
    if you.role != PersonRole.OWNER or you.id == person.id:
        return []
    return [flow for flow in map(workflow, FORMS) if may_submit(flow, person)]


def may_act_for(you: Person, matter: Case) -> bool:
    """While it is the person's turn; what somebody may still do after an end (sharing, stepping
    down) is theirs alone, and so is the answer to an offer."""
    theirs = "person" in matter.turn.split("|") and not is_offer(matter.workflow)
    return (
        theirs
        and you.role == PersonRole.OWNER
        and you.status == PersonStatus.MEMBER
        and you.id != matter.person_id
    )


def in_whose_name(met: Visitor, matter: Case, wanted: str) -> Actor:
    """The visitor's own hand, or the owner's for the person concerned where that was asked for
    (``for=person``)."""
    if wanted != "person" or not may_act_for(met.you, matter):
        return Actor(met.you, "page", proof=met.proof)
    return Actor(met.you, "page", matter.person)
