"""Where an act leads: a state by name, nowhere, or a choice that is made when the moment comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.declare.transition import Transition

Test = Callable[["Transition"], bool]


@dataclass(frozen=True)
class Stay:
    """The case stays as it is: an event is written, nobody is asked anew."""


stay = Stay()


@dataclass(frozen=True)
class Choice:
    """One of several targets, every one of them declared; choices may hold choices."""

    among: tuple[Target, ...]
    pick: Callable[[Transition], Target]


Target = str | Stay | Choice


def arrows(target: Target) -> tuple[str, ...]:
    if isinstance(target, Choice):
        return tuple(name for part in target.among for name in arrows(part))
    return (target,) if isinstance(target, str) else ()


def resolve(target: Target, transition: Transition) -> str | Stay:
    """The target that holds in this step."""
    while isinstance(target, Choice):
        target = target.pick(transition)
    return target


def either(test: Test, yes: Target, no: Target) -> Choice:
    return Choice((yes, no), lambda transition: yes if test(transition) else no)


def majority(*, elected: Target, rejected: Target, too_few: Target) -> Choice:
    """More yes than no, and at least the charter's quorum of those who were asked (clause 7.2)."""

    def pick(transition: Transition) -> Target:
        if transition.count.total() < transition.numbers.quorum * int(
            transition.case.data["electors"]
        ):
            return too_few
        return elected if transition.count["yes"] > transition.count["no"] else rejected

    return Choice((elected, rejected, too_few), pick)
