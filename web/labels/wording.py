"""The words of states, actions and events on pages.

A house test asks that every declared one has a word here.
"""

from engine.text.i18n import marked as _

# ``workflow.state`` goes before ``state``.
STATES = {
    "unconfirmed": _("Address to be confirmed"),
    "review": _("Under review"),
    "returned": _("Returned for changes"),
    "approved": _("Approved"),
    "declined": _("Declined"),
    "lapsed": _("Lapsed"),
    "withdrawn": _("Withdrawn"),
    "forgotten": _("Never confirmed, so erased"),
    "void": _("No longer applies"),
    "owed": _("To be handed in"),
    "overdue": _("Overdue, second chance"),
    "removal_proposed": _("Removal proposed"),
    "removed": _("Removed"),
    "excused": _("Excused"),
    "not_pursued": _("Dropped"),
    "accepted": _("Approved"),
    "unread": _("Counts as handed in"),
    "readmitted": _("Taken back in"),
    "long_owed": _("To be handed in, a big book"),
    "shared": _("Approved, shared with the members"),
    "let_off": _("Excused this time"),
    "study_plan.let_off": _("Excused: no plan is due"),
    "vote": _("The members vote"),
    "elected": _("Elected"),
    "in_office": _("In office"),
    "stepped_down": _("Stepped down"),
    "dismissed": _("Dismissed from office"),
    "rejected": _("Not elected"),
    "too_few": _("Not elected: too few voted"),
    "departed": _("Left the club"),
    "erasing": _("Left the club, to be erased"),
    "erased": _("Erased"),
    "moved": _("Changed"),
    "taken": _("Not changed: the address is taken"),
    "renamed": _("Changed"),
    "offered": _("Offered, waiting for the answer"),
    "taken_over": _("Taken over"),
    "refused": _("Not accepted"),
    "handover.lapsed": _("No answer came"),
    "asked": _("To be confirmed by mail"),
    "handover.accepted": _("To be confirmed by mail"),
}

# The words on a button. ``workflow.state.action`` goes before ``action``.
ACTIONS = {
    "confirm": _("Yes, this is my address"),
    "apply_again": _("Apply again"),
    "approve": _("Approve"),
    "return": _("Return for changes"),
    "decline": _("Decline"),
    "resubmit": _("Hand in again"),
    "submit": _("Hand in"),
    "withdraw": _("Withdraw"),
    "answer": _("Send my answer"),
    "excuse": _("Excuse"),
    "extend": _("Give more time"),
    "remove": _("Remove from the club"),
    "undo": _("Take my decision back"),
    "acknowledge": _("I have read the charter"),
    "choose": _("Name my book"),
    "share": _("Share it with the members"),
    "retract": _("Stop sharing it"),
    "readmit": _("Take back in"),
    "vote": _("Cast my vote"),
    "step_down": _("Step down"),
    "dismiss": _("Dismiss from office"),
    "accept": _("Yes, I take it over"),
    "refuse": _("No, thank you"),
    "correct": _("Correct the address"),
    "resend": _("Send the mail again"),
    "departure.asked.confirm": _("Yes, I leave the club"),
    "new_address.asked.confirm": _("Yes, change my address"),
    "handover.accepted.confirm": _("Yes, I am the owner from now on"),
}

# The choices of a ballot.
CHOICES = {"yes": _("Yes"), "no": _("No")}

# Actions that ask for a confirmation.
DANGEROUS = frozenset({"decline", "remove", "dismiss", "step_down"})
# The action that a page offers first.
MAIN = frozenset({"approve", "confirm", "submit", "resubmit", "vote", "accept"})

# Seconds, then: one ahead, several ahead, one ago, several ago.
SPANS = (
    (86400, _("in one day"), _("in %(n)s days"), _("one day ago"), _("%(n)s days ago")),
    (3600, _("in one hour"), _("in %(n)s hours"), _("one hour ago"), _("%(n)s hours ago")),
    (60, _("in a minute"), _("in %(n)s minutes"), _("a minute ago"), _("%(n)s minutes ago")),
)
