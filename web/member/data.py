"""A member's data to take along, what to do about a leaked link, and the way out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, current_app, redirect, request, url_for

from engine.cases.member_links import is_spent, mail_member_page, reissue_links, spend
from engine.declare.fields import written_answers
from engine.declare.registry import workflow
from engine.declare.roles import Proof
from engine.reports.export import everything_about
from engine.reports.worklists import cases_of
from engine.security.links import Link
from engine.security.rate_limits import TooManyMails
from engine.storage.models import Case, Club
from engine.storage.unit_of_work import ClubSession
from engine.text.csv_export import spreadsheet
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.auth import Visitor, read_token
from web.http.i18n import case_label, gettext, state_word
from web.http.security import MAILBOX_FULL, new_form_token, read_form_token
from web.member.auth import Page, member, own, own_page
from web.member.page import forms_of

SESSIONS = "sessions.sessions_page"
COPIES = ("export", "export_table")  # by one mailed link, each once
VOTES = _("Votes are secret: a choice is in no export.")
COLUMNS = (_("Matter"), _("How it stands"), _("Opened"), _("Question"), _("Answer"))


@member.get("/me/<token>/data")
def data_page(token: str) -> Page:
    link = read_token(token)
    with services().db.read() as session:
        met = own(session, link)
        proven = _may_copy(session, met)
    return _page(token, met, proven=proven)


@member.post("/me/<token>/data")
def press_data(token: str) -> Page:
    """Give a copy of everything, mail a fresh link, or revoke all links."""
    link = read_token(token)
    with services().db.read() as session:
        met = own(session, link)
    action = request.form.get("action")
    if action == "lost":
        services().db.write(_renew, link)
        return own_page("renewed", "")
    if action == "fresh":
        return _mail_link(link, token, met)
    if action not in COPIES or not services().db.write(_use_up, link, action):
        return _page(token, met), 403
    return _copy(link) if action == "export" else _table(link)


def _page(token: str, met: Visitor, *, message: str = "", proven: bool = False) -> str:
    leaving = [item for item in forms_of(met.club, met.you, {}) if item.flow.listed_on == "data"]
    return own_page(
        "data",
        token,
        stamp=new_form_token(),
        proven=proven,
        message=message,
        sent="sent" in request.args,
        leaving=leaving,
        sessions=url_for(SESSIONS, slug=met.club.slug)
        if SESSIONS in current_app.view_functions
        else "",
    )


def _may_copy(session: ClubSession, met: Visitor) -> bool:
    """True by the link mailed for it, while one of the two copies is still to be had."""
    return (
        met.mailed is not None
        and met.proof == Proof.NOW
        and not all(is_spent(session, met.mailed.id, use) for use in COPIES)
    )


def _use_up(session: ClubSession, link: Link, copy: str) -> bool:
    met = own(session, link)
    return (
        met.mailed is not None
        and met.proof == Proof.NOW
        and spend(session, met.mailed.id, copy, services().clock.now())
    )


def _mail_link(link: Link, token: str, met: Visitor) -> Page:
    request_id, _by_a_person = read_form_token(request.form.get("form", ""))
    try:
        services().db.write(_mail, link, request_id)
    except TooManyMails:
        return _page(token, met, message=MAILBOX_FULL), 429
    return redirect(url_for("member.data_page", token=token, sent=1), 303)


def _mail(session: ClubSession, link: Link, request_id: str) -> None:
    you, here = own(session, link).you, services()
    mail_member_page(
        session, you, request_id=request_id, now=here.clock.now(), limited=here.settings.rate_limits
    )


def _renew(session: ClubSession, link: Link) -> None:
    reissue_links(session, own(session, link).you, services().clock.now())


def _copy(link: Link) -> Response:
    with services().db.read() as session:
        met = own(session, link)
        found: dict[str, Any] = everything_about(session, met.club, met.you) | {
            "votes": gettext(VOTES)
        }
    return _download(
        met.club,
        "json",
        "application/json",
        json.dumps(found, ensure_ascii=False, indent=1).encode(),
    )


def _table(link: Link) -> Response:
    with services().db.read() as session:
        met = own(session, link)
        rows = [row for case in cases_of(session, met.you, limit=100_000) for row in _rows(case)]
    return _download(
        met.club, "csv", "text/csv", spreadsheet([[gettext(name) for name in COLUMNS], *rows])
    )


def _rows(case: Case) -> Iterator[list[str]]:
    """Return a row per answer, and one row for a case without answers."""
    start = [
        case_label(case),
        state_word(case.workflow, case.state),
        case.opened_at.isoformat(timespec="seconds"),
    ]
    for label, text, _is_long in written_answers(workflow(case.workflow), case.answers) or [
        ("", "", False)
    ]:
        yield [*start, gettext(label) if label else "", text]


def _download(club: Club, ending: str, mimetype: str, content: bytes) -> Response:
    name = f"{club.slug}-{services().clock.now():%Y-%m-%d}.{ending}"
    return Response(
        content,
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
