"""A member's own page: first what is due, then drafts, then links to everything else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import abort, redirect, request, url_for

from engine.cases.drafts import drafts_of, form_of
from engine.cases.submissions import may_submit
from engine.club.electorate import not_voted_yet
from engine.declare.registry import all_workflows, form_number, state_of, workflow
from engine.declare.roles import is_turn_of, person
from engine.declare.workflow import Workflow
from engine.reports.worklists import cases_of
from engine.security.links import Link
from engine.storage.models import Case, Club, Draft, Person
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.auth import form_link, link_for, read_token, token_for, visitor_here
from web.member.auth import Page, member, own, own_page

ENDED_SHOWN = 5


@dataclass(frozen=True)
class DueLine:
    """A case.

    ``writes``: its person may submit a form, also while a removal is proposed; ``about``: the
    subject of a vote.
    """

    case: Case
    url: str
    clause: str
    writes: bool
    draft: Draft | None
    about: Person | None = None


@dataclass(frozen=True)
class Begin:
    """A form that this member may open: workflow, link, start of its draft."""

    flow: type[Workflow]
    url: str
    draft: Draft | None


@member.get("/me/<path:token>")
def member_page(token: str) -> Page:
    link = read_token(token)
    with services().db.read() as session:
        met = own(session, link)
        return _page(session, met.club, met.you, token)


@member.get("/<slug>/me")
def signed_in_page(slug: str) -> Page:
    with services().db.read() as session:
        club, you = visitor_here(session, slug)
        if you is None:
            return redirect(url_for("desk.overview_page", slug=slug), 302)
        return _page(session, club, you, token_for(club, you, "me", 0))


@member.post("/me/<path:token>")
def press_member_page(token: str) -> Page:
    """Acknowledge the charter, the one action of this page."""
    link = read_token(token)
    if request.form.get("action") != "acknowledge":
        abort(400)
    services().db.write(_acknowledge, link)
    return redirect(url_for("member.member_page", token=token), 303)


def _acknowledge(session: ClubSession, link: Link) -> None:
    met = own(session, link)
    met.you.charter_version, met.you.charter_acknowledged_at = (
        met.club.charter_version,
        services().clock.now(),
    )


def forms_of(club: Club, you: Person, drafts: dict[str, Draft]) -> list[Begin]:
    """Return the forms that this member may open.

    No link is younger than the one that led here.
    """
    return [
        Begin(flow, form_link(club, you, flow), drafts.get(form_of("form", form_number(flow))))
        for flow in all_workflows()
        if may_submit(flow, you)
    ]


def _page(session: ClubSession, club: Club, you: Person, token: str) -> str:
    drafts = drafts_of(session, you)
    lines = [_line(club, you, item, drafts) for item in cases_of(session, you)]
    under_way = {line.case.workflow for line in lines if line.case.turn}
    begin = [
        item
        for item in forms_of(club, you, drafts)
        if item.flow.listed_on == "page" and not (item.flow.one_open and item.flow.key in under_way)
    ]
    due = [
        line
        for line in lines
        if line.case.turn and (is_turn_of(line.case.turn, person) or line.writes)
    ]
    votes = [
        replace(_line(club, you, case, {}), about=who) for case, who in not_voted_yet(session, you)
    ]
    return own_page(
        "page",
        token,
        due=sorted(due + votes, key=lambda line: (line.case.due_at is None, line.case.due_at)),
        waiting=[line for line in lines if line.case.turn and line not in due],
        ended=[line for line in lines if not line.case.turn][:ENDED_SHOWN],
        begun=[item for item in begin if item.draft],
        begin=[item for item in begin if not item.draft],
    )


def _line(club: Club, you: Person, case: Case, drafts: dict[str, Draft]) -> DueLine:
    acts = state_of(case.workflow, case.state).acts
    return DueLine(
        case,
        link_for(club, you, "case", case.id),
        workflow(case.workflow).clause_of(case.state),
        writes=any(act.fill and "person" in act.who.names for act in acts),
        draft=drafts.get(form_of("case", case.id)),
    )
