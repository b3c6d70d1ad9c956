"""The owner's page of the whole club: a pause over holidays or exams, the handover."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import Form

from engine.cases.offers import CannotOffer, offer, open_offer
from engine.declare.due_times import midnight_after
from engine.declare.fields import Address
from engine.declare.registry import listed_on
from engine.declare.transition import Actor
from engine.scheduler.pause import pause, resume
from engine.scheduler.schedules import RESUME
from engine.storage.database import enter_club
from engine.storage.models import Club, Person, Schedule
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.auth import link_for, officer_here

MOST_DAYS = 366
BAD_DAY = _("Please give a day within the next year, such as 2027-02-14")

club = Blueprint("club", __name__)

Page = str | Response | tuple[str, int]


class OfferForm(Form):
    email = Address(_("Their e-mail address"), hint=_("The one that the club writes to"))


@club.get("/<slug>/desk/club")
def club_rest_page(slug: str) -> Page:
    with services().db.read() as session:
        here, you = officer_here(session, slug, only_owner=True)
        return _page(session, here, you)


@club.post("/<slug>/desk/club")
def press_club(slug: str) -> Page:
    """Pause the club, resume it, or offer it to a member."""
    with services().db.read() as session:
        here, you = officer_here(session, slug, only_owner=True)
    acts = {"pause": _pause, "resume": _resume, "offer": _offer}
    return acts.get(request.form.get("action", ""), _unknown)(here, you)


def _pause(here: Club, you: Person) -> Page:
    named = request.form.get("until", "").strip()
    until = end_of(here, named)
    if named and until is None:
        return _again(here, you, error=BAD_DAY), 422
    services().db.write(pause, here.id, services().clock.now(), until)
    return _back(here)


def _resume(here: Club, you: Person) -> Page:
    services().db.write(resume, here.id, services().clock.now())
    return _back(here, done="resume")


def _offer(here: Club, you: Person) -> Page:
    form = OfferForm(request.form)
    if not form.validate():
        return _again(here, you, form), 422
    try:
        services().db.write(_offered, here.id, you.id, form.data["email"])
    except CannotOffer as reason:
        form.email.errors = [str(reason)]
        return _again(here, you, form), 422
    return _back(here)


def _offered(session: ClubSession, club_id: int, owner_id: int, address: str) -> int:
    enter_club(session, club_id)
    owner = session.get_one(Person, (club_id, owner_id))
    return offer(
        session,
        club_id,
        listed_on("club")[0].key,
        address,
        by=Actor(owner, "page"),
        now=services().clock.now(),
    )


def _unknown(here: Club, you: Person) -> Page:
    abort(400)


def _back(here: Club, done: str | None = None) -> Page:
    return redirect(url_for("club.club_rest_page", slug=here.slug, done=done), 303)


def _again(here: Club, you: Person, form: Form | None = None, *, error: str = "") -> str:
    with services().db.read(here.id) as session:
        return _page(session, here, you, form, error=error)


def _page(
    session: ClubSession, here: Club, you: Person, form: Form | None = None, *, error: str = ""
) -> str:
    goes_on = select(Schedule.next_at).where(Schedule.rule == RESUME)
    offered = open_offer(session, listed_on("club")[0].key)
    return render_template(
        "pages/desk/club.html",
        form=form or OfferForm(),
        until=request.form.get("until", ""),
        error=error,
        goes_on=session.execute(goes_on).scalar_one_or_none(),
        offered=offered,
        offered_to=session.get_one(Person, (here.id, offered.person_id)) if offered else None,
        offer_url=link_for(here, you, "case", offered.id) if offered else "",
    )


def end_of(here: Club, day: str) -> datetime | None:
    """Return the end of a typed day, None unless it is ahead and within a year."""
    try:
        named = date.fromisoformat(day.strip())
    except ValueError:
        return None
    now, zone = services().clock.now(), ZoneInfo(here.zone)
    days = (named - now.astimezone(zone).date()).days
    return midnight_after(now, days, zone) if 0 <= days <= MOST_DAYS else None
