"""Limits on acts that leave a case in its state: each of them sends a mail."""

from __future__ import annotations

from engine.clock import machine_now
from engine.declare.targets import Stay
from engine.declare.workflow import Act
from engine.security.rate_limits import REPEATED_ACTS, TooManyMails, hit
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.cases import drafts, member_form
from web.http.security import MAILBOX_FULL


class RepeatedTooOften(Exception):
    """The day's limit is used up; nothing was stored and the page still holds the text."""


# Every limit that a press on the case page may reach, and what the page then says.
_WORDS: dict[type[Exception], str] = {
    drafts.SavedTooOften: drafts.TOO_OFTEN_SAVED,
    RepeatedTooOften: member_form.TOO_OFTEN,
    TooManyMails: MAILBOX_FULL,
}
TOO_OFTEN = tuple(_WORDS)


def words_of(often: Exception) -> str:
    """Return what the page says of a limit that is used up, a word of the catalogue."""
    return _WORDS[type(often)]


def count_repeated(session: ClubSession, act: Act, you: Person, case: Case) -> None:
    """Count one more of such acts by this person in this case.

    Raises:
        RepeatedTooOften: the day's limit is used up.
    """
    if not isinstance(act.to, Stay) or not services().settings.rate_limits:
        return
    if not hit(session, REPEATED_ACTS, f"{you.id}:{case.id}", machine_now()):
        raise RepeatedTooOften
