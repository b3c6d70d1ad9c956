"""The newest letters to a member: about what, their fate, and why they were sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.declare.registry import label_of, workflow
from engine.reports.member_record import LetterToPerson, letters_to
from engine.storage.models import Club, Person
from engine.storage.states import PersonRole
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.auth import link_for, read_token
from web.http.i18n import case_label, gettext, state_word
from web.member.auth import Page, member, own, own_page

SHOWN = 50

# A letter without a state: what it is, and why it was sent.
KINDS = {
    "sign_in": (_("A link to sign in"), _("This address was entered on the sign-in page.")),
    "your_link": (_("A link to a form"), _("This address was entered on a form page.")),
    "fresh_link": (_("The link to a copy of your data"), _("A copy was asked for on your page.")),
    "your_page": (_("A link to your page"), _("The owner or an admin had it sent to you.")),
    "new_links": (_("New links"), _("You said that a link of yours had got out.")),
    "imported": (_("Welcome"), _("The owner entered you as a member.")),
    "daily": (_("The daily letter"), _("Matters wait for you, as owner or admin.")),
    "receipt": (
        _("What you decided"),
        _("You decided something; the letter says what can still be taken back."),
    ),
    "already_member": (
        _("You are a member already"),
        _("This address was entered on the application form."),
    ),
    "already_waiting": (
        _("Your application is on its way"),
        _("This address was entered on the application form."),
    ),
}
OTHER = (_("A letter of the club"), _("The club's rules ask for it."))

STATES = {
    "queued": _("on its way"),
    "claimed": _("on its way"),
    "transmitting": _("on its way"),
    "sent": _("taken by your mail server"),
    "failed": _("could not be delivered"),
    "dropped": _("not sent: no longer needed"),
    "held": _("held back by the owner"),
}


@dataclass(frozen=True)
class LetterRow:
    title: str
    kind: str
    why: str
    clause: str
    state: str
    at: datetime
    url: str


@member.get("/me/<token>/letters")
def member_letters_page(token: str) -> Page:
    link = read_token(token)
    with services().db.read() as session:
        met = own(session, link)
        found = letters_to(session, met.you, SHOWN)
    return own_page(
        "letters", token, rows=[_row(met.club, met.you, told) for told in found], most=SHOWN
    )


def _row(club: Club, you: Person, told: LetterToPerson) -> LetterRow:
    letter, case = told.letter, told.case
    kind, why = _kind_and_why(told)
    clause = workflow(case.workflow).clause_of(told.event.to_state) if case and told.event else ""
    opens = case is not None and (
        case.person_id == you.id
        or you.role in (PersonRole.OWNER, PersonRole.ADMIN)
        or "electors" in case.data
    )
    return LetterRow(
        title=case_label(case)
        if case
        else gettext(label_of(letter.name))
        if label_of(letter.name)
        else club.name,
        kind=gettext(kind),
        why=why,
        clause=clause,
        state=gettext(STATES[letter.state]),
        at=letter.settled_at or letter.created_at,
        url=link_for(club, you, "case", case.id) if case and opens else "",
    )


def _kind_and_why(told: LetterToPerson) -> tuple[str, str]:
    """Return what the letter is, and the state or deadline that caused it."""
    letter = told.letter
    case = told.case
    event = told.event
    if case is None or event is None:
        kind, why = KINDS.get(letter.name.partition(".")[2], OTHER)
        return kind, gettext(why)
    state = state_word(case.workflow, event.to_state)
    if letter.data.get("reminder"):
        return _("Reminder"), gettext("Its due time came near: %(state)s.", state=state)
    if letter.asks:
        return _("Something for you to do"), gettext("It became your turn: %(state)s.", state=state)
    return _("News"), gettext("There was news. Since then: %(state)s.", state=state)
