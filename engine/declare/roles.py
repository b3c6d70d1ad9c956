"""Who somebody is to a case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class Role:
    """Who somebody is to a case; resolved anew at each press by ``engine.club.people``."""

    names: tuple[str, ...]

    def __or__(self, other: Role) -> Role:
        return Role(self.names + other.names)

    def __str__(self) -> str:
        return "|".join(self.names)


person, owner, admins = Role(("person",)), Role(("owner",)), Role(("admins",))
reviewer, members = Role(("reviewer",)), Role(("members",))
anyone, nobody = Role(("anyone",)), Role(())


class Proof(IntEnum):
    """How well an actor is known. ADDRESS: came by the link in the ask, so reads the address it was
    sent to.

    NOW: came by the one-time link that was mailed for this very act within the last half hour.
    """

    NONE = 0
    ADDRESS = 1
    NOW = 2
