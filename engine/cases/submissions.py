"""Submissions by forms, also from persons whose address is not proved yet.

Nothing here tells a stranger who is a member: every answer goes to the address by mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.cases.open_cases import open_case_of
from engine.cases.transitions import NotAllowed, act, open_case
from engine.clock import machine_now
from engine.club.authority import role_includes
from engine.club.context import current_club
from engine.club.people import add_person, by_address
from engine.declare.openings import Form
from engine.declare.registry import workflow
from engine.declare.targets import arrows
from engine.declare.transition import Actor
from engine.declare.workflow import Workflow
from engine.outbox.queue import queue_for_person
from engine.security.rate_limits import (
    CONFIRMATION_MAILS,
    FORM_LINK_MAILS,
    MEMBER_FORMS,
    SIGN_IN_MAILS,
    Limit,
    TooManyMails,
    hit,
    spend_form_token,
)
from engine.storage.database import enter_club, lock_row
from engine.storage.models import Case, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import mailbox_of


def submit_application(
    session: ClubSession,
    club_id: int,
    workflow_key: str,
    answers: Mapping[str, Any],
    *,
    form_id: str,
    locale: str,
    now: datetime,
    limited: bool = True,
) -> None:
    """Open a case by a form for anyone, whose field ``email`` is the address.

    The same ``form_id`` twice is one case.
    """
    enter_club(session, club_id)
    flow, address = workflow(workflow_key), str(answers["email"])
    person = by_address(session, address)
    if person is not None:
        lock_row(
            session, person
        )  # the same form in two processes: the second one finds what the first one wrote
    if already_submitted(session, flow, person, form_id):
        return
    if limited:
        _count_form(session, CONFIRMATION_MAILS, club_id, address, form_id)
    if person is None:
        person = add_person(session, address, locale=locale)
    if person.status in (PersonStatus.MEMBER, PersonStatus.REFUSED_MAIL):
        if person.status == PersonStatus.MEMBER:
            queue_for_person(
                session, person, f"{flow.key}.already_member", purpose=form_id, now=now
            )
        return
    waiting = open_case_of(session, person, flow.key)
    if waiting is None:
        reopen_address(person, address, locale)
        data = {"form": form_id, "charter_version": current_club(session).charter_version}
        open_case(
            session,
            flow.key,
            person,
            by=Actor(person, "page"),
            now=now,
            key=f"{form_id}:{person.id}",
            answers=answers,
            data=data,
        )
    elif waiting.state in arrows(flow.start):
        act(session, waiting, "apply_again", by=Actor(person, "page"), now=now, answers=answers)
        waiting.data = {**waiting.data, "form": form_id}
    else:
        queue_for_person(
            session, person, f"{flow.key}.already_waiting", purpose=form_id, now=now, case=waiting
        )


def may_submit(flow: type[Workflow], person: Person) -> bool:
    """True if this member may open a case of the workflow by its form."""
    return any(
        isinstance(item, Form)
        and role_includes(item.by, person)
        and not role_includes(item.besides, person)
        for item in flow.openings
    )


def submit_by_member(
    session: ClubSession,
    person: Person,
    flow: type[Workflow],
    answers: Mapping[str, Any],
    *,
    by: Actor,
    form_id: str,
    now: datetime,
    limited: bool = False,
) -> Case:
    """Open a case by a member's form.

    The same ``form_id`` twice is one case.

    Raises: TooManyMails; NotAllowed if none may be opened.
    """
    lock_row(
        session, person
    )  # the same form in two processes: the second one finds what the first one wrote
    key = f"{form_id}:{person.id}"
    before = session.execute(
        select(Case).where(Case.workflow == flow.key, Case.key == key)
    ).scalar_one_or_none()
    if before is not None:
        return before
    if not may_submit(flow, person):
        raise NotAllowed(f"{flow.key} is not opened by this person")
    if limited and not hit(session, MEMBER_FORMS, f"{person.id}:{flow.key}", machine_now()):
        raise TooManyMails
    if limited and "email" in answers:  # A mail goes to the typed address.
        _count_mail(session, CONFIRMATION_MAILS, person.club_id, str(answers["email"]))
    return open_case(session, flow.key, person, by=by, now=now, key=key, answers=answers)


def send_form_link(
    session: ClubSession,
    club_id: int,
    workflow_key: str,
    address: str,
    *,
    request_id: str,
    now: datetime,
    limited: bool = True,
) -> None:
    """Mail a member the personal link to a form.

    An unknown address gets nothing, and the page says the same.
    """
    enter_club(session, club_id)
    if limited:
        _count_form(session, FORM_LINK_MAILS, club_id, address, request_id)
    person = by_address(session, address)
    if person is None or person.status != PersonStatus.MEMBER:
        return
    queue_for_person(
        session,
        person,
        f"{workflow_key}.your_link",
        purpose=request_id,
        now=now,
        case=open_case_of(session, person, workflow_key),
    )


def send_sign_in(
    session: ClubSession,
    club_id: int,
    address: str,
    *,
    request_id: str,
    now: datetime,
    limited: bool = True,
) -> None:
    """Mail a member a sign-in link; the page says the same for everyone."""
    enter_club(session, club_id)
    if limited:
        _count_form(session, SIGN_IN_MAILS, club_id, address, request_id)
    person = by_address(session, address)
    if person is not None and person.status == PersonStatus.MEMBER:
        queue_for_person(session, person, "club.sign_in", purpose=request_id, now=now)


def send_page(
    session: ClubSession,
    club_id: int,
    person_id: int,
    *,
    by: int,
    request_id: str,
    now: datetime,
    limited: bool = True,
) -> None:
    """Mail a member's own page at an officer's request.

    Raises: TooManyMails; NotAllowed for a person who is no member.
    """
    enter_club(session, club_id)
    person, sender = (
        session.get_one(Person, (club_id, person_id)),
        session.get_one(Person, (club_id, by)),
    )
    if person.status != PersonStatus.MEMBER or person.address is None:
        raise NotAllowed("only members have a page")
    if limited:
        _count_mail(session, SIGN_IN_MAILS, club_id, person.address)
    queue_for_person(
        session, person, "club.your_page", purpose=request_id, now=now, data={"by": sender.name}
    )


def submit_on_behalf(
    session: ClubSession,
    club_id: int,
    workflow_key: str,
    owner_id: int,
    person_id: int,
    answers: Mapping[str, Any],
    *,
    form_id: str,
    now: datetime,
) -> None:
    """Submit a form as owner for a member who asked by word of mouth.

    Both names are in its history. The same ``form_id`` twice is one case.

    Raises: NotAllowed.
    """
    person, for_them = _owner_for(session, club_id, owner_id, person_id)
    submit_by_member(
        session, person, workflow(workflow_key), answers, by=for_them, form_id=form_id, now=now
    )


def _owner_for(
    session: ClubSession, club_id: int, owner_id: int, person_id: int
) -> tuple[Person, Actor]:
    enter_club(session, club_id)
    owner, person = (
        session.get_one(Person, (club_id, owner_id)),
        session.get_one(Person, (club_id, person_id)),
    )
    if owner.role != PersonRole.OWNER or owner_id == person_id:
        raise NotAllowed("only the owner acts for a member")
    return person, Actor(owner, "page", on_behalf_of=person)


def correct_for_member(
    session: ClubSession,
    club_id: int,
    workflow_key: str,
    action: str,
    owner_id: int,
    person_id: int,
    answers: Mapping[str, Any],
    *,
    why: str,
    form_id: str,
    now: datetime,
) -> int:
    """Open a member's form on their behalf and take the owner's action, in one commit.

    An open case of the same kind is withdrawn first. The same ``form_id`` twice is one case.
    Returns the case.

    Raises: NotAllowed.
    """
    person, for_them = _owner_for(session, club_id, owner_id, person_id)
    flow = workflow(workflow_key)
    open_before = open_case_of(session, person, flow.key)
    if open_before is not None:
        act(session, open_before, "withdraw", by=for_them, now=now)
        session.flush()
    case = submit_by_member(session, person, flow, answers, by=for_them, form_id=form_id, now=now)
    if case.version == case.entered_version == 1:
        act(session, case, action, by=Actor(for_them.person, "page"), now=now, note=why)
    return case.id


def _count_mail(session: ClubSession, limit: Limit, club_id: int, address: str) -> None:
    """Count a mail to this address, known or not, so that forms fill no mailbox.

    Raises: TooManyMails.
    """
    if not hit(session, limit, f"{club_id}:{mailbox_of(address)}", machine_now()):
        raise TooManyMails


def _count_form(
    session: ClubSession, limit: Limit, club_id: int, address: str, form_id: str
) -> None:
    """Count an open form as sent for this address, and its mail.

    Raises: FormTokenSpent, TooManyMails.
    """
    spend_form_token(session, f"{club_id}:{form_id}", address, machine_now())
    _count_mail(session, limit, club_id, address)


def already_submitted(
    session: ClubSession, flow: type[Workflow], person: Person | None, form_id: str
) -> bool:
    """True if this person submitted the form with this id."""
    if person is None:
        return False
    own = select(Case.key, Case.data).where(Case.person_id == person.id, Case.workflow == flow.key)
    return any(
        form_id in (key.partition(":")[0], data.get("form")) for key, data in session.execute(own)
    )


def reopen_address(person: Person, address: str, locale: str) -> None:
    """Store the address again for an erased or departed person found by its hash."""
    person.address, person.locale = address, locale
    if person.status in (PersonStatus.ERASED, PersonStatus.DEPARTED):
        person.status = PersonStatus.APPLICANT
