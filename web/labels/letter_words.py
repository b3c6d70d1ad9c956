"""What a letter is about and its fate, in words for officers."""

from engine.text.i18n import marked as _

# By the part of its name behind the workflow; ``workflow.letter`` goes before ``letter``.
LETTERS = {
    "please_write": _("asks for it"),
    "please_read": _("asks for it"),
    "not_opened": _("this week does not begin"),
    "due_moved": _("a big book: the due time has moved"),
    "due_soon": _("reminder before the due time"),
    "second_chance": _("another chance"),
    "last_call": _("last reminder"),
    "please_decide": _("asks for a decision"),
    "please_revise": _("returned for changes"),
    "revise_soon": _("reminder to hand it in again"),
    "plan_accepted": _("approved"),
    "reflection_accepted": _("approved"),
    "counts_as_sent": _("counts as handed in"),
    "not_looked_at": _("nobody decided in time"),
    "please_decide_removal": _("asks to decide on a removal"),
    "removal_proposed": _("says that a removal is proposed"),
    "person_answered": _("their answer"),
    "removed": _("removed"),
    "remove_from_group": _("asks to take somebody out of the group"),
    "add_to_group": _("asks to take somebody into the group"),
    "renamed": _("the new display name is valid"),
    "rename_in_group": _("asks to rename somebody in the group"),
    "readmitted": _("taken back in"),
    "excused": _("excused"),
    "let_off": _("excused this time"),
    "study_plan.let_off": _("excused, no plan is due"),
    "not_pursued": _("the proposal is dropped"),
    "removal_not_pursued": _("the proposal is dropped"),
    "taken_back": _("a decision was taken back"),
    "your_link": _("the link to the form"),
    "please_confirm": _("asks to confirm it by mail"),
    "confirm_address": _("asks to confirm the address"),
    "confirm_new_address": _("asks to confirm the new address"),
    "address_changed": _("to the new address: it is valid"),
    "address_was_changed": _("to the old address: it was changed"),
    "address_taken": _("the address is taken"),
    "address_kept": _("the address stays as it is"),
    "welcome": _("welcome"),
    "already_member": _("is a member already"),
    "already_waiting": _("is under review already"),
    "declined": _("declined"),
    "lapsed": _("lapsed"),
    "lapsed_undecided": _("lapsed undecided"),
    "withdrawn": _("withdrawn"),
    "was_withdrawn": _("was withdrawn"),
    "vote_begun": _("the vote has begun"),
    "please_vote": _("asks for a vote"),
    "vote_soon": _("the vote closes soon"),
    "elected": _("elected"),
    "not_elected": _("not elected"),
    "stepped_down": _("stepped down"),
    "dismissed": _("dismissed"),
    "farewell": _("farewell"),
    "please_take_over": _("asks to take over the club"),
    "take_over_soon": _("reminder to answer the offer"),
    "new_owner": _("the club has a new owner"),
    "was_refused": _("the offer was not accepted"),
    "was_not_answered": _("no answer came to the offer"),
    "club.paused": _("the club takes a break"),
    "club.resumed": _("the club is back"),
    "club.daily": _("the daily letter"),
    "club.receipt": _("receipt for decisions"),
    "club.sign_in": _("link to sign in"),
    "club.imported": _("welcome, with the charter to acknowledge"),
    "club.your_page": _("link to their page"),
}

STATES = {
    "queued": _("waiting to leave"),
    "claimed": _("on its way"),
    "transmitting": _("on its way"),
    "sent": _("sent"),
    "failed": _("did not arrive"),
    "dropped": _("not sent: no longer needed"),
    "held": _("held back"),
}

# The results of ``mailers.smtp.reply.meaning``, and what to do about them.
MEANINGS = {
    "unknown_user": _(
        "There is no such mailbox. Ask the member another way, and correct the address."
    ),
    "refused_address": _(
        "The provider does not take mail for this address. Ask the member another way, or "
        "correct the address."
    ),
    "too_fast": _(
        "The provider finds that we send too much at once. It goes out by itself, more slowly."
    ),
    "busy": _("This mailbox gets too much mail just now. It goes out by itself, more slowly."),
    "greylisted": _(
        "The recipient's server turns a sender away once before it takes the mail "
        "(greylisting). That is usual: it goes out by "
        "itself in some minutes."
    ),
    "date": _(
        "The server does not accept the date of the letter. It is written once more with "
        "today's date and goes out by itself; if "
        "it comes back again, the clock of our machine is wrong."
    ),
    "used_up": _(
        "The mailbox that the club writes from has sent all it may today. It goes out by "
        "itself as soon as it may."
    ),
    "too_big": _("The provider finds the letter too big. Tell whoever looks after the server."),
    "no_relay": _(
        "Our mail server passes nothing on without a login. Put the mail account right: "
        "then it goes out by itself."
    ),
    "refused_words": _(
        "The provider refused the letter itself, as it does with what looks like "
        "advertising. The address is fine: try again later."
    ),
    "channel": _("Our mail account was refused. Every letter waits until it is put right."),
    "later": _("The provider asks us to come back later. It is tried again by itself."),
    "silent": _(
        "The provider did not answer in time. It is tried again by itself, and may arrive twice."
    ),
    "ours": _(
        "The letter could not be written or handed over: a fault of this program. Tell "
        "whoever looks after the server."
    ),
}

# Of one person.
STANDING = {
    "applicant": _("Applicant"),
    "departed": _("has left"),
    "removed": _("was removed"),
    "refused_mail": _("wants no mail"),
    "erased": _("erased"),
}
RANKS = {"owner": _("Owner"), "admin": _("Admin"), "member": _("Member")}
