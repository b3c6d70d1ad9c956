"""Texts for the chat group, ready to copy: joining, what is due, results.

No text names a late member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from sqlalchemy import func, select, tuple_
from werkzeug.wrappers import Response

from engine.declare.registry import all_workflows, entrance, shared, state_of, week_of, workflow
from engine.declare.workflow import State
from engine.reports.worklists import ended_in
from engine.scheduler.schedules import calendars
from engine.storage.models import Case, Club, Person, Schedule
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import LANGUAGES, of_week, say_short, translate
from engine.text.i18n import marked as _
from web.app.services import services
from web.http.auth import officer_here

group = Blueprint("group", __name__)

LAST = timedelta(days=7)
MOST_NAMES = 30
MOST_BOOKS = 10
MOST_SHARED = 200
MOST_MOMENTS = 3

JOIN = _("Would you like to read with us? Here is the way in:")
JOIN_NEXT = _("Fill in the form and confirm your e-mail address; you get an answer by mail.")
THIS_WEEK = _("What is on this week:")
NEXT_WEEK = _("The next reading week begins on %(when)s.")
LINKS = _("Your own link is in your mail. You can also ask for it here: %(url)s")
AT_REST = _("Our club is taking a break: nothing is due until it is back.")
QUIET_WEEK = _("Nothing is due at the moment. A good week for a book.")
LAST_WEEK = _("What came of last week:")
SHARED = _("To read for members, shared by their authors:")
BOOK = _("%(name)s: “%(book)s”")
MORE = _("and %(n)s more")
MORE_BOOKS = _("and %(n)s more reflections")
QUIET_LAST = _("A quiet week lies behind us.")


@dataclass(frozen=True)
class ChatText:
    """A text to copy."""

    key: str
    name: str
    text: str


@dataclass(frozen=True)
class Voice:
    """The language of the texts, which may differ from the page's."""

    language: str
    zone: str

    def __call__(self, text: str, **given: object) -> str:
        return translate(text, self.language) % given if given else translate(text, self.language)

    def moment(self, at: datetime) -> str:
        return say_short(at, self.zone, self.language)

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def names(self, people: Sequence[str]) -> str:
        more = [self(MORE, n=len(people) - MOST_NAMES)] if len(people) > MOST_NAMES else []
        return self(", ").join([*people[:MOST_NAMES], *more])


@group.get("/<slug>/desk/group")
def chat_texts_page(slug: str) -> str | Response:
    """Show the texts in the club's language, or in the one that ``in`` names."""
    now, wanted = services().clock.now(), request.args.get("in", "")
    with services().db.read() as session:
        club, _you = officer_here(session, slug)
        say = Voice(wanted if wanted in LANGUAGES else club.locale, club.zone)
        blocks = [
            ChatText("invitation", _("How to join"), _join(club, say)),
            ChatText("week", _("This week"), _this_week(session, club, now, say)),
            ChatText("results", _("Since last week"), _results(session, club, now, say)),
        ]
    return render_template("pages/desk/group.html", blocks=blocks, spoken=say.language)


def _join(club: Club, say: Voice) -> str:
    return "\n".join([say(JOIN), services().links.url(f"{club.slug}/{entrance()}"), say(JOIN_NEXT)])


def _this_week(session: ClubSession, club: Club, now: datetime, say: Voice) -> str:
    if club.paused_at:
        return say(AT_REST)
    lines = [*_duties(session, now, say), *_votes(session, now, say)]
    opening = session.execute(
        select(func.min(Schedule.next_at)).where(Schedule.rule.in_(calendars()))
    ).scalar_one()
    coming = [say(NEXT_WEEK, when=say.moment(opening))] if opening else []
    if not lines:
        return "\n".join([say(QUIET_WEEK), *coming])
    return "\n".join(
        [say(THIS_WEEK), *lines, *coming, say(LINKS, url=services().links.url(f"{club.slug}/me"))]
    )


def _duties(session: ClubSession, now: datetime, say: Voice) -> list[str]:
    """Say what is owed before its first deadline, without names.

    A week's reflection, newcomers' plans.
    """
    period, chat = Case.data["period"].as_string(), _chat_lines(lambda state: state.duty == "open")
    owed = (
        (Case.turn == "person") & tuple_(Case.workflow, Case.state).in_(chat) & (Case.due_at > now)
    )
    asked = select(Case.workflow, Case.state, period, Case.due_at).where(owed)
    asked = asked.group_by(Case.workflow, Case.state, period, Case.due_at)
    moments: dict[tuple[str, str, str], list[datetime]] = {}
    for flow, state, week, due in session.execute(asked.order_by(Case.due_at)):
        moments.setdefault((flow, state, week or ""), []).append(due)
    return [
        say(
            chat[flow, state],
            what=of_week(
                say(workflow(flow).label),
                week_of({"period": week}, say.language, say.day(now)),
                say.language,
            )
            if week
            else "",
            when=say.moment(due[-1])
            if week
            else say(_(", ")).join(say.moment(at) for at in due[:MOST_MOMENTS]),
        )
        for (flow, state, week), due in moments.items()
    ]


def _chat_lines(fits: Callable[[State], object]) -> dict[tuple[str, str], str]:
    """Find what workflows tell the chat group about their cases, by workflow and state."""
    return {
        (flow.key, state.name): flow.wording.chat[state.name]
        for flow in all_workflows()
        for state in flow.states.values()
        if state.name in flow.wording.chat and fits(state)
    }


def _votes(session: ClubSession, now: datetime, say: Voice) -> list[str]:
    of_person = (Person.club_id == Case.club_id) & (Person.id == Case.person_id)
    chat = _chat_lines(lambda state: state.poll)
    asked = select(Case.workflow, Case.state, Case.due_at, Person.display_name).join(
        Person, of_person
    )
    asked = asked.where(tuple_(Case.workflow, Case.state).in_(chat), Case.due_at > now).order_by(
        Case.due_at, Case.id
    )
    return [
        say(chat[flow, state], name=name, when=say.moment(due))
        for flow, state, due, name in session.execute(asked.limit(MOST_NAMES))
        if due
    ]


def _results(session: ClubSession, club: Club, now: datetime, say: Voice) -> str:
    lines = [
        say(line, names=say.names(names))
        for (flow, state), line in _chat_lines(lambda state: state.announced).items()
        if (names := _since(session, now, flow, state))
    ]
    books = _shared(session, club, now, say)
    return "\n".join([say(LAST_WEEK), *lines, *books] if lines or books else [say(QUIET_LAST)])


def _since(session: ClubSession, now: datetime, flow: str, state: str) -> list[str]:
    """Return the display names of persons whose case ended so in the last days.

    Only those of whom the result is still true.
    """
    of_person = (Person.club_id == Case.club_id) & (Person.id == Case.person_id)
    asked = (
        select(Person)
        .join(Case, of_person)
        .where(Case.workflow == flow, Case.state == state, Case.turn == "")
    )
    asked = asked.where(
        Case.entered_at > now - LAST,
        Person.status == PersonStatus.MEMBER,
        Person.role != PersonRole.OWNER,
    )
    still = state_of(flow, state).announced
    found = session.execute(asked.order_by(Case.entered_at, Case.id)).scalars()
    return [person.display_name for person in found if still is None or still(person)]


def _shared(session: ClubSession, club: Club, now: datetime, say: Voice) -> list[str]:
    found = [
        matter
        for matter in ended_in(session, shared(), limit=MOST_SHARED)
        if matter.case.entered_at > now - LAST
    ]
    if not found:
        return []
    books = [
        say(BOOK, name=matter.who.display_name, book=matter.case.answers.get("book", ""))
        for matter in found[:MOST_BOOKS]
    ]
    more = [say(MORE_BOOKS, n=len(found) - MOST_BOOKS)] if len(found) > MOST_BOOKS else []
    return [say(SHARED), *books, *more, services().links.url(f"{club.slug}/reflections")]
