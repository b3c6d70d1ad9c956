"""Where an act leads: a state by name, nowhere, or a choice that is made when the moment comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.declare.transition import Step

Test = Callable[["Step"], bool]


@dataclass(frozen=True)
class Stay:
    """The case stays as it is: an event is written, nobody is asked anew."""


stay = Stay()


@dataclass(frozen=True)
class Choice:
    """One of several targets, every one of them declared; choices may hold choices."""

    among: tuple[Target, ...]
    pick: Callable[[Step], Target]


Target = str | Stay | Choice


def arrows(target: Target) -> tuple[str, ...]:
    if isinstance(target, Choice):
        return tuple(name for part in target.among for name in arrows(part))
    return (target,) if isinstance(target, str) else ()


def settle(target: Target, step: Step) -> str | Stay:
    """The target that holds in this step."""
    while isinstance(target, Choice):
        target = target.pick(step)
    return target


def either(test: Test, yes: Target, no: Target) -> Choice:
    return Choice((yes, no), lambda step: yes if test(step) else no)


def majority(*, elected: Target, rejected: Target, too_few: Target) -> Choice:
    """More yes than no, and at least the charter's quorum of those who were asked (clause 7.2)."""

    def pick(step: Step) -> Target:
        if step.count.total() < step.numbers.quorum * int(step.case.data["electors"]):
            return too_few
        return elected if step.count["yes"] > step.count["no"] else rejected

    return Choice((elected, rejected, too_few), pick)
