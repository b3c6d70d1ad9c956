"""Late members: what comes next and when; more time or an excuse on the spot."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from engine.cases.transitions import Invalid, NotAllowed, Stale, act
from engine.club.context import charter_numbers, current_club
from engine.club.permissions import declared_acts
from engine.declare.fields import clean_note
from engine.declare.transition import Actor
from engine.declare.workflow import Act
from engine.reports import worklists as desk_queries
from engine.reports.worklists import NextSteps, WorkItem
from engine.storage.models import Person
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app.services import services
from web.cases.review_queue import held_case
from web.http.auth import link_for, officer_here
from web.http.paging import MOST_ID, Paging

late = Blueprint("late", __name__)

Page = str | Response | tuple[str, int]
SIZE = 15
MOST_DIGITS = 6
MOVED_ON = _("Nothing was changed: in the meantime this has moved on.")


@dataclass(frozen=True)
class LateRow:
    """A late case.

    ``acts``: this officer's actions in it; ``owner_next``: the owner is asked after the deadline.
    """

    matter: WorkItem
    url: str
    acts: tuple[Act, ...]
    ahead: NextSteps

    @property
    def owner_next(self) -> bool:
        return "owner" in self.ahead.turns


def rows(session: ClubSession, you: Person, matters: list[WorkItem]) -> list[LateRow]:
    """Build the rows without a query of their own.

    Only actions that end or lengthen the wait; one that fills a form is on the case's page.
    """
    now = services().clock.now()
    numbers = charter_numbers(current_club(session))
    club = current_club(session)
    return [
        LateRow(
            matter,
            link_for(club, you, "case", matter.case.id),
            tuple(
                item
                for item in declared_acts(session, matter.case, you)
                if not item.fill and item.note != "required"
            ),
            desk_queries.next_steps(matter.case, now, numbers),
        )
        for matter in matters
    ]


@late.get("/<slug>/desk/late")
def late_page(slug: str) -> Page:
    return _page(slug)


@late.post("/<slug>/desk/late")
def press_late(slug: str) -> Page:
    with services().db.read() as session:
        officer_here(session, slug)
    try:
        action = services().db.write(_press, slug, request.form)
    except Invalid as wrong:
        return _again(slug, wrong.errors), 422
    except Stale:
        return _again(slug, {}, MOVED_ON), 409
    except NotAllowed:
        return _again(slug, {}, MOVED_ON), 403
    back = "desk.overview_page" if request.form.get("from") == "overview" else "late.late_page"
    return redirect(url_for(back, slug=slug, gave=action), 303)


def _press(session: ClubSession, slug: str, sent: MultiDict[str, str]) -> str:
    """Apply one action to one late case, by transitions.act."""
    _club, you = officer_here(session, slug)
    case = held_case(session, you, sent.get("case", 0, type=int))
    action, days = sent.get("action", ""), sent.get("days", "").strip()
    if action not in {item.action for item in declared_acts(session, case, you) if not item.fill}:
        raise NotAllowed(f"{action} in {case.workflow}.{case.state}")
    act(
        session,
        case,
        action,
        by=Actor(you, "page"),
        now=services().clock.now(),
        seen_version=sent.get("round", type=int),
        note=clean_note(sent.get("note")),
        days=int(days) if days.isdecimal() and len(days) < MOST_DIGITS else None,
    )
    return action


def _again(slug: str, errors: dict[str, str], message: str = "") -> str:
    """Show the case with what was typed and the errors; only the words if it is late no more."""
    with services().db.read() as session:
        _club, you = officer_here(session, slug)
        case_id = request.form.get("case", 0, type=int)
        found = desk_queries.late_one(session, case_id) if 0 < case_id < MOST_ID else None
        listed = rows(session, you, [found] if found else [])
    return render_template(
        "pages/desk/late.html",
        rows=listed,
        paging=None,
        typed=request.form,
        errors=errors,
        message=message,
    )


def _page(slug: str) -> str:
    with services().db.read() as session:
        _club, you = officer_here(session, slug)
        paging = Paging.asked(desk_queries.count_late(session), SIZE)
        listed = rows(session, you, desk_queries.late(session, SIZE, paging.offset))
    return render_template(
        "pages/desk/late.html", rows=listed, paging=paging, typed={}, errors={}, message=""
    )
