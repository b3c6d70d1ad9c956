"""Who may do what in the life of the club, told once more: independently of the engine."""

from __future__ import annotations

from engine.declare.workflow import Act, State
from engine.storage.models import Case, Event, Person

CLOCKS_MOVES = {"due", "postponed", "resumed", "granted", "void", "held", "held_up"}
MOVES_DUE = {"postponed", "resumed", "held"}


def holds(role: str, actor: Person, case: Case) -> bool:
    concerned = actor.id == case.person_id
    decides = actor.status == "member" and not concerned
    return {
        "anyone": True,
        "person": concerned and actor.status not in ("departed", "erased"),
        "owner": decides and actor.role == "owner",
        "reviewer": decides and actor.role in ("owner", "admin"),
    }[role]


def fits(action: str, person: Person) -> bool:
    """What may be done after an end, and while what holds of whom."""
    member = person.status == "member"
    in_office = member and person.role == "admin"
    return {
        "readmit": person.status == "removed",
        "share": member,
        "retract": member,
        "step_down": in_office,
        "dismiss": in_office,
        "correct": person.role != "owner",
    }.get(action, True)


def votes(person: Person, case: Case) -> bool:
    """Return the electors of a nomination: members when the vote began, but the candidate
    and the owner."""
    if person.status != "member" or person.role == "owner" or person.id == case.person_id:
        return False
    since = person.registered_at or person.joined_at
    return since is not None and since <= case.entered_at


def may_hand_in(form: str, person: Person, cases: list[Case]) -> bool:
    """Which forms of their own a member may hand in now, and of which there is only one at a time."""
    if person.status != "member":
        return False
    if form == "new_name":
        return True
    if form in ("departure", "erasure"):
        return person.role != "owner"
    waits = any(
        case.workflow == form and case.person_id == person.id and case.turn for case in cases
    )
    return not waits and (form == "new_address" or person.role == "member")


def enters(event: Event) -> bool:
    """Does a round begin with it? An answer, a book that is named and a due time that moves stay in
    theirs."""
    return event.action not in (*MOVES_DUE, "answer", "held_up") and not (
        event.action == "choose" and event.from_state == event.to_state
    )


def declared(state: State, action: str) -> Act | None:
    return next((item for item in state.acts if item.action == action), None)
