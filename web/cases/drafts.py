"""Drafts of forms: saved by a button, or by the page's script while a person types."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from engine.cases.drafts import delete_draft, forget_fields, form_of, keep_draft
from engine.cases.transitions import Invalid
from engine.clock import machine_now
from engine.declare.fields import answers_of, form_for, too_long
from engine.declare.transition import Actor
from engine.declare.workflow import Act, Workflow
from engine.security.rate_limits import DRAFTS, hit
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app.services import services

ACTIONS = ("save", "discard")
TOO_OFTEN_SAVED = _(
    "Not saved: that was saved very often just now. Everything you typed is still here; "
    "please try again later."
)


class SavedTooOften(Exception):
    """A refused save; the page still holds the text."""


def press_draft(
    session: ClubSession,
    you: Person,
    flow: type[Workflow],
    names: tuple[str, ...],
    form: str,
    sent: MultiDict[str, str],
) -> None:
    """Save or discard a draft; a writing unit.

    A draft may be unfinished, but no longer than a form takes.

    Raises: Invalid.
    """
    if sent["action"] == "discard":
        delete_draft(session, you, form)
        return
    typed = form_for(flow, names)(sent)
    if wrong := too_long(typed):
        raise Invalid(wrong)
    if services().settings.rate_limits and not hit(session, DRAFTS, f"{you.id}", machine_now()):
        raise SavedTooOften
    answers = {name: value for name, value in answers_of(typed).items() if name not in flow.private}
    keep_draft(session, you, form, answers, services().clock.now())


def draft_act(offered: list[Act], actor: Actor) -> Act | None:
    """Return the action whose form has drafts: the first that its person submits."""
    return None if actor.on_behalf_of else next((item for item in offered if item.fill), None)


def discard_submitted(
    session: ClubSession, you: Person, case: Case, act: Act, *, whole: bool
) -> None:
    """Delete the submitted draft, or the fields that another action of the case has filled."""
    form = form_of("case", case.id)
    if whole:
        delete_draft(session, you, form)
    else:
        forget_fields(session, you, form, act.fill)
