"""From a token or a cookie to the person behind it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from flask import abort, redirect, request, url_for
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from engine.club.context import by_slug, remember_club
from engine.declare.registry import form_number
from engine.declare.workflow import Workflow
from engine.security.links import SIGN_IN_LIFE, BadLink, Kind, Link
from engine.security.rate_limits import UNKNOWN_TOKENS
from engine.storage.database import ROW_LOCK, across_clubs, enter_club
from engine.storage.models import Case, Club, Person, WebSession
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from web.app.services import services
from web.http.i18n import set_request_owner
from web.http.security import check_rate_limit, client_address


class SignedOut(Forbidden):
    """Whoever pressed is not signed in any more. ``door``: where they sign in."""

    def __init__(self, door: str) -> None:
        super().__init__()
        self.door = door


COOKIE = "jiuniu_session"
OF_A_CASE: tuple[Kind, ...] = ("case", "proof")
MEMBER_LIFE, OFFICE_LIFE = timedelta(days=90), timedelta(days=14)


class DeadLink(Exception):
    """A link of ours that no longer opens anything; the page says how to get a fresh one."""

    def __init__(self, club: Club, case: Case | None = None, *, is_out: bool = False) -> None:
        super().__init__("dead link")
        self.club, self.case, self.is_out = club, case, is_out


@dataclass(frozen=True)
class Visitor:
    """``case`` and ``about``, the person concerned: where the link's target is a case."""

    link: Link
    club: Club
    you: Person
    case: Case | None
    about: Person | None


def read_token(token: str) -> Link:
    """The link in a token; 404 for one that is not ours (and those are counted)."""
    try:
        return services().links.read(token)
    except BadLink:
        if not check_rate_limit(UNKNOWN_TOKENS, client_address()):
            abort(429)
        abort(404)


def visitor(session: ClubSession, link: Link, *, held: bool = False) -> Visitor:
    """Who comes by this link. Raises DeadLink when its time or its epoch is over.

    ``held``: by whoever presses, so that a second press waits for the case and then sees what the
    first one did.
    """
    enter_club(session, link.club_id)
    wanted = {"club": link.club_id, "you": link.person_id, "case": link.target}
    found = session.execute(_BEHIND_HELD, wanted).first() if held else None
    found = found or session.execute(_BEHIND, wanted).first()
    if found is None:
        abort(404)
    club, you, case, about = found
    remember_club(session, club)
    if link.epoch != you.link_epoch:
        raise DeadLink(
            club,
            is_out=you.status in (PersonStatus.DEPARTED, PersonStatus.REMOVED, PersonStatus.ERASED),
        )
    if link.expired(services().clock.now()):
        raise DeadLink(club, case if link.kind in OF_A_CASE else None)
    set_request_owner(club, you)
    return Visitor(link, club, you, case if link.kind in OF_A_CASE else None, about)


def _behind(*, to_a_case: bool) -> Select[*tuple[Any, ...]]:
    """All that a link speaks of: club, person, and the case that is its target (or may be) with the
    person concerned."""
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
) -> tuple[str, timedelta] | None:
    """Sign a browser in; None when this link was used before. The secret itself is not kept."""
    enter_club(session, club_id)
    if session.execute(select(WebSession.id).where(WebSession.link == link)).first():
        return None
    person = session.get_one(Person, (club_id, person_id))
    life = life_of(person)
    secret = secret or secrets.token_urlsafe(32)
    device = str(request.user_agent)[:200]
    session.add(
        WebSession(
            person_id=person_id,
            secret_hash=_hash(secret),
            link=link,
            device=device,
            started_at=now,
            ends_at=now + life,
        )
    )
    return secret, life


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
    """The person whose browser this is, if it is signed in to this club (by its cookie, or by the
    secret at hand)."""
    secret = secret or request.cookies.get(COOKIE)
    if not secret:
        return None
    found = session.execute(
        select(WebSession).where(WebSession.secret_hash == _hash(secret))
    ).scalar_one_or_none()
    if found is None or found.club_id != club_id or found.ends_at <= services().clock.now():
        return None
    person = session.get(Person, (club_id, found.person_id))
    if person is None or person.status != PersonStatus.MEMBER:
        return None
    return person if services().clock.now() < found.started_at + life_of(person) else None


def life_of(person: Person) -> timedelta:
    """How long a sign-in lasts; whoever comes into an office later has the office's from then on."""
    return OFFICE_LIFE if person.role in (PersonRole.OWNER, PersonRole.ADMIN) else MEMBER_LIFE


def session_id_here(session: ClubSession) -> int | None:
    """Which of the club's signed-in browsers this is."""
    secret = request.cookies.get(COOKIE)
    if not secret:
        return None
    return session.execute(
        select(WebSession.id).where(WebSession.secret_hash == _hash(secret))
    ).scalar_one_or_none()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def club_here(session: ClubSession, slug: str) -> Club:
    """The club of this address; the session and the page are its own from here on. 404 where there
    is none."""
    club = by_slug(session, slug)
    if club is None:
        abort(404)
    enter_club(session, club.id)
    remember_club(session, club)
    set_request_owner(club)
    return club


def visitor_here(session: ClubSession, slug: str) -> tuple[Club, Person | None]:
    """The club of this address and who is signed in to it; the page is theirs from here on. 404
    where there is no club."""
    club = club_here(session, slug)
    you = signed_in(session, club.id)
    set_request_owner(club, you)
    return club, you


def link_for(club: Club, you: Person, kind: Kind, target: int) -> str:
    """A path of this site for this person: a page never shows absolute links of its own."""
    return url_for(
        "member.member_page" if kind == "me" else "case.case_page",
        token=token_for(club, you, kind, target),
    )


def form_link(club: Club, you: Person, flow: type[Workflow], *, made_at: datetime) -> str:
    """A path of this site to a form, already addressed; no younger than the link that led here."""
    return url_for(
        "case.case_page", token=token_for(club, you, "form", form_number(flow), made_at=made_at)
    )


def age_of_a_session() -> datetime:
    """A session may be weeks old: the links that come of it are too old for what cannot be taken
    back."""
    return services().clock.now() - 2 * SIGN_IN_LIFE


def token_for(
    club: Club, you: Person, kind: Kind, target: int, *, made_at: datetime | None = None
) -> str:
    """``made_at``: a link that comes of another one is no younger than that."""
    return services().links.token(
        Link(kind, club.id, you.id, you.link_epoch, target, made_at or services().clock.now())
    )


def officer_here(
    session: ClubSession, slug: str, *, only_owner: bool = False
) -> tuple[Club, Person]:
    """The club and the owner or admin whose browser this is; 403 for an admin where the page is the
    owner's.

    Others are led on to the sign-in page or to their own, but never away from a press.
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
    """To the page where one signs in; a press stays with what was typed."""
    if request.method == "POST":
        raise SignedOut(door)
    abort(redirect(door, 302))
