"""The data of letters about no single case: daily letter, receipt, sign-in link."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from engine.club.permissions import undo_open
from engine.declare.fields import written_answers
from engine.declare.registry import UNREADABLE, label_of, standing, title_of, workflow
from engine.declare.roles import is_turn_of
from engine.declare.roles import person as the_person
from engine.declare.transition import undo_ends
from engine.declare.workflow import REMOVAL_PROPOSED
from engine.outbox.queue import UNANSWERED, UNCERTAIN
from engine.reports import worklists
from engine.storage.models import Letter, Person
from engine.storage.states import PersonRole
from engine.text.i18n import isolate, translate
from mailers.letters.context import LetterContext, LetterDropped
from mailers.letters.document import start_of

_MANY = 5  # A longer list is easier to read with its counts above it.
_DAY = timedelta(days=1)
_SOON = timedelta(days=2)


def data_for(facts: LetterContext) -> dict[str, Any]:
    """Return the letter's own data, gathered now if it is a digest.

    Raises: LetterDropped if there is nothing to say.
    """
    gather = _GATHER.get(facts.letter.name)
    return gather(facts) if gather else facts.letter.data


def _daily(facts: LetterContext) -> dict[str, Any]:
    waiting = _readable(facts, worklists.waiting_for(facts.session, facts.you))
    kinds = Counter("" if row["removal"] else row["kind"] for row in waiting)
    is_owner = facts.you.role == PersonRole.OWNER
    late = _readable(facts, worklists.late(facts.session)) if is_owner else []
    trouble = [
        _failed(facts, *pair)
        for pair in (worklists.letters_in_trouble(facts.session) if is_owner else [])
    ]
    resting = (
        [_matter(facts, matter) for matter in worklists.stuck_cases(facts.session)]
        if is_owner
        else []
    )
    if not (waiting or late or trouble or resting):
        raise LetterDropped("nothing waits any more")
    gathered = {"waiting": waiting, "late": late, "trouble": trouble, "resting": resting}
    # Each line costs some 800 bytes in both parts together; the desk shows what does not fit.
    most = max(3, facts.room // 800)
    more = sum(max(0, len(rows) - most) for rows in gathered.values())
    return {name: rows[:most] for name, rows in gathered.items()} | {
        "groups": _grouped(waiting[:most], facts.now),
        "count": len(waiting),
        "more": more,
        "fresh": sum(row["fresh"] for row in waiting),
        "kinds": kinds.most_common() if len(kinds) > 1 and len(waiting) > _MANY else [],
    }


def _grouped(
    waiting: list[dict[str, Any]], now: datetime
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Group into due soon, to review, and to remove; a short list stays in one piece."""
    if len(waiting) <= _MANY:
        return [("review", waiting)]
    groups: dict[str, list[dict[str, Any]]] = {"soon": [], "review": [], "removal": []}
    for row in waiting:
        soon = row["due"] is not None and row["due"] - now <= _SOON
        groups["soon" if soon else "removal" if row["removal"] else "review"].append(row)
    return [(name, rows) for name, rows in groups.items() if rows]


def _receipt(facts: LetterContext) -> dict[str, Any]:
    decisions = []
    for event, case, person in worklists.decisions_since(
        facts.session, facts.you, facts.letter.created_at
    ):
        stands = case.entered_version == event.version
        can_undo = stands and undo_open(facts.session, case, facts.you, facts.now) is not None
        decisions.append(
            {
                "label": title_of(case, facts.language, facts.today),
                "who": isolate(person.name),
                "action": event.action,
                "at": event.at,
                "device": " · ".join(
                    translate(word, facts.language) for word in event.device.split(" · ") if word
                ),
                "url": facts.link_to("case", case.id),
                "undo_until": undo_ends(event, facts.charter) if can_undo else None,
                "until": case.due_at if stands and event.action == "extend" else None,
                "removed": stands and event.action == "remove",
            }
        )
    if not decisions:
        raise LetterDropped("nothing was decided")
    return {"decisions": decisions[: max(10, facts.room // 800)]}


def _sign_in(facts: LetterContext) -> dict[str, Any]:
    return {"url": facts.link_to("desk", facts.letter.id)}


def _paused(facts: LetterContext) -> dict[str, Any]:
    until = facts.letter.data["until"]
    mine = worklists.cases_of(facts.session, facts.you)
    return {
        "until": datetime.fromisoformat(until) if until else None,
        "open": any(case.turn == "person" for case in mine),
    }


def _resumed(facts: LetterContext) -> dict[str, Any]:
    mine = [
        case
        for case in worklists.cases_of(facts.session, facts.you)
        if is_turn_of(case.turn, the_person)
    ]
    due = sorted(
        (case.due_at, title_of(case, facts.language, facts.today))
        for case in mine
        if case.due_at is not None
    )
    return {"due": [{"label": label, "due": at} for at, label in due]}


_GATHER = {
    "club.daily": _daily,
    "club.receipt": _receipt,
    "club.sign_in": _sign_in,
    "club.paused": _paused,
    "club.resumed": _resumed,
}


def _failed(facts: LetterContext, letter: Letter, person: Person) -> dict[str, Any]:
    times = letter.data.get(UNANSWERED, 0) if letter.state == "held" else 0
    said = letter.answer.removeprefix(UNCERTAIN)
    what = translate(label_of(letter.name), facts.language) or letter.name
    return {
        "name": what,
        "who": isolate(person.name or person.address or ""),
        "answer": said,
        "times": times,
    }


def _readable(facts: LetterContext, matters: list[worklists.WorkItem]) -> list[dict[str, Any]]:
    """Leave out the cases in which no one can act; the stuck ones name them."""
    return [_matter(facts, matter) for matter in matters if standing(matter.case) is not UNREADABLE]


def _matter(facts: LetterContext, matter: worklists.WorkItem) -> dict[str, Any]:
    case = matter.case
    is_removal = case.state == REMOVAL_PROPOSED
    return {
        "label": title_of(case, facts.language, facts.today),
        "unreadable": standing(case) is UNREADABLE,
        "kind": translate(workflow(case.workflow).label, facts.language),
        "fresh": case.entered_at > facts.now - _DAY,
        "removal": is_removal,
        "who": isolate(matter.who.name or matter.who.address or ""),
        "due": case.due_at,
        "url": facts.link_to("case", case.id),
        "start": ""
        if is_removal
        else start_of(written_answers(workflow(case.workflow), case.answers)),
    }
