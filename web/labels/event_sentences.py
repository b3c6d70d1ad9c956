"""The sentences of a history: who did what, or what happened by itself.

A house test asks that none is missing. Looked up as ``workflow.action>state``, ``workflow.action``,
``action>state``, ``action``; ``state`` is the one that the event led to.
"""

from __future__ import annotations

from engine.club.history import HistoryEntry
from engine.storage.models import Event
from engine.text.i18n import marked as _

# After a name; ``whose``: the person of the case.
DID = {
    "join.open": _("applied to join"),
    "nomination.open": _("stood for admin"),
    "new_name.open": _("changed the display name"),
    "new_address.open": _("asked for a new mail address"),
    "departure.open>asked": _("asked to leave the club"),
    "departure.open": _("left the club"),
    "departure.confirm": _("confirmed by mail and left the club"),
    "departure.confirm>erasing": _("confirmed by mail, left the club and wants everything erased"),
    "departure.withdraw": _("stays in the club"),
    "departure.open>erasing": _("left the club and wants everything erased"),
    "handover.open": _("offered the club to %(whose)s"),
    "confirm": _("confirmed the address"),
    "resend": _("had the confirmation mail sent again"),
    "new_address.confirm>unconfirmed": _("confirmed the change from the present mailbox"),
    "new_address.confirm>taken": _("confirmed the new address, but somebody else has it already"),
    "apply_again": _("filled in the application anew"),
    "study_plan.submit": _("handed in the study plan"),
    "reflection.submit": _("handed in the reflection"),
    "resubmit": _("changed it and handed it in again"),
    "join.approve": _("approved the application"),
    "study_plan.approve": _("approved the study plan"),
    "reflection.approve": _("approved the reflection"),
    "nomination.approve": _("agreed, so the members vote"),
    "return": _("returned it to %(whose)s for changes"),
    "join.decline": _("declined the application"),
    "nomination.decline": _("did not agree to the nomination"),
    "decline>returned": _("declined it; there is time left to hand in another"),
    "decline>overdue": _("declined it, with another chance to hand in"),
    "decline>removal_proposed": _("declined it; no chance was left, so removal is proposed"),
    "decline>not_pursued": _("declined it; no second removal is proposed beside the open one"),
    "join.withdraw": _("withdrew the application"),
    "nomination.withdraw": _("withdrew the nomination"),
    "new_address.withdraw": _("withdrew the change of address"),
    "handover.withdraw": _("took the offer back"),
    "answer": _("explained how it came"),
    "excuse": _("excused %(whose)s and dropped the proposal to remove"),
    "excuse>let_off": _("excused %(whose)s: nothing is due any more"),
    "extend": _("gave more time"),
    "remove": _("decided to remove %(whose)s"),
    "readmit": _("took %(whose)s back in"),
    "undo": _("took the earlier decision back"),
    "choose": _("named the book"),
    "choose>long_owed": _("named a big book, so there is more time"),
    "share": _("shared it with the members"),
    "retract": _("stopped sharing it"),
    "step_down": _("stepped down as admin"),
    "dismiss": _("dismissed %(whose)s as admin"),
    "correct": _("corrected the address"),
    "correct>taken": _("wanted to correct the address, but somebody else has it already"),
    "handover.accept": _("said yes to taking over the club"),
    "handover.confirm": _("confirmed by mail and took over the club"),
    "refuse": _("did not take over the club"),
}

# Sentences without an actor.
CAME = {
    "study_plan.open": _("After the approval the study plan began"),
    "reflection.open": _("The reading week began"),
    "nomination.open>in_office": _("Was an admin already when the club came here"),
    "due>overdue": _("Nothing came in by the due time; there is another chance"),
    "due>removal_proposed": _("Nothing came in and no chance was left; removal is proposed"),
    "due>not_pursued": _("The time ran out; it is not pursued"),
    "due>unread": _("It was not reviewed in time and counts as handed in"),
    "due>lapsed": _("The time ran out and it lapsed"),
    "new_address.due>lapsed": _("The new address was not confirmed in time; the old one stays"),
    "departure.due>lapsed": _("It was not confirmed by mail in time; the membership goes on"),
    "handover.due>lapsed": _("No answer came in time"),
    "due>forgotten": _("The address was never confirmed, so the application was erased"),
    "due>withdrawn": _("It did not come back in time and counts as withdrawn"),
    "due>elected": _("The vote ended: elected"),
    "due>rejected": _("The vote ended: not elected"),
    "due>too_few": _("The vote ended: too few voted"),
    "due>erased": _("Name, address and words were erased"),
    "due>void": _("They came back, so nothing is erased"),
    "granted": _("Nobody else was there to decide, so it was granted"),
    "postponed": _("The mail about it left late, so the due time moved"),
    "held": _("A removal is proposed, so this waits until it is decided"),
    "held_up": _("The next reading week did not begin, because this was still open"),
    "resumed": _("The club came back from its break, and the due time moved"),
    "void": _("It no longer applies"),
}


def came_about(workflow: str, deed: HistoryEntry | Event) -> str:
    """Return the sentence if it needs no name, else ""."""
    return CAME.get(found_under(workflow, deed.action, deed.to_state), "")


def did(workflow: str, deed: HistoryEntry | Event) -> str:
    """Return the words after a name.

    A history outlives its declaration: an action that is gone has no words of its own.
    """
    return DID.get(found_under(workflow, deed.action, deed.to_state), _("dealt with it"))


def found_under(workflow: str, action: str, state: str) -> str:
    """Return the key of the words, "" if there are none."""
    keys = (f"{workflow}.{action}>{state}", f"{workflow}.{action}", f"{action}>{state}", action)
    return next((key for key in keys if key in CAME or key in DID), "")
