"""A member's form, opened by their own link: submitting it opens the case."""

from __future__ import annotations

from datetime import datetime

from flask import abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form as WTForm

from engine.cases.drafts import delete_draft, draft_of, form_of
from engine.cases.member_links import is_spent, spend
from engine.cases.open_cases import open_case_of
from engine.cases.submissions import already_submitted, may_submit, submit_by_member
from engine.cases.transitions import Invalid, NotAllowed
from engine.club.people import known_of
from engine.declare.fields import answers_of, form_for
from engine.declare.registry import by_form_number, workflow
from engine.declare.roles import Proof
from engine.declare.transition import Actor
from engine.declare.workflow import Workflow
from engine.security.links import Link
from engine.security.rate_limits import TooManyMails
from engine.storage.database import lock_row
from engine.storage.models import Case, Draft, Person
from engine.storage.states import PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app.services import services
from web.cases import drafts
from web.http.auth import Visitor, link_for, visitor
from web.http.security import new_form_token, read_form_token
from web.http.unsaved_input import by_script, line_of_page

Page = str | Response | tuple[str, int]
TOO_OFTEN = _(
    "That is often enough for one day. Everything you typed is still here: please try "
    "again tomorrow."
)
UNCHANGED = _("This is how it is already. Nothing was changed.")
FORM = "form"
NOT_OPEN = _("This form is not open to you at the moment.")


def member_form_page(link: Link, token: str) -> Page:
    with services().db.read() as session:
        met = visitor(session, link)
        flow = _flow(met)
        proven = _proven(session, met)
        case = _open_already(session, flow, met.you)
        draft = draft_of(session, met.you, form_of("form", link.target)) if _keeps(flow) else None
    if case is not None:
        return redirect(link_for(met.club, met.you, "case", case.id), 302)
    if not may_submit(flow, met.you):
        return _page(token, flow, met, message=NOT_OPEN), 403
    return _page(token, flow, met, draft=draft, proven=proven)


def press_member_form(link: Link, token: str) -> Page:
    with services().db.read() as session:
        met = visitor(session, link)
        proven = _proven(session, met)
    flow = _flow(met)
    if request.form.get("action") in drafts.ACTIONS:
        page = _draft_pressed(link, token, flow, met)
        return line_of_page(page) if by_script() else page
    form = form_for(flow, tuple(flow.fields))(request.form)
    form_id, _by_a_person = read_form_token(request.form.get("form", ""))
    if not says_something(form, met.you):
        return _page(token, flow, met, form, proven=proven), 422
    try:
        case_id = services().db.write(_hand_in, link, flow, form, form_id)
    except NotAllowed:
        return _page(token, flow, met, form, message=NOT_OPEN), 403
    except TooManyMails:
        return _page(token, flow, met, form, message=TOO_OFTEN), 429
    return _to_the_case(link, case_id)


def begun(flow: type[Workflow], person: Person, draft: Draft | None = None) -> WTForm:
    """Fill the form with what the club knows of the person, or from their draft."""
    known = {name: text for name, text in known_of(person).items() if name in flow.fields}
    return form_for(flow, tuple(flow.fields))(data=known | (draft.answers if draft else {}))


def says_something(form: WTForm, person: Person) -> bool:
    """True if the form is valid and was changed; else its fields hold the errors."""
    if not form.validate():
        return False
    if answers_of(form) == known_of(person):
        next(iter(form)).errors = [UNCHANGED]
        return False
    return True


def _hand_in(
    session: ClubSession, link: Link, flow: type[Workflow], form: WTForm, form_id: str
) -> int:
    met = visitor(session, link)
    now = services().clock.now()
    limited = services().settings.rate_limits
    you = met.you
    actor = Actor(you, "page", proof=met.proof if _use_up(session, met, now) else Proof.NONE)
    case = submit_by_member(
        session, you, flow, answers_of(form), by=actor, form_id=form_id, now=now, limited=limited
    )
    delete_draft(session, you, form_of("form", link.target))
    return case.id


def _keeps(flow: type[Workflow]) -> bool:
    """True if a draft is saved: not of what cannot be undone."""
    return not flow.needs_fresh_link


def _draft_pressed(link: Link, token: str, flow: type[Workflow], met: Visitor) -> Page:
    form = form_for(flow, tuple(flow.fields))(request.form)
    try:
        services().db.write(_keep_or_discard, link, flow)
    except Invalid as wrong:
        for name, message in wrong.errors.items():
            form[name].errors = [message]
        return _page(token, flow, met, form), 422
    except NotAllowed:
        return _page(token, flow, met, form, message=NOT_OPEN), 403
    except drafts.SavedTooOften:
        return _page(token, flow, met, form, message=drafts.TOO_OFTEN_SAVED), 429
    return redirect(url_for("case.case_page", token=token, done=request.form["action"]), 303)


def _keep_or_discard(session: ClubSession, link: Link, flow: type[Workflow]) -> None:
    """Save or discard the draft; nothing after the form itself was submitted."""
    you = visitor(session, link).you
    lock_row(session, you)
    form_id, _by_a_person = read_form_token(request.form.get("form", ""))
    over = (
        already_submitted(session, flow, you, form_id)
        or _open_already(session, flow, you) is not None
    )
    if over or not _keeps(flow) or not may_submit(flow, you):
        raise NotAllowed(f"{flow.key} is not opened by this person")
    drafts.press_draft(
        session, you, flow, tuple(flow.fields), form_of("form", link.target), request.form
    )


def _to_the_case(link: Link, case_id: int) -> Page:
    """Redirect to the case, or to the farewell page after a departure."""
    with services().db.read(link.club_id) as session:
        you = session.get_one(Person, (link.club_id, link.person_id))
    if you.status != PersonStatus.MEMBER:
        return redirect(url_for("clubs.farewell_page", slug=g.club.slug, lang=you.locale), 303)
    return redirect(link_for(g.club, you, "case", case_id), 303)


def _flow(met: Visitor) -> type[Workflow]:
    flow = (
        workflow(met.mailed.name.partition(".")[0])
        if met.mailed
        else by_form_number(met.link.target)
    )
    if flow is None or not flow.fields:
        abort(404)
    return flow


def _proven(session: ClubSession, met: Visitor) -> bool:
    """True if the form acts at once, by the unused link that was mailed for it."""
    return (
        met.mailed is not None
        and met.proof == Proof.NOW
        and not is_spent(session, met.mailed.id, FORM)
    )


def _use_up(session: ClubSession, met: Visitor, now: datetime) -> bool:
    return (
        met.mailed is not None
        and met.proof == Proof.NOW
        and spend(session, met.mailed.id, FORM, now)
    )


def _open_already(session: ClubSession, flow: type[Workflow], you: Person) -> Case | None:
    return open_case_of(session, you, flow.key) if flow.one_open else None


def _page(
    token: str,
    flow: type[Workflow],
    met: Visitor,
    form: WTForm | None = None,
    *,
    message: str = "",
    draft: Draft | None = None,
    proven: bool = False,
) -> str:
    return render_template(
        "pages/own_form.html",
        token=token,
        flow=flow,
        who=met.you,
        form=form or begun(flow, met.you, draft),
        stamp=new_form_token(),
        message=message,
        draft=draft,
        keeps=_keeps(flow),
        kept=request.args.get("done") if form is None else "",
        confirms=flow.needs_fresh_link and not proven,
        closed=message == NOT_OPEN,
    )
