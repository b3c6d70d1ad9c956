"""Confirmations by mail of irreversible actions: the address, and resending."""

from __future__ import annotations

from engine.clock import machine_now
from engine.club.people import masked_address
from engine.declare.registry import standing
from engine.declare.roles import Proof
from engine.security.rate_limits import FORM_LINK_MAILS, TooManyMails, hit
from engine.storage.models import Case
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.auth import Visitor
from web.http.security import client_address


def mailed_to(case: Case, met: Visitor) -> str:
    """Return the address at which the visitor's confirmation waits, "" if none does."""
    state = standing(case)
    if (
        met.you.id != case.person_id
        or met.proof == Proof.NOW
        or not any(act.proof == Proof.NOW for act in state.acts)
    ):
        return ""
    [letter] = [letter for letter in state.entry_letters if letter.asks]
    return (
        str(case.answers.get(letter.at, "")) if letter.at else masked_address(met.you.address or "")
    )


def count_resend(session: ClubSession, case: Case) -> None:
    """Count one more mail that is sent again.

    Raises: TooManyMails.
    """
    if services().settings.rate_limits and not hit(
        session, FORM_LINK_MAILS, f"{client_address()}:{case.id}", machine_now()
    ):
        raise TooManyMails
