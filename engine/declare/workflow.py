"""The words in which a club's rules are declared. Data only: nothing here acts.

A workflow is a class; its states are attributes; a state says whose turn it is, who hears of it,
who may do what, who is reminded when, and how it ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from wtforms.fields.core import UnboundField

from engine.charter.model import Number, charter
from engine.declare.due_times import (
    EndOfDay,
    Later,
    NamedMoment,
    Weekly,
    When,
    end_of_day,
    later,
    moment,
    weekly,
)
from engine.declare.openings import (
    Calendar,
    Form,
    HeldBefore,
    OfferedBy,
    OpenedFrom,
    Opening,
    calendar,
    form,
    held_before,
    offered_by,
    opened_from,
)
from engine.declare.roles import (
    Proof,
    Role,
    admins,
    anyone,
    members,
    nobody,
    owner,
    person,
    reviewer,
)
from engine.declare.targets import Target, arrows, either, majority, stay
from engine.text.i18n import marked

REMOVAL_PROPOSED = "removal_proposed"

if TYPE_CHECKING:
    from engine.declare.transition import Transition
    from engine.storage.models import Person

__all__ = [
    "Calendar",
    "EndOfDay",
    "Form",
    "HeldBefore",
    "Later",
    "NamedMoment",
    "OfferedBy",
    "OpenedFrom",
    "Opening",
    "State",
    "Weekly",
    "When",
    "Workflow",
    "admins",
    "anyone",
    "ask",
    "before_due",
    "calendar",
    "charter",
    "due",
    "either",
    "end_of_day",
    "final",
    "form",
    "held_before",
    "later",
    "majority",
    "marked",
    "may",
    "members",
    "moment",
    "nobody",
    "offered_by",
    "opened_from",
    "owner",
    "person",
    "poll",
    "reviewer",
    "stay",
    "tell",
    "weekly",
]

Effect = Callable[["Transition"], None]
PersonTest = Callable[["Person"], bool]
Choices = Callable[["Transition"], Iterable[str]]
Note = Literal["none", "optional", "required"]
WORKFLOW, REMOVAL = "workflow", "removal"


# What a state is made of


@dataclass(frozen=True)
class LetterSpec:
    """A letter by name. An *ask* is dropped once it is no longer the recipient's turn; a *tell*
    always leaves.

    ``at``: the answer that holds the address to which it goes instead of the recipient's own.
    ``gathers``: the topic (``WORKFLOW``: its own workflow) which, where the charter says so, does
    not ask by itself but in the decider's daily letter.
    """

    name: str
    to: Role | None
    asks: bool
    at: str = ""
    gathers: str = ""


def ask(name: str, *, at: str = "", gathers: str = "") -> LetterSpec:
    """A letter that wants something, to whose turn it is."""
    return LetterSpec(name, None, asks=True, at=at, gathers=gathers)


def tell(name: str, to: Role = person, *, at: str = "") -> LetterSpec:
    """News, composed from what the event recorded."""
    return LetterSpec(name, to, asks=False, at=at)


@dataclass(frozen=True)
class Act:
    """An act that somebody may do here: a button, or a form when it fills fields."""

    who: Role
    action: str
    to: Target
    fill: tuple[str, ...] = ()
    note: Note = "none"
    asks_days: bool = False
    proof: Proof = Proof.NONE
    only_if: PersonTest | None = None
    tells: tuple[LetterSpec, ...] = ()
    do: Effect | None = None


def may(
    who: Role,
    action: str,
    *,
    to: Target,
    fill: Iterable[str] = (),
    note: Note = "none",
    due: Literal["days"] | None = None,
    proves: bool = False,
    step_up: bool = False,
    only_if: PersonTest | None = None,
    tells: LetterSpec | tuple[LetterSpec, ...] = (),
    do: Effect | None = None,
) -> Act:
    """``due="days"``: the actor says how many days the next state lasts. ``tells``: news of this
    act, also on ``stay``.

    ``proves``: the press shows who reads an address, so only the link in the state's own ask offers
    it. ``step_up``: it cannot be taken back, so that link offers it for half an hour and to nobody
    else. ``only_if``: offered while this holds of the person concerned.
    """
    told = (tells,) if isinstance(tells, LetterSpec) else tells
    proof = Proof.NOW if step_up else Proof.ADDRESS if proves else Proof.NONE
    return Act(who, action, to, tuple(fill), note, due == "days", proof, only_if, told, do)


@dataclass(frozen=True)
class Poll:
    """One mark per person and round. Votes do not bump the case's version until the deciding one."""

    who: Role
    choices: str | Choices
    first: Number | None
    change: bool
    secret: bool
    to: Target | None
    besides: Role | None
    by: Role | None


def poll(
    who: Role,
    choices: str | Choices,
    *,
    first: Number | None = None,
    change: bool = False,
    secret: bool = False,
    to: Target | None = None,
    besides: Role | None = None,
    by: Role | None = None,
) -> Poll:
    """``first`` votes decide at once and move the case ``to``; else ``at_due`` counts."""
    return Poll(who, choices, first, change, secret, to, besides, by)


@dataclass(frozen=True)
class Reminder:
    before: Number
    letter: LetterSpec


def before_due(before: Number, letter: LetterSpec) -> Reminder:
    return Reminder(before, letter)


@dataclass(frozen=True)
class Due:
    when: When
    to: Target


def due(when: When, *, to: Target) -> Due:
    """When the time is up, and where the clock then leads, through the same door as everybody's
    acts."""
    return Due(when, to)


Part = LetterSpec | Act | Poll | Reminder | Due


class State:
    """Whose turn it is and what may happen. On entering: its letters, and ``do``, in the same
    commit.

    One that is not final has a ``due``: nothing waits for ever. ``undo``: whoever decided on it may
    take that back, to the state and the due time that the case had; ``alone``: where it leads at
    once when nobody else is there to decide; ``clause``: what it rests on, where that is not the
    workflow's.
    """

    name: str

    def __init__(
        self,
        turn: Role,
        *parts: Part,
        do: Effect | None = None,
        undo: bool = False,
        alone: Target | None = None,
        keep: Number | None = None,
        clause: str = "",
    ) -> None:
        self.turn = turn
        self.entry_letters = tuple(part for part in parts if isinstance(part, LetterSpec))
        self.acts = tuple(part for part in parts if isinstance(part, Act))
        self.poll = next((part for part in parts if isinstance(part, Poll)), None)
        self.reminders = tuple(part for part in parts if isinstance(part, Reminder))
        self.due = next((part for part in parts if isinstance(part, Due)), None)
        self.do, self.undo, self.alone, self.keep, self.clause = do, undo, alone, keep, clause
        self.is_final = turn is nobody

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def letters(self) -> tuple[LetterSpec, ...]:
        told = tuple(letter for act in self.acts for letter in act.tells)
        return self.entry_letters + tuple(item.letter for item in self.reminders) + told

    def arrows(self) -> tuple[str, ...]:
        found = [target for act in self.acts for target in arrows(act.to)]
        found += arrows(self.due.to) if self.due else ()
        found += arrows(self.poll.to) if self.poll and self.poll.to else ()
        found += arrows(self.alone) if self.alone else ()
        return tuple(found)


def final(
    *parts: LetterSpec | Act,
    do: Effect | None = None,
    undo: bool = False,
    keep: Number | None = None,
    clause: str = "",
) -> State:
    """The end of a case. ``keep``: how many days what was written stays before it is erased.

    Its letters tell how the case ended, once. What may be done afterwards (taking back,
    readmitting) leads to another end and tells by its act's own ``tells``.
    """
    return State(nobody, *parts, do=do, undo=undo, keep=keep, clause=clause)


class Workflow:
    """One rule of the club. Subclasses declare; ``engine.declare.registry`` checks and lists them."""

    key: ClassVar[str]
    label: ClassVar[str]
    clause: ClassVar[str]
    opens: ClassVar[Opening | tuple[Opening, ...]]
    openings: ClassVar[tuple[Opening, ...]]
    start: ClassVar[Target] = ""
    form_path: ClassVar[str] = ""
    open_to_anyone: ClassVar[bool]
    needs_fresh_link: ClassVar[bool]
    one_open: ClassVar[bool] = False
    outlives_member: ClassVar[bool] = False
    fields: ClassVar[dict[str, UnboundField[Any]]]
    private: ClassVar[frozenset[str]]
    states: ClassVar[dict[str, State]]

    void = final()
    """Where a case ends that fell away: its person left, or the decision that opened it was taken
    back."""

    def __init_subclass__(cls) -> None:
        cls.key = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        opens = getattr(cls, "opens", ())  # the checks say so where it is missing
        cls.openings = opens if isinstance(opens, tuple) else (opens,)
        cls.open_to_anyone = any(
            isinstance(item, Form) and item.by == anyone for item in cls.openings
        )
        cls.needs_fresh_link = any(isinstance(item, Form) and item.fresh for item in cls.openings)
        cls.form_path = next(
            (item.path for item in cls.openings if isinstance(item, Form)),
            cls.key.replace("_", "-"),
        )
        cls.states = {
            key: value for key, value in vars(cls).items() if isinstance(value, State)
        } | {"void": cls.void}
        cls.fields = {
            key: value for key, value in vars(cls).items() if isinstance(value, UnboundField)
        }
        cls.private = frozenset(
            key for key, field in cls.fields.items() if getattr(field, "private", False)
        )
        cls.start = cls.start or next(iter(cls.states))

    @classmethod
    def clause_of(cls, state: str) -> str:
        """The clause that a state rests on."""
        return getattr(cls.states.get(state), "clause", "") or cls.clause
