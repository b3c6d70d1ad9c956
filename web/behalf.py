"""The owner acts for a member who cannot get at their mail; both names stand in the history."""

from __future__ import annotations

from engine.models import Case, Person
from engine.registry import is_offer
from engine.step import Hand
from web.access import Visitor


def may_act_for(you: Person, matter: Case) -> bool:
    """While it is the person's turn; what somebody may still do after an end (sharing, stepping down) is theirs alone, and so is
    the answer to an offer."""
    theirs = "person" in matter.turn.split("|") and not is_offer(matter.workflow)
    return theirs and you.role == "owner" and you.status == "member" and you.id != matter.person_id


def in_whose_name(met: Visitor, matter: Case, wanted: str) -> Hand:
    """The visitor's own hand, or the owner's for the person concerned where that was asked for (``for=person``)."""
    if wanted != "person" or not may_act_for(met.you, matter):
        return Hand(met.you, "page")
    return Hand(met.you, "page", matter.person)
