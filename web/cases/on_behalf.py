"""Actions of the owner on behalf of a member; both names are in the history.

For a member who cannot read their mail, or who asked by word of mouth.
"""

from __future__ import annotations

from engine.cases.submissions import may_submit
from engine.declare.registry import is_offer, workflow
from engine.declare.transition import Actor
from engine.declare.workflow import Workflow
from engine.storage.models import Case, Person
from engine.storage.states import PersonRole, PersonStatus
from web.http.auth import Visitor

# What a person can say on the telephone in a sentence. An address is put right on their record; a
# nomination is one's own.
FORMS = ("new_name", "departure")


def forms_for(you: Person, person: Person) -> list[type[Workflow]]:
    """Return the forms that the owner may submit for this person."""
    if you.role != PersonRole.OWNER or you.id == person.id:
        return []
    return [flow for flow in map(workflow, FORMS) if may_submit(flow, person)]


def may_act_for(you: Person, matter: Case) -> bool:
    """True while it is the person's turn.

    Later actions (sharing, resigning) are theirs alone, and so is the answer to an offer.
    """
    theirs = "person" in matter.turn.split("|") and not is_offer(matter.workflow)
    return (
        theirs
        and you.role == PersonRole.OWNER
        and you.status == PersonStatus.MEMBER
        and you.id != matter.person_id
    )


def in_whose_name(met: Visitor, matter: Case, wanted: str) -> Actor:
    """Return the visitor as actor, or the owner on behalf of the person (``for=person``)."""
    if wanted != "person" or not may_act_for(met.you, matter):
        return Actor(met.you, "page", proof=met.proof)
    return Actor(met.you, "page", matter.person)
