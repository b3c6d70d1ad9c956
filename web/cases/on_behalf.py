"""Actions of the owner on behalf of a member; both names are in the history.

For a member who cannot read their mail, or who asked by word of mouth.
"""

from __future__ import annotations

from engine.cases.submissions import may_submit
from engine.declare.registry import all_workflows, is_offer
from engine.declare.roles import is_turn_of
from engine.declare.roles import person as the_person
from engine.declare.transition import Actor
from engine.declare.workflow import Workflow
from engine.storage.models import Case, Person
from engine.storage.states import PersonRole, PersonStatus
from web.http.auth import Visitor


def forms_for(you: Person, person: Person) -> list[type[Workflow]]:
    """Return the forms that the owner may submit for this person."""
    if you.role != PersonRole.OWNER or you.id == person.id:
        return []
    return [flow for flow in all_workflows() if flow.on_behalf and may_submit(flow, person)]


def may_act_for(you: Person, matter: Case) -> bool:
    """True while it is the person's turn.

    Later actions (sharing, resigning) are theirs alone, and so is the answer to an offer.
    """
    theirs = is_turn_of(matter.turn, the_person) and not is_offer(matter.workflow)
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
