"""The targets of an action: a state by name, *stay*, or a choice made at run time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.declare.transition import Transition

Test = Callable[["Transition"], bool]


@dataclass(frozen=True)
class Stay:
    """The target that keeps the state: an event is written, no ask is sent."""


stay = Stay()


@dataclass(frozen=True)
class Choice:
    """One of several declared targets; choices may be nested."""

    among: tuple[Target, ...]
    pick: Callable[[Transition], Target]


Target = str | Stay | Choice


def arrows(target: Target) -> tuple[str, ...]:
    if isinstance(target, Choice):
        return tuple(name for part in target.among for name in arrows(part))
    return (target,) if isinstance(target, str) else ()


def resolve(target: Target, transition: Transition) -> str | Stay:
    """Return the state that this transition leads to."""
    while isinstance(target, Choice):
        target = target.pick(transition)
    return target


def either(test: Test, yes: Target, no: Target) -> Choice:
    return Choice((yes, no), lambda transition: yes if test(transition) else no)


def majority(*, elected: Target, rejected: Target, too_few: Target) -> Choice:
    """Return the target for a vote: more yes than no, and the charter's quorum (clause 7.2).

    Without any elector there is no vote: the decision that led to it stays (charter, *votes*).
    """

    def pick(transition: Transition) -> Target:
        if not transition.case.data["electors"]:
            return elected
        if transition.count.total() < transition.numbers.quorum * int(
            transition.case.data["electors"]
        ):
            return too_few
        return elected if transition.count["yes"] > transition.count["no"] else rejected

    return Choice((elected, rejected, too_few), pick)
