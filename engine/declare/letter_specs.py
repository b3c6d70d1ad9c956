"""Letters as a workflow declares them: a name, a recipient, and the variants of its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.declare.roles import Role, person

WORKFLOW, REMOVAL = "workflow", "removal"
_ALWAYS_ALIKE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class LetterSpec:
    """A declared letter. An *ask* is dropped when the turn has passed, a *tell* never is.

    ``at``: the answer that holds the address to send to, instead of the recipient's own.
    ``gathers``: the topic (``WORKFLOW``: its own workflow) that goes into the decider's daily
    letter if the charter says so. ``after``: the variant that is written after an event, by
    ``action`` or, which goes first, by ``state>action`` with the state that the event left.
    """

    name: str
    to: Role | None
    asks: bool
    at: str = ""
    gathers: str = ""
    after: tuple[tuple[str, str], ...] = ()


def ask(
    name: str, *, at: str = "", gathers: str = "", after: Mapping[str, str] = _ALWAYS_ALIKE
) -> LetterSpec:
    """Declare a letter that wants something from the holder of the turn."""
    return LetterSpec(name, None, asks=True, at=at, gathers=gathers, after=tuple(after.items()))


def tell(
    name: str, to: Role = person, *, at: str = "", after: Mapping[str, str] = _ALWAYS_ALIKE
) -> LetterSpec:
    """Declare news, composed from the event."""
    return LetterSpec(name, to, asks=False, at=at, after=tuple(after.items()))
