"""The people of the club: search, and a person's record with the owner's help for them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form as WTForm

from engine.cases.submissions import correct_for_member, send_page
from engine.cases.transitions import NotAllowed
from engine.club.context import current_club
from engine.club.people import address_is_free
from engine.club.permissions import declared_acts
from engine.declare.fields import Address, Note
from engine.declare.registry import all_workflows
from engine.declare.workflow import Act
from engine.reports.directory import (
    STATUSES,
    Wanted,
    count_ended,
    count_people,
    ended_cases,
    letters_to,
    open_cases,
    removals,
)
from engine.reports.directory import people as people_found
from engine.security.rate_limits import TooManyMails
from engine.storage.models import Case, Club, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from mailers.smtp.reply import meaning
from web.app.services import services
from web.cases.member_form import UNCHANGED
from web.cases.on_behalf import forms_for, may_act_for
from web.http.auth import link_for, officer_here
from web.http.paging import MOST_ID, Paging
from web.http.request_log import mask
from web.http.security import MAILBOX_FULL, new_form_token, read_form_token

people = Blueprint("people", __name__)

Page = str | Response | tuple[str, int]
SIZE = 50
CASES = 20
LETTERS = 20
TAKEN = _("Somebody else in the club has this address already")
NOT_NOW = _("This is not open to you any more. Nothing was changed.")


class CorrectionForm(WTForm):
    email = Address(
        _("The right address"),
        hint=_("Mail goes there from now on. Links that were mailed to the old one no longer open"),
    )
    why = Note(_("Why?"), hint=_("The history keeps it, and the person reads it in the mail"))


@dataclass(frozen=True)
class PersonLine:
    """A case in a record.

    ``acts``: this officer's actions in it now; ``by``: the last actor (None: the clock).
    """

    case: Case
    url: str
    acts: tuple[Act, ...]
    for_them: bool = False
    by: Person | None = None


@people.get("/<slug>/desk/people")
def people_page(slug: str) -> Page:
    """Search the people; show the members by default.

    ``q``: the words; ``status``: one of STATUSES, or all.
    """
    words, status = (
        request.args.get("q", "").replace("\0", "").strip(),
        request.args.get("status", ""),
    )
    shown = status if status in (*STATUSES, "all") else "all" if words else "member"
    with services().db.read() as session:
        _club, you = officer_here(session, slug)
        wanted = Wanted(words, shown, reads_addresses=you.role == PersonRole.OWNER)
        paging = Paging.asked(count_people(session, wanted), SIZE)
        found = people_found(session, wanted, limit=SIZE, offset=paging.offset)
        busy: dict[int, list[tuple[Case, bool]]] = {}
        for case, late in open_cases(session, [person.id for person in found]):
            busy.setdefault(case.person_id, []).append((case, late))
    return render_template(
        "pages/desk/people.html",
        people=found,
        busy=busy,
        paging=paging,
        words=words,
        status=shown,
        statuses=(*STATUSES, "all"),
        address=_address,
    )


@people.get("/<slug>/desk/people/<int:person_id>")
def person_page(slug: str, person_id: int) -> Page:
    return _record(slug, person_id)


@people.post("/<slug>/desk/people/<int:person_id>")
def press_person(slug: str, person_id: int) -> Page:
    """Mail a fresh link to the person's page, or correct their address (the owner)."""
    correcting = request.form.get("action") == "correct"
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=correcting)
        person = person_of(session, club, person_id)
    if correcting:
        return _correct(slug, club, you, person)
    if request.form.get("action") != "link":
        abort(400)
    return _send_link(slug, club, you, person)


def _send_link(slug: str, club: Club, you: Person, person: Person) -> Page:
    here = services()
    request_id, _by_a_person = read_form_token(request.form.get("form", ""))
    try:
        here.db.write(
            send_page,
            club.id,
            person.id,
            by=you.id,
            request_id=request_id,
            now=here.clock.now(),
            limited=here.settings.rate_limits,
        )
    except TooManyMails:
        return _record(slug, person.id, message=MAILBOX_FULL), 429
    except NotAllowed:
        return _record(slug, person.id, message=NOT_NOW), 403
    return redirect(url_for("people.person_page", slug=slug, person_id=person.id, done="link"), 303)


def _correct(slug: str, club: Club, you: Person, person: Person) -> Page:
    form = CorrectionForm(request.form)
    form_id, _by_a_person = read_form_token(request.form.get("form", ""))
    if not form.validate():
        return _record(slug, person.id, form), 422
    if form.data["email"] == person.address:
        form["email"].errors = [UNCHANGED]
        return _record(slug, person.id, form), 422
    with services().db.read(club.id) as session:
        if not address_is_free(session, form.data["email"], besides=person):
            form["email"].errors = [TAKEN]
            return _record(slug, person.id, form), 422
    flow = next(flow for flow in all_workflows() if flow.put_right)
    try:
        services().db.write(
            correct_for_member,
            club.id,
            flow.key,
            flow.put_right,
            you.id,
            person.id,
            {"email": form.data["email"]},
            why=form.data["why"],
            form_id=form_id,
            now=services().clock.now(),
        )
    except NotAllowed:
        return _record(slug, person.id, form, message=NOT_NOW), 403
    return redirect(
        url_for("people.person_page", slug=slug, person_id=person.id, done="correct"), 303
    )


def person_of(session: ClubSession, club: Club, person_id: int) -> Person:
    """Return a person of this club.

    Raises: 404 for an id of another club.
    """
    found = session.get(Person, (club.id, person_id)) if 0 < person_id < MOST_ID else None
    if found is None or found.status == PersonStatus.ERASED:
        abort(404)
    return found


def _record(slug: str, person_id: int, form: WTForm | None = None, *, message: str = "") -> str:
    with services().db.read() as session:
        club, you = officer_here(session, slug)
        person, is_owner = person_of(session, club, person_id), you.role == PersonRole.OWNER
        paging = Paging.asked(count_ended(session, person), CASES)
        return render_template(
            "pages/desk/person.html",
            who=person,
            address=_address(person),
            removals=removals(session, person),
            paging=paging,
            form=form or CorrectionForm(data={"email": person.address or ""}),
            stamp=new_form_token(),
            message=message,
            open=[
                _line(session, you, case) for case, _late in open_cases(session, [person.id], CASES)
            ],
            ended=[
                _line(session, you, *pair)
                for pair in ended_cases(session, person, limit=CASES, offset=paging.offset)
            ],
            letters=[
                (letter, meaning(letter.answer)) for letter in letters_to(session, person, LETTERS)
            ]
            if is_owner
            else [],
            trouble=meaning(person.mail_trouble) if person.mail_trouble else "",
            may_correct=is_owner
            and person.status == PersonStatus.MEMBER
            and person.role != PersonRole.OWNER,
            forms=forms_for(you, person),
            done=request.args.get("done", ""),
            handed_in=[flow.form_path for flow in all_workflows() if flow.on_behalf],
        )


def _line(session: ClubSession, you: Person, case: Case, by: Person | None = None) -> PersonLine:
    url = link_for(current_club(session), you, "case", case.id)
    return PersonLine(case, url, declared_acts(session, case, you), may_act_for(you, case), by)


def _address(person: Person) -> str:
    """Return the whole address for the owner and oneself, its masked form for an admin.

    An admin mails no one by hand.
    """
    if not person.address:
        return ""
    return (
        person.address
        if g.you.role == PersonRole.OWNER or person.id == g.you.id
        else mask(person.address)
    )
