"""The case page: the case, its history, and this person's actions now.

The target of every link about a case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import Form

from engine.cases.drafts import draft_of, form_of
from engine.cases.transitions import Invalid, NotAllowed, Stale, act
from engine.cases.votes import ballot_for, vote
from engine.club.context import charter_numbers, current_club
from engine.club.history import HistoryEntry, changed_since_last, history
from engine.club.people import same_mailbox
from engine.club.permissions import acts_for, may_read_private, may_read_words, may_see
from engine.declare.fields import (
    answers_of,
    clean_note,
    form_for,
    labels_of,
    written_answers,
)
from engine.declare.registry import state_of, workflow
from engine.declare.targets import arrows
from engine.declare.transition import Actor, undo_ends
from engine.declare.workflow import Act, Workflow, anyone
from engine.security.links import Link
from engine.storage.models import Case, Draft, Event
from engine.storage.states import PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import foreign_domain
from engine.text.i18n import marked as _
from engine.text.text_diff import Piece
from mailers.letters.compose import Words
from web.app.services import services
from web.cases import drafts, member_form, review_queue
from web.cases.confirmations import count_resend, mailed_to
from web.cases.letter_preview import preview_letters
from web.cases.on_behalf import in_whose_name, may_act_for
from web.cases.repeated import TOO_OFTEN, count_repeated, words_of
from web.cases.repeats import is_same_submission
from web.cases.second_look import OnceMore, once_more_page, with_second_look
from web.http.auth import Visitor, read_token, token_for, visitor
from web.http.unsaved_input import by_script, line_of_page
from web.public import sign_in

case = Blueprint("case", __name__)

Page = str | Response | tuple[str, int]
# Kinds of links that lead to no case.
SHOWN: dict[str, Callable[[Link, str], Page]] = {
    "desk": sign_in.confirm_page,
    "form": member_form.member_form_page,
    "confirm_form": member_form.member_form_page,
    "waiting": review_queue.review_queue_page,
}
PRESSED: dict[str, Callable[[Link, str], Page]] = {
    "desk": sign_in.confirm,
    "form": member_form.press_member_form,
    "confirm_form": member_form.press_member_form,
    "waiting": review_queue.press_review_queue,
}
FASTER = _("Nothing was changed: in the meantime this has moved on.")
NOT_YOURS = _("This is not open to you any more. Nothing was changed.")


@dataclass
class Offer:
    """An action as the page shows it: a button, with a form if it fills fields.

    ``draft``: the person's saved input; ``keeps``: True if it can be saved.
    """

    act: Act
    form: Form | None
    draft: Draft | None = None
    keeps: bool = False


@dataclass
class Typed:
    """Refused input, shown again with its errors, or with a preview of the mail."""

    form: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: dict[str, str] = field(default_factory=dict)
    message: str = ""
    event: Event | None = None
    letters: list[Words] | None = None


@case.get("/c/<path:token>")
def case_page(token: str) -> Page:
    link = read_token(token)
    other = SHOWN.get(link.kind)
    return other(link, token) if other else _render_case(link, token, Typed())


@case.post("/c/<path:token>")
def press_case(token: str) -> Page:
    link = read_token(token)
    other = PRESSED.get(link.kind)
    if other:
        return other(link, token)
    page = _pressed(link, token)
    return line_of_page(page) if by_script() and request.form.get("action") == "save" else page


def _pressed(link: Link, token: str) -> Page:
    typed = Typed(request.form)
    try:
        if "preview" in request.form:
            typed.letters = preview_letters(_press, link, token, request.form)
            return _render_case(link, token, typed)
        action, token_now = services().db.write(_press, link, token, request.form)
    except OnceMore as asked:
        return once_more_page(asked)
    except Invalid as wrong:
        typed.errors = wrong.errors
        return _render_case(link, token, typed), 422
    except Stale as stale:
        if is_same_submission(link, stale.event, request.form):
            return redirect(url_for("case.case_page", token=token, done=stale.event.action), 303)
        typed.message, typed.event = FASTER, stale.event
        return _render_case(link, token, typed), 409
    except TOO_OFTEN as often:
        typed.message = words_of(often)
        return _render_case(link, token, typed), 429
    except NotAllowed:
        typed.message = NOT_YOURS
        return _render_case(link, token, typed), 403
    return redirect(url_for("case.case_page", token=token_now, done=action), 303)


def _press(
    session: ClubSession, link: Link, token: str, sent: MultiDict[str, str]
) -> tuple[str, str]:
    """Check permission and input of a press, and act; the writing unit.

    Returns the action and the token of the page: a new one if the action revoked older links.
    """
    met = visitor(session, link, held=True)
    matter = _case_of(session, met)
    actor = in_whose_name(met, matter, sent.get("for", ""))
    if sent.get("action") in drafts.ACTIONS:
        _keep_or_discard(session, met, matter, actor, sent)
        return sent["action"], token
    if sent.get("action") == "vote":
        vote(
            session,
            matter,
            sent.get("choice", ""),
            by=actor,
            now=services().clock.now(),
            seen_version=_number(sent, "round"),
        )
        return "vote", token
    if sent.get("action") == "resend":
        count_resend(session, matter)
    if "preview" not in sent:
        actor = with_second_look(session, met, matter, actor, sent)
    action = _act(session, met, matter, actor, sent)
    if met.you.link_epoch != link.epoch and met.you.status == PersonStatus.MEMBER:
        token = token_for(met.club, met.you, "case", matter.id)
    return action, token


def _keep_or_discard(
    session: ClubSession, met: Visitor, matter: Case, actor: Actor, sent: MultiDict[str, str]
) -> None:
    """Save or discard the draft of an open form, whatever its entered version."""
    written = drafts.draft_act(_offered(session, matter, met, actor), actor)
    if written is None:
        raise NotAllowed("there is no form to hand in")
    drafts.press_draft(
        session, met.you, workflow(matter.workflow), written.fill, form_of("case", matter.id), sent
    )


def _act(
    session: ClubSession, met: Visitor, matter: Case, actor: Actor, sent: MultiDict[str, str]
) -> str:
    round_seen = _number(sent, "round")
    offered = _offered(session, matter, met, actor)
    action = sent.get("action") or next((item.action for item in offered if item.fill), "")
    chosen = next((item for item in offered if item.action == action), None)
    answers = (
        _checked(workflow(matter.workflow), chosen, sent)
        if chosen and round_seen in (None, matter.entered_version)
        else None
    )
    if chosen:
        count_repeated(session, chosen, met.you, matter)
    act(
        session,
        matter,
        action,
        by=actor,
        now=services().clock.now(),
        seen_version=round_seen,
        note=clean_note(sent.get("note")),
        answers=answers,
        days=_number(sent, "days"),
    )
    if chosen and answers is not None and actor.on_behalf_of is None:
        drafts.discard_submitted(
            session, met.you, matter, chosen, whole=chosen is drafts.draft_act(offered, actor)
        )
    return action


def _checked(flow: type[Workflow], chosen: Act, sent: MultiDict[str, str]) -> dict[str, Any] | None:
    """Return the submission, if the action fills fields.

    Raises: Invalid with a word per field.
    """
    if not chosen.fill:
        return None
    form = form_for(flow, chosen.fill)(sent)
    if not form.validate():
        raise Invalid(
            {
                str(name): str(messages[0])
                for name, messages in form.errors.items()
                if isinstance(messages, list)
            }
        )
    return answers_of(form)


def _number(sent: MultiDict[str, str], name: str) -> int | None:
    text = sent.get(name, "").strip()
    return int(text) if text.isdecimal() and len(text) < 9 else None


def _offered(session: ClubSession, matter: Case, met: Visitor, actor: Actor) -> list[Act]:
    """Return the actions on this page; those open to anyone are on the public form."""
    acting_person = actor.on_behalf_of or met.you
    open_acts = acts_for(session, matter, acting_person, services().clock.now(), proof=met.proof)
    return [item for item in open_acts if item.who != anyone]


def _case_of(session: ClubSession, met: Visitor) -> Case:
    if met.case is None:
        abort(404)
    if not may_see(session, met.case, met.you):
        abort(403 if request.method == "POST" else 404)  # The presser had seen it.
    return met.case


def _render_case(link: Link, token: str, typed: Typed) -> str:
    with services().db.read() as session:
        met = visitor(session, link)
        matter = _case_of(session, met)
        flow = workflow(matter.workflow)
        actor = in_whose_name(met, matter, typed.form.get("for") or request.args.get("for", ""))
        offers = _offers(session, met, matter, actor, typed)
        person = matter.person  # Loaded with the visitor.
        entries = history(session, matter, met.you, person)
        if not may_read_words(matter, met.you):
            entries = [replace(entry, note="") for entry in entries]
        private = (
            written_answers(flow, matter.private)
            if may_read_private(session, matter, met.you)
            else []
        )
        decides = met.you.id != matter.person_id and may_read_words(matter, met.you)
        return render_template(
            "pages/case.html",
            token=token,
            case=matter,
            flow=flow,
            who=person,
            entries=entries,
            offers=offers,
            typed=typed,
            written=written_answers(flow, matter.answers),
            private=private,
            changes=_changes(session, flow, matter) if decides else {},
            entered=_entered(entries, matter),
            decides=decides,
            chosen=request.args.get("do", ""),
            done=request.args.get("done", "")
            if request.args.get("done") in flow.wording.actions
            else "",
            after=_after(matter),
            clause=flow.clause_of(matter.state),
            actor=actor,
            behalf=may_act_for(met.you, matter),
            ballot=ballot_for(session, matter, met.you),
            count=_count(session, matter),
            undo_until=_undo_until(session, offers, matter),
            kept=request.args.get("done") if not typed.form else "",
            mailed_to=mailed_to(matter, met),
            foreign=foreign_domain(person.address),
            same_mailbox=same_mailbox(session, person)
            if decides and person.status == PersonStatus.APPLICANT
            else [],
            most_days=charter_numbers(met.club).extend_most_days,
        )


def _offers(
    session: ClubSession, met: Visitor, matter: Case, actor: Actor, typed: Typed
) -> list[Offer]:
    offered, flow = _offered(session, matter, met, actor), workflow(matter.workflow)
    written = drafts.draft_act(offered, actor)
    draft = draft_of(session, met.you, form_of("case", matter.id)) if written else None
    is_author = met.you.id == matter.person_id
    known = matter.answers | matter.private if is_author else matter.answers
    return [
        Offer(item, _form(flow, item, known, typed, draft), draft, keeps=True)
        if item is written
        else Offer(item, _form(flow, item, known, typed))
        for item in offered
    ]


def _form(
    flow: type[Workflow], item: Act, known: dict[str, Any], typed: Typed, draft: Draft | None = None
) -> Form | None:
    """Fill the action's form: from refused input, else the draft, else the case."""
    if not item.fill:
        return None
    sent = typed.form.get("action", item.action)
    mine = typed.form if typed.form and (sent == item.action or sent in drafts.ACTIONS) else None
    form = form_for(flow, item.fill)(mine, data=known | (draft.answers if draft else {}))
    for name, message in typed.errors.items():
        if name in form:
            form[name].errors = [message]
    return form


def _after(matter: Case) -> list[str]:
    """Return the states to which the system may lead from here."""
    due = state_of(matter.workflow, matter.state).due
    return list(dict.fromkeys(arrows(due.to))) if due else []


def _undo_until(session: ClubSession, offers: list[Offer], matter: Case) -> datetime | None:
    """Return until when this viewer may undo the decision."""
    if not any(offer.act.action == "undo" for offer in offers):
        return None
    decision = session.get_one(Event, (matter.club_id, matter.id, matter.entered_version))
    return undo_ends(decision, charter_numbers(current_club(session)))


def _changes(session: ClubSession, flow: type[Workflow], matter: Case) -> dict[str, list[Piece]]:
    labels = labels_of(flow)
    return {
        labels[name]: pieces
        for name, pieces in changed_since_last(session, matter).items()
        if name in labels
    }


def _count(session: ClubSession, matter: Case) -> dict[str, int]:
    """Return the votes by choice, once they are counted."""
    decided = session.get(Event, (matter.club_id, matter.id, matter.entered_version))
    count: dict[str, int] = decided.answers.get("count", {}) if decided else {}
    return count


def _entered(entries: list[HistoryEntry], matter: Case) -> HistoryEntry | None:
    """Return the event that entered the present state."""
    return next(
        (
            entry
            for entry in reversed(entries)
            if entry.to_state == matter.state and entry.from_state != matter.state
        ),
        None,
    )
