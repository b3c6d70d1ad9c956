"""A decider's review queue on one page: read, tick, approve.

Opened by the link in the daily letter, or from the desk (``web/desk/review_queue.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.cases.transitions import NotAllowed, Refused, act
from engine.club.permissions import declared_acts
from engine.declare.fields import written_answers
from engine.declare.registry import workflow
from engine.declare.transition import Actor
from engine.reports.worklists import WorkItem, waiting_for
from engine.security.links import Link
from engine.storage.database import lock_row
from engine.storage.models import Case, Person
from engine.storage.unit_of_work import ClubSession
from mailers.letters.document import start_of
from web.app.services import services
from web.cases.second_look import OnceMore, look_twice, once_more_page
from web.http.auth import link_for, visitor
from web.http.paging import MOST_ID

Page = str | Response | tuple[str, int]
MOST = 30


@dataclass
class QueueItem:
    """A case on the page; ``ready``: True if it may be approved here, without a word."""

    matter: WorkItem
    url: str
    written: list[tuple[str, str, bool]]
    ready: bool

    @property
    def start(self) -> str:
        return start_of(self.written)


def review_queue_page(link: Link, token: str, *, pressed_again: bool = False) -> str:
    with services().db.read() as session:
        met = visitor(session, link)
        listed = entries(session, met.you, waiting_for(session, met.you, MOST))
    return render_template(
        "pages/waiting.html",
        token=token,
        entries=listed,
        done=_count("done"),
        missed=_count("missed"),
        most=MOST,
        pressed_again=pressed_again,
    )


def press_review_queue(link: Link, token: str) -> Page:
    if nothing_ticked():
        return review_queue_page(link, token, pressed_again=True), 400
    try:
        device = services().db.write(_look_twice, link)
    except OnceMore as asked:
        return once_more_page(asked)
    done, missed = approve_ticked(lambda session: visitor(session, link).you, device)
    return redirect(url_for("case.case_page", token=token, done=done, missed=missed), 303)


def _look_twice(session: ClubSession, link: Link) -> str:
    you = visitor(session, link).you
    return look_twice(session, you, "approve", request.form, decides=True)


def nothing_ticked() -> bool:
    return request.form.get("action") != "approve" or "case" not in request.form


def approve_ticked(decider: Callable[[ClubSession], Person], device: str = "") -> tuple[int, int]:
    """Approve the ticked cases, each in its own commit; return how many were, and were not.

    One that another decider took meanwhile stops no other. ``decider``: the presser, looked up in
    each commit.
    """
    done = missed = 0
    for case_id in dict.fromkeys(request.form.getlist("case", type=int)):
        try:
            services().db.write(
                _approve,
                decider,
                case_id,
                request.form.get(f"round-{case_id}", type=int),
                services().clock.now(),
                device,
            )
            done += 1
        except Refused:
            missed += 1
    return done, missed


def _approve(
    session: ClubSession,
    decider: Callable[[ClubSession], Person],
    case_id: int,
    seen: int | None,
    now: datetime,
    device: str,
) -> None:
    you = decider(session)
    case = held_case(session, you, case_id)
    by = Actor(you, "page", device=device)
    act(session, case, "approve", by=by, now=now, seen_version=seen)


def held_case(session: ClubSession, you: Person, case_id: int) -> Case:
    """Return a case of this person's club, locked until the commit.

    Raises: NotAllowed.
    """
    case = session.get(Case, (you.club_id, case_id)) if 0 < case_id < MOST_ID else None
    if case is None:
        raise NotAllowed("there is no such case")
    lock_row(session, case)
    return case


def entries(session: ClubSession, you: Person, matters: list[WorkItem]) -> list[QueueItem]:
    return [_entry(session, you, matter) for matter in matters]


def _entry(session: ClubSession, you: Person, matter: WorkItem) -> QueueItem:
    case = matter.case
    flow = workflow(case.workflow)
    ready = any(
        item.action == "approve" and item.note != "required"
        for item in declared_acts(session, case, you)
    )
    return QueueItem(
        matter, link_for(g.club, you, "case", case.id), written_answers(flow, case.answers), ready
    )


def _count(name: str) -> int:
    return request.args.get(name, default=0, type=int)
