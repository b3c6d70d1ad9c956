"""The roles of persons in a case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class Role:
    """A role in a case; resolved at each press by ``engine.club.authority``."""

    names: tuple[str, ...]

    def __or__(self, other: Role) -> Role:
        return Role(self.names + other.names)

    def __str__(self) -> str:
        return "|".join(self.names)


def is_turn_of(turn: str, role: Role) -> bool:
    """True if a case's turn, such as ``admins|owner``, is that of this role among others."""
    return not set(role.names).isdisjoint(turn.split("|"))


person = Role(("person",))
owner = Role(("owner",))
admins = Role(("admins",))
reviewer, members = Role(("reviewer",)), Role(("members",))
anyone, nobody = Role(("anyone",)), Role(())


class Proof(IntEnum):
    """How well an actor is known.

    ADDRESS: came by the link in the ask, so reads the address it was sent to. NOW: came by the
    one-time link that was mailed for this very action within the last half hour.
    """

    NONE = 0
    ADDRESS = 1
    NOW = 2
