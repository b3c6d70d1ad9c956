"""From a token or a cookie to the person behind it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from flask import abort, g, redirect, request, url_for
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from engine.cases.member_links import spend
from engine.club.context import by_slug, remember_club
from engine.declare.registry import form_number
from engine.declare.roles import Proof
from engine.declare.workflow import Workflow
from engine.security.links import OF_A_LETTER, BadLink, Kind, Link
from engine.security.rate_limits import UNKNOWN_TOKENS
from engine.storage.database import ROW_LOCK, across_clubs, enter_club
from engine.storage.models import Case, Club, Event, Letter, Person, WebSession
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.i18n import set_request_owner
from web.http.security import SESSION_COOKIE as COOKIE
from web.http.security import check_network_limit


class SignedOut(Forbidden):
    """A press by a person who is not signed in any more. ``door``: the sign-in page."""

    def __init__(self, door: str) -> None:
        super().__init__()
        self.door = door


OF_A_CASE: tuple[Kind, ...] = ("case", "proof", "confirm")
MEMBER_LIFE, OFFICE_LIFE = timedelta(days=90), timedelta(days=14)


class DeadLink(Exception):
    """A link of ours that has ended; the page says how to get a fresh one."""

    def __init__(self, club: Club, case: Case | None = None, *, is_out: bool = False) -> None:
        super().__init__("dead link")
        self.club = club
        self.case = case
        self.is_out = is_out


@dataclass(frozen=True)
class Mailed:
    """The letter that holds a one-time link, as far as the link depends on it."""

    id: int
    name: str
    case_id: int | None
    version: int | None


@dataclass(frozen=True)
class Visitor:
    """The person behind a link.

    ``case`` and ``about`` (its person): if the link's target is a case. ``mailed``: of a one-time
    link. ``proof``: what the link shows about its holder. Its first use is checked where it is
    used.
    """

    link: Link
    club: Club
    you: Person
    case: Case | None
    about: Person | None
    mailed: Mailed | None = None
    proof: Proof = Proof.NONE


def read_token(token: str) -> Link:
    """Return the link in a token; 404, counted by the rate limit, for a foreign one."""
    try:
        return services().links.read(g.get("link_token") or token)
    except BadLink:
        if not check_network_limit(UNKNOWN_TOKENS):
            abort(429)
        abort(404)


def visitor(session: ClubSession, link: Link, *, held: bool = False) -> Visitor:
    """Return the visitor of a link.

    ``held``: for a press, so that a second press waits for the case and then sees what the first
    one did.

    Raises: NotFound: its club, person, letter or case is missing, or they do not belong together.
    DeadLink: its epoch was ended (leaving, removal, erasure, a new address, "my link got out"), or
    its time is over.
    """
    enter_club(session, link.club_id)
    mailed = _mailed(session, link)
    case_id = (mailed.case_id or 0) if mailed else link.target
    wanted = {"club": link.club_id, "you": link.person_id, "case": case_id}
    found = session.execute(_BEHIND_HELD, wanted).first() if held else None
    found = found or session.execute(_BEHIND, wanted).first()
    if found is None:
        abort(404)
    club, you, case, about = found
    remember_club(session, club)
    if link.epoch != you.link_epoch:
        raise DeadLink(club, is_out=you.status in ("departed", "removed", "erased"))
    case = case if link.kind in OF_A_CASE else None
    if link.expired(services().clock.now()):
        raise DeadLink(club, case)
    set_request_owner(club, you)
    return Visitor(link, club, you, case, about, mailed, _proof(session, link, mailed, case))


def _mailed(session: ClubSession, link: Link) -> Mailed | None:
    """Return the letter of a one-time link; 404 if it went to another person."""
    if link.kind not in OF_A_LETTER:
        return None
    columns = (Letter.id, Letter.name, Letter.case_id, Letter.version)
    found = session.execute(
        select(*columns).where(Letter.id == link.target, Letter.person_id == link.person_id)
    ).first()
    if found is None:
        abort(404)
    return Mailed(*found)


def _proof(session: ClubSession, link: Link, mailed: Mailed | None, case: Case | None) -> Proof:
    """Return what a confirmation link shows.

    It lasts half an hour, and in a case only while the state that asked for it lasts.
    """
    if link.kind == "proof":
        return Proof.ADDRESS
    if mailed is None or not link.is_fresh(services().clock.now()):
        return Proof.NONE
    if link.kind != "confirm":
        return Proof.NOW
    asked = (
        session.get(Event, (case.club_id, case.id, mailed.version))
        if case and mailed.version
        else None
    )
    return Proof.NOW if asked and case and asked.to_state == case.state else Proof.NONE


def _behind(*, to_a_case: bool) -> Select[*tuple[Any, ...]]:
    """Return club, person and, if the target is one, the case with its person."""
    about = aliased(Person)
    return (
        select(Club, Person, Case, about)
        .join(Person, (Person.club_id == Club.id) & (Person.id == bindparam("you")))
        .join(
            Case, (Case.club_id == Club.id) & (Case.id == bindparam("case")), isouter=not to_a_case
        )
        .join(
            about, (about.club_id == Club.id) & (about.id == Case.person_id), isouter=not to_a_case
        )
        .where(Club.id == bindparam("club"))
    )


_BEHIND = _behind(to_a_case=False)
_BEHIND_HELD = _behind(to_a_case=True).with_for_update(of=Case, **ROW_LOCK)


def start_session(
    session: ClubSession,
    club_id: int,
    person_id: int,
    link: str,
    now: datetime,
    *,
    secret: str = "",
) -> tuple[str, timedelta]:
    """Sign a browser in. The secret itself is not stored."""
    enter_club(session, club_id)
    person = session.get_one(Person, (club_id, person_id))
    life = life_of(person)
    secret = secret or secrets.token_urlsafe(32)
    device = str(request.user_agent)[:200]
    session.add(
        WebSession(
            person_id=person_id,
            secret_hash=hashes_of(secret)[0],
            link=link,
            device=device,
            browser=hashes_of(here)[0] if (here := request.cookies.get("jiuniu_device")) else "",
            started_at=now,
            ends_at=now + life,
        )
    )
    return secret, life


def sign_in_by(session: ClubSession, link: Link, now: datetime) -> tuple[str, timedelta] | None:
    """Use up a sign-in link; return None if it was used before, also by an ended session."""
    enter_club(session, link.club_id)
    if not spend(session, link.target, "sign in", now):
        return None
    return start_session(session, link.club_id, link.person_id, str(link.target), now)


def set_session_cookie(response: Response, slug: str, secret: str, life: timedelta) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(life.total_seconds()),
        path=f"{request.script_root}/{slug}/",
        httponly=True,
        samesite="Lax",
        secure=services().settings.base_url.startswith("https://"),
    )


@across_clubs
def signed_in(session: ClubSession, club_id: int, secret: str | None = None) -> Person | None:
    """Return the person who is signed in to this club by cookie or by this secret."""
    secret = secret or request.cookies.get(COOKIE)
    if not secret:
        return None
    found = session.execute(
        select(WebSession).where(WebSession.secret_hash.in_(hashes_of(secret)))
    ).scalar_one_or_none()
    if found is None or found.club_id != club_id or found.ends_at <= services().clock.now():
        return None
    person = session.get(Person, (club_id, found.person_id))
    if person is None or person.status != PersonStatus.MEMBER:
        return None
    return person if services().clock.now() < found.started_at + life_of(person) else None


def life_of(person: Person) -> timedelta:
    """Return how long a sign-in lasts; a new officer has the office's from then on."""
    return OFFICE_LIFE if person.role in (PersonRole.OWNER, PersonRole.ADMIN) else MEMBER_LIFE


def session_id_here(session: ClubSession) -> int | None:
    """Return the id of this browser's web session in the club."""
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    return session.execute(
        select(WebSession.id).where(WebSession.secret_hash.in_(hashes_of(secret)))
    ).scalar_one_or_none()


def hashes_of(secret: str) -> list[str]:
    """Hash a cookie's value under each key of the installation, the present one first.

    Under a key: replacing it without a fallback signs every browser out.
    """
    return [
        hmac.digest(key.encode(), b"jiuniu.cookie:" + secret.encode(), hashlib.sha256).hex()
        for key in services().settings.secret_keys
    ]


def club_here(session: ClubSession, slug: str) -> Club:
    """Return the club of this address and enter it with session and page; 404 without one."""
    club = by_slug(session, slug)
    if club is None:
        abort(404)
    enter_club(session, club.id)
    remember_club(session, club)
    set_request_owner(club)
    return club


def visitor_here(session: ClubSession, slug: str) -> tuple[Club, Person | None]:
    """Return the club of this address and its signed-in person, and set the page's language.

    404 without a club.
    """
    club = club_here(session, slug)
    you = signed_in(session, club.id)
    set_request_owner(club, you)
    return club, you


def link_for(club: Club, you: Person, kind: Kind, target: int) -> str:
    """Return a path of this site for this person.

    Relative: a page never shows absolute links of its own.
    """
    return url_for(
        "member.member_page" if kind == "me" else "case.case_page",
        token=token_for(club, you, kind, target),
    )


def form_link(club: Club, you: Person, flow: type[Workflow]) -> str:
    """Return the path of a form that is addressed to this person."""
    return link_for(club, you, "form", form_number(flow))


def token_for(club: Club, you: Person, kind: Kind, target: int) -> str:
    return services().links.token(
        Link(kind, club.id, you.id, you.link_epoch, target, services().clock.now())
    )


def officer_here(
    session: ClubSession, slug: str, *, only_owner: bool = False
) -> tuple[Club, Person]:
    """Return the club and its signed-in officer; 403 for an admin on an owner's page.

    Others are redirected to the sign-in page or to their own, but never away from a press.
    """
    club, you = visitor_here(session, slug)
    if you is None:
        redirect_to_sign_in(url_for("desk.overview_page", slug=slug))
    if you.role not in (PersonRole.OWNER, PersonRole.ADMIN) and request.method != "POST":
        abort(redirect(url_for("member.signed_in_page", slug=slug), 302))
    if you.role not in (("owner",) if only_owner else ("owner", "admin")):
        abort(403)
    return club, you


def redirect_to_sign_in(door: str) -> NoReturn:
    """Redirect a GET to the sign-in page; raise SignedOut on POST, so no input is lost."""
    if request.method == "POST":
        raise SignedOut(door)
    abort(redirect(door, 302))
