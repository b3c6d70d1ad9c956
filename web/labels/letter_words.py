"""What a letter is about and its fate, in words for officers."""

from engine.declare.registry import workflow
from engine.text.i18n import marked as _

# Letters that are about no workflow.
CLUB_LETTERS = {
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


def letter_text(name: str) -> str:
    """Say what a letter (``study_plan.please_write``) is about; empty for an unknown one."""
    place, _dot, letter = name.partition(".")
    return CLUB_LETTERS.get(name) or workflow(place).wording.letters.get(letter, "")
