"""The declaration language of a club's rules. Data only: nothing here acts.

A workflow is a class; its states are attributes; a state says whose turn it is, which letters it
sends, who may do what, who is reminded when, and how it ends.
"""

from __future__ import annotations

import functools
import operator
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
from engine.declare.letter_specs import REMOVAL, WORKFLOW, LetterSpec, ask, tell
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
from engine.declare.wording import GENERAL, NumberWording, Wording
from engine.text.i18n import marked

REMOVAL_PROPOSED = "removal_proposed"

if TYPE_CHECKING:
    from engine.declare.transition import Transition
    from engine.storage.models import Person

__all__ = [
    "REMOVAL", "WORKFLOW", "Calendar", "EndOfDay", "Form", "HeldBefore", "Later",
    "LetterSpec", "NamedMoment", "NumberWording", "OfferedBy", "OpenedFrom", "Opening",
    "State", "Weekly", "When", "Wording", "Workflow", "admins", "anyone", "ask",
    "before_due", "calendar", "charter", "due", "either", "end_of_day", "final", "form",
    "held_before", "later", "majority", "marked", "may", "members", "moment", "nobody",
    "offered_by", "opened_from", "owner", "person", "poll", "reviewer", "stay", "tell",
    "weekly",
]  # fmt: skip

Effect = Callable[["Transition"], None]
PersonTest = Callable[["Person"], bool]
Choices = Callable[["Transition"], Iterable[str]]
Note = Literal["none", "optional", "required"]
Style = Literal["plain", "main", "danger"]
Duty = Literal["", "open", "missed", "excused"]
Membership = Literal["", "ends", "resumes"]
Place = Literal["page", "settings", "data", "club"]

# What a state is made of


@dataclass(frozen=True)
class Act:
    """A declared action: a button, or a form if it fills fields."""

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
    style: Style = "plain"


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
    style: Style = "plain",
) -> Act:
    """Declare an action of a role.

    ``due="days"``: the actor says how many days the next state lasts. ``tells``: news of this
    action, also on ``stay``. ``proves``: the press shows that its actor reads an address, so only
    the link in the state's own ask offers it. ``only_if``: offered while this is true of the case's
    person. ``style``: ``main`` is the button that a page offers first, ``danger`` one that asks for
    a second look.
    """
    told = (tells,) if isinstance(tells, LetterSpec) else tells
    proof = Proof.NOW if step_up else Proof.ADDRESS if proves else Proof.NONE
    return Act(who, action, to, tuple(fill), note, due == "days", proof, only_if, told, do, style)


@dataclass(frozen=True)
class Poll:
    """A declared poll: one vote per person and entered version.

    Only the deciding vote raises the case's version.
    """

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
    """Declare a poll.

    ``first`` votes decide at once and move the case ``to``; else the state's ``due`` target counts
    them.
    """
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
    """Declare the deadline, and where the system then leads, by transitions.act as always."""
    return Due(when, to)


Part = LetterSpec | Act | Poll | Reminder | Due


class State:
    """A declared state: the turn and everything that may happen.

    On entry its letters and ``do`` run in the same commit. A state that is not final has a ``due``:
    nothing waits for ever. ``undo``: the state (with its deadline) to which the decider may take
    the decision back. ``alone``: the target if no one else is there to decide. ``clause``: the
    clause, if it is not the workflow's. ``wording``: the words of a builder's states.
    ``duty``: the result of a duty in this state: open (before its first deadline), missed, excused.
    ``membership``: what entering the state does to that of its person. ``announced``: the chat
    group reads who entered it, as long as this is true of them. ``open_to_members``: every member
    may read what was handed in.
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
        wording: Wording = GENERAL,
        duty: Duty = "",
        membership: Membership = "",
        announced: PersonTest | None = None,
        open_to_members: bool = False,
    ) -> None:
        self.turn = turn
        self.entry_letters = tuple(part for part in parts if isinstance(part, LetterSpec))
        self.acts = tuple(part for part in parts if isinstance(part, Act))
        self.poll = next((part for part in parts if isinstance(part, Poll)), None)
        self.reminders = tuple(part for part in parts if isinstance(part, Reminder))
        self.due = next((part for part in parts if isinstance(part, Due)), None)
        self.do = do
        self.undo = undo
        self.alone = alone
        self.keep = keep
        self.clause = clause
        self.wording = wording
        self.duty: Duty = duty
        self.membership: Membership = membership
        self.announced, self.open_to_members = announced, open_to_members
        self.is_final = turn is nobody

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def letters(self) -> tuple[LetterSpec, ...]:
        told = tuple(letter for act in self.acts for letter in act.tells)
        return self.entry_letters + tuple(item.letter for item in self.reminders) + told

    @property
    def awaits_proof(self) -> bool:
        """True if its person still has to show that they read an address."""
        return any(act.proof for act in self.acts)

    def system_targets(self) -> dict[str, Target]:
        """Return the targets of the system actions here; an end has none."""
        if self.is_final:
            return {}
        decided = self.poll.to if self.poll else None
        due, moved = (self.due.to, stay) if self.due else (None, None)
        found = {
            "due": due,
            "decided": decided,
            "postponed": moved,
            "resumed": moved,
            "held": moved,
            "held_up": moved,
            "granted": self.alone,
            "void": "void",
        }
        return {action: target for action, target in found.items() if target is not None}

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
    duty: Duty = "",
    membership: Membership = "",
    announced: PersonTest | None = None,
    open_to_members: bool = False,
) -> State:
    """Declare an end of the case.

    ``keep``: days until the answers are erased. Its letters tell the end once. Later actions (undo,
    readmission) lead to another end and tell it by their own ``tells``.
    """
    return State(
        nobody,
        *parts,
        do=do,
        undo=undo,
        keep=keep,
        clause=clause,
        duty=duty,
        membership=membership,
        announced=announced,
        open_to_members=open_to_members,
    )


class Workflow:
    """One rule of the club. Subclasses declare; ``engine.declare.registry`` checks them.

    ``on_behalf``: the owner may hand in the form for a member. ``listed_on``: where it is found:
    among the forms of a member's own page, under its settings or its data, or on the desk's page
    about the club. ``put_right``: the owner's action that corrects on a person's record what this
    workflow changes. ``taken_back``: the letter after an undo. ``variants``: those of each letter,
    by the event before it.
    """

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
    on_behalf: ClassVar[bool] = False
    listed_on: ClassVar[Place] = "page"
    put_right: ClassVar[str] = ""
    held_by_removal: ClassVar[bool] = False
    fields: ClassVar[dict[str, UnboundField[Any]]]
    private: ClassVar[frozenset[str]]
    wording: ClassVar[Wording] = GENERAL
    taken_back: ClassVar[LetterSpec] = tell("taken_back")
    variants: ClassVar[dict[str, dict[str, str]]]
    states: ClassVar[dict[str, State]]

    void = final()
    """Where a case ends that fell away: its person left, or the decision that opened it was taken
    back."""

    def __init_subclass__(cls) -> None:
        cls.key = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        opens = getattr(cls, "opens", ())  # The checks name it if it is missing.
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
        shared = [state.wording for state in cls.states.values()]
        cls.variants = {}
        for letter in (
            cls.taken_back,
            *(letter for state in cls.states.values() for letter in state.letters()),
        ):
            cls.variants.setdefault(letter.name, {}).update(letter.after)
        cls.wording = functools.reduce(operator.or_, dict.fromkeys([GENERAL, *shared, cls.wording]))

    @classmethod
    def variant_of(cls, letter: str, from_state: str, action: str) -> str:
        """Find which variant of a letter is written after this event; empty: the letter itself."""
        after = cls.variants.get(letter, {})
        return after.get(f"{from_state}>{action}") or after.get(action, "")

    @classmethod
    def clause_of(cls, state: str) -> str:
        """Return the clause of a state."""
        return getattr(cls.states.get(state), "clause", "") or cls.clause
