"""Where an act leads: a state by name, or a choice that is made when the moment comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.step import Step

Test = Callable[["Step"], bool]


class Choice(Protocol):
    """A target that is picked when the moment comes; every arrow it may take is declared."""

    def arrows(self) -> tuple[str, ...]: ...
    def pick(self, step: Step) -> str: ...


Target = str | Choice


@dataclass(frozen=True)
class Stay:
    """The case stays as it is: an event is written, nobody is asked anew."""

    def arrows(self) -> tuple[str, ...]:
        return ()

    def pick(self, step: Step) -> str:
        return step.case.state


stay = Stay()


@dataclass(frozen=True)
class Either:
    test: Test
    yes: str
    no: str

    def arrows(self) -> tuple[str, ...]:
        return (self.yes, self.no)

    def pick(self, step: Step) -> str:
        return self.yes if self.test(step) else self.no


def either(test: Test, yes: str, no: str) -> Either:
    return Either(test, yes, no)


@dataclass(frozen=True)
class Majority:
    """More yes than no, and at least the charter's quorum of those who were asked (clause 7.2)."""

    elected: str
    rejected: str
    too_few: str

    def arrows(self) -> tuple[str, ...]:
        return (self.elected, self.rejected, self.too_few)

    def pick(self, step: Step) -> str:
        count = step.count()
        if sum(count.values()) < step.numbers.quorum * int(step.case.data["electors"]):
            return self.too_few
        return self.elected if count.get("yes", 0) > count.get("no", 0) else self.rejected


def majority(*, elected: str, rejected: str, too_few: str) -> Majority:
    return Majority(elected, rejected, too_few)


@dataclass(frozen=True)
class MostVotes:
    """The choice with most votes wins, the one named first on a tie; ``nobody`` when no vote was cast."""

    decided: str
    nobody: str

    def arrows(self) -> tuple[str, ...]:
        return (self.decided, self.nobody)

    def pick(self, step: Step) -> str:
        return self.decided if step.count() else self.nobody


def most_votes(*, decided: str, nobody: str) -> MostVotes:
    return MostVotes(decided, nobody)


def arrows(target: Target) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else target.arrows()
