"""Who somebody is to a case."""

from __future__ import annotations

from dataclasses import dataclass


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
