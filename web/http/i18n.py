"""The language of a request, and the words and times of its pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, request
from markupsafe import Markup, escape

from engine.cases.held_up import held_up_by
from engine.club.history import HistoryEntry
from engine.declare.registry import UNREADABLE, entrance, label_of, standing, title_of
from engine.declare.roles import is_turn_of, person
from engine.storage.models import Case, Club, Event, Person
from engine.text.i18n import (
    LANGUAGES,
    best_language,
    isolate,
    say_clock,
    say_date,
    say_day,
    say_days,
    say_moment,
    say_short,
    translate,
)
from engine.text.i18n import marked as _
from web.app.services import services
from web.labels import letter_words, wording

COOKIE = "lang"


def begin_request() -> None:
    """Choose the language before club and person are known.

    From the switch, its cookie, or the browser.
    """
    g.switched = request.args.get("lang") if request.args.get("lang") in LANGUAGES else None
    cookie = request.cookies.get(COOKIE)
    g.chosen = g.switched or (cookie if cookie in LANGUAGES else None)
    accepted = [best_language(tag, "") for tag, _ in request.accept_languages]
    g.accepted = next((tag for tag in accepted if tag), None)
    g.language = g.chosen or g.accepted or LANGUAGES[0]
    g.club = g.you = None


def set_request_owner(club: Club | None, you: Person | None = None) -> None:
    """Set the page's club and the person's language; a switch on this page goes first."""
    g.club, g.you = club, you
    theirs = you.locale if you else None
    g.language = (
        g.switched or theirs or g.chosen or g.accepted or (club.locale if club else LANGUAGES[0])
    )


def gettext(text: str, **values: Any) -> str:
    """Translate into the page's language; markup that is filled in stays markup."""
    found = translate(text, g.language)
    if any(isinstance(value, Markup) for value in values.values()):
        found = escape(found)
    return found % values if values else found


def _zone() -> str:
    return g.club.zone if g.club else "UTC"


def init(app: Flask) -> None:
    app.before_request(begin_request)
    app.jinja_env.globals.update(
        _=gettext,
        state_word=state_word,
        action_word=action_word,
        told=told,
        choice_word=choice_word,
        turn_word=turn_word,
        is_turn_of_person=lambda case: is_turn_of(case.turn, person),
        case_label=case_label,
        held_up_word=held_up_word,
        paused_word=paused_word,
        letter_word=letter_word,
        letter_state_word=lambda state: gettext(letter_words.STATES[state]),
        meaning_word=lambda meaning: gettext(letter_words.MEANINGS[meaning]) if meaning else "",
        standing_word=standing_word,
        entrance=entrance,
        unreadable=lambda case: standing(case) is UNREADABLE,
    )
    app.jinja_env.globals["mailbox_shows"] = lambda: services().outgoing().origin == "mailbox"
    app.jinja_env.filters.update(
        moment=lambda at: say_moment(at, _zone(), g.language),
        short=lambda at, club=None: say_short(at, club.zone if club else _zone(), g.language),
        date=lambda at: say_date(at, _zone(), g.language),
        day=lambda at: say_day(at, _zone(), g.language),
        clock=lambda at: say_clock(at, _zone(), g.language),
        in_words=in_words,
        isolate=isolate,
    )
    app.context_processor(
        lambda: {
            "club": g.get("club"),
            "you": g.get("you"),
            "language": g.get("language", LANGUAGES[0]),
            "unsafe": services().settings.is_unsafe,
        }
    )

    @app.after_request
    def _remember_switch(response: Response) -> Response:
        if g.get("switched"):
            response.set_cookie(
                COOKIE, g.switched, max_age=365 * 86400, samesite="Lax", secure=request.is_secure
            )
        return response


def state_word(workflow: str, state: str) -> str:
    """Return the word of a state, also of one that is not declared any more."""
    return gettext(wording.state_text(workflow, state))


def action_word(action: str, case: Case | None = None) -> str:
    """Return the word on a button, by case and state if it has a special one."""
    workflow, state = (case.workflow, case.state) if case else ("", "")
    return gettext(wording.action_text(action, workflow, state))


def told(
    workflow: str,
    deed: HistoryEntry | Event,
    whose: Markup,
    who: Markup,
    whom: Markup | None = None,
) -> str:
    """Return what happened as a sentence, and how the named persons are shown.

    ``whose``: the case's person; ``who``: the actor; ``whom``: in whose name or place.
    """
    alone = wording.system_event_text(workflow, deed)
    if alone:
        return gettext(alone)
    pattern = _("%(who)s (for %(whom)s) %(deed)s") if whom else _("%(who)s %(deed)s")
    return gettext(
        pattern, who=who, whom=whom, deed=gettext(wording.event_text(workflow, deed), whose=whose)
    )


def turn_word(turn: str, whose: str) -> str:
    """Name everybody whose turn it is; ``whose`` case it is goes by their name."""
    names = [
        whose if role == "person" else gettext(wording.ROLES.get(role, wording.SOMEBODY))
        for role in turn.split("|")
    ]
    if len(names) == 1:
        return names[0]
    return gettext(
        _("%(some)s or %(other)s"), some=gettext(_(", ")).join(names[:-1]), other=names[-1]
    )


def case_label(case: Case) -> str:
    """Return the title of a case, with its week if it has one."""
    return title_of(case, g.language, today())


def today() -> date:
    """Return the day that it is where the club is."""
    return services().clock.now().astimezone(ZoneInfo(_zone())).date()


HELD_UP = _(
    "As soon as this is handed in, the reading week %(days)s begins for you, until %(when)s."
)
LEFT_OUT = _(
    "The reading week %(days)s did not begin for you, because this was still open; "
    "nothing is owed for it."
)


def held_up_word(case: Case) -> str:
    """Return what the newest week waits for that this case keeps from beginning, else nothing."""
    kept = held_up_by(case)
    if not kept or not case.turn:
        return ""
    days = say_days(*kept[-1].days, g.language)
    until = kept[-1].begins_until
    if services().clock.now() <= until:
        return gettext(HELD_UP, days=days, when=say_short(until, _zone(), g.language))
    return gettext(LEFT_OUT, days=days)


DAYS_LEFT = (
    _("On a break; afterwards less than a day is left"),
    _("On a break; afterwards one day is left"),
    _("On a break; afterwards %(n)s days are left"),
)


def paused_word(case: Case) -> str:
    """Return how much time is left after the pause of the club, instead of the old deadline."""
    if g.club is None or g.club.paused_at is None or case.due_at is None:
        return ""
    left = case.due_at - max(g.club.paused_at, case.entered_at)
    return gettext(DAYS_LEFT[min(max(left.days, 0), 2)], n=left.days)


def letter_word(name: str) -> str:
    """Return the title of a letter from its name (``study_plan.please_write``)."""
    parts = (label_of(name), letter_words.letter_text(name))
    return gettext(": ").join(gettext(part) for part in parts if part) or name


def standing_word(person: Person) -> str:
    """Return a person's role in the club, or why they are not in it."""
    standing = letter_words.STANDING.get(person.status)
    return gettext(standing or letter_words.RANKS[person.role])


def choice_word(workflow: str, choice: str) -> str:
    return gettext(wording.choice_text(workflow, choice))


def in_words(at: datetime) -> str:
    """Return the distance of a time in words: "in 2 days", "3 hours ago"."""
    seconds = (at - services().clock.now()).total_seconds()
    size, *words = next(
        (span for span in wording.SPANS if abs(seconds) >= span[0]), wording.SPANS[-1]
    )
    count = max(1, int(abs(seconds) // size))
    one, several = words[:2] if seconds >= 0 else words[2:]
    return gettext(one) if count == 1 else gettext(several, n=count)
