"""What waits for a decider, all on one page: read it, tick it, approve it. Opened by the link in the daily letter."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine.db import hold
from engine.desk import Matter, waiting_for
from engine.fields import written_answers
from engine.links import Link
from engine.models import Case
from engine.registry import workflow
from engine.rights import acts_for
from engine.run import NotAllowed, Refused, act
from engine.step import Hand
from web.access import link_for, visitor
from web.service import service

Page = str | Response | tuple[str, int]
MOST = 30
MOST_ID = 2**63


@dataclass
class Entry:
    """One matter on the page; ``ready``: it may be approved here, without a word."""

    matter: Matter
    url: str
    written: list[tuple[str, str, bool]]
    ready: bool


def show(link: Link, token: str, *, pressed_again: bool = False) -> str:
    with service().db.read() as session:
        met = visitor(session, link)
        entries = [_entry(session, link, matter) for matter in waiting_for(session, met.you, MOST)]
    return render_template(
        "pages/waiting.html",
        token=token, entries=entries, done=_count("done"), missed=_count("missed"), most=MOST, pressed_again=pressed_again,
    )  # fmt: skip


def press(link: Link, token: str) -> Page:
    """Approve what is ticked, each in a commit of its own: one that somebody else decided meanwhile stops no other."""
    if g.refused or request.form.get("action") != "approve" or "case" not in request.form:
        return show(link, token, pressed_again=True), 400
    done = missed = 0
    for case_id in dict.fromkeys(request.form.getlist("case", type=int)):
        try:
            service().db.write(_approve, link, case_id, request.form.get(f"round-{case_id}", type=int))
            done += 1
        except Refused:
            missed += 1
    return redirect(url_for("case.show", token=token, done=done, missed=missed), 303)


def _approve(session: Session, link: Link, case_id: int, round_seen: int | None) -> None:
    you = visitor(session, link).you
    case = session.get(Case, (link.club_id, case_id)) if 0 < case_id < MOST_ID else None
    if case is None:
        raise NotAllowed("there is no such case")
    hold(session, case)
    act(session, case, "approve", by=Hand(you, "page"), now=service().clock.now(), round=round_seen)


def _entry(session: Session, link: Link, matter: Matter) -> Entry:
    case, you = matter.case, g.you
    flow = workflow(case.workflow)
    ready = any(
        item.action == "approve" and item.note != "required" for item in acts_for(session, case, you, service().clock.now())
    )
    return Entry(matter, link_for(g.club, you, "case", case.id), written_answers(flow, case.answers), ready)


def _count(name: str) -> int:
    return request.args.get(name, default=0, type=int)
