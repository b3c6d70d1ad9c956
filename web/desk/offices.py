"""A page to read: who may act for whom, who is away, what is the owner's alone."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from engine.charter.model import Charter
from engine.club.context import current_charter, current_officers
from engine.declare.registry import all_workflows
from engine.declare.workflow import Workflow
from engine.reports.worklists import officers
from engine.storage.states import PersonRole
from web.app.services import services
from web.http.auth import link_for, officer_here

offices = Blueprint("offices", __name__)

Page = str | Response | tuple[str, int]


@dataclass(frozen=True)
class Reviews:
    """A decision of the owner and of the admins as deputies.

    ``always``, or only while the owner is away.
    """

    label: str
    always: bool


@dataclass(frozen=True)
class Alone:
    """The names of the actions in a workflow that only the owner may take."""

    label: str
    actions: tuple[str, ...]


@offices.get("/<slug>/desk/offices")
def offices_page(slug: str) -> Page:
    with services().db.read() as session:
        club, you = officer_here(session, slug)
        found = officers(session)
        return render_template(
            "pages/desk/offices.html",
            owner=next(
                (
                    officer
                    for officer in current_officers(session)
                    if officer.role == PersonRole.OWNER
                ),
                None,
            ),
            admins=[
                (
                    person,
                    link_for(club, you, "case", case.id)
                    if case and you.role == PersonRole.OWNER
                    else "",
                )
                for person, case in found
            ],
            reviews=[
                reviews
                for flow in all_workflows()
                if (reviews := _reviews(flow, current_charter(club)))
            ],
            alone=[alone for flow in all_workflows() if (alone := _alone(flow))],
        )


def _reviews(flow: type[Workflow], charter: Charter) -> Reviews | None:
    turns = {name for state in flow.states.values() for name in state.turn.names}
    if "reviewer" not in turns:
        return None
    return Reviews(flow.label, always=flow.key in charter.deputies)


def _alone(flow: type[Workflow]) -> Alone | None:
    """Return them in declared order, each once."""
    actions = dict.fromkeys(
        act.action
        for state in flow.states.values()
        for act in state.acts
        if act.who.names == ("owner",)
    )
    return Alone(flow.label, tuple(actions)) if actions else None
