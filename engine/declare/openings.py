"""The ways in which a case begins: form, calendar, another case, offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.declare.due_times import Weekly
from engine.declare.roles import Role, nobody

if TYPE_CHECKING:
    from engine.declare.transition import Transition
    from engine.storage.models import Person

Whom = Callable[["Transition"], Iterable["Person"]]


@dataclass(frozen=True)
class Form:
    path: str
    by: Role
    besides: Role
    fresh: bool


def form(path: str, by: Role, *, besides: Role = nobody, fresh: bool = False) -> Form:
    """Open by the form at ``/<club>/<path>``.

    ``fresh``: only by a link that was mailed in the last half hour.
    """
    return Form(path, by, besides, fresh)


@dataclass(frozen=True)
class Calendar:
    rule: Weekly
    for_each: Role
    besides: Role


def calendar(rule: Weekly, for_each: Role, besides: Role = nobody) -> Calendar:
    """Open by the scheduler: one case per period and holder of the role.

    For the club as a whole the role is ``owner``.
    """
    return Calendar(rule, for_each, besides)


@dataclass(frozen=True)
class OpenedFrom:
    workflow: str
    state: str
    whom: Whom


def opened_from(
    workflow: str, state: str, whom: Whom = lambda transition: (transition.person,)
) -> OpenedFrom:
    """Open when a case of that workflow enters that state, for its person or for ``whom``."""
    return OpenedFrom(workflow, state, whom)


@dataclass(frozen=True)
class HeldBefore:
    role: Role


def held_before(role: Role) -> HeldBefore:
    """Open without a letter for members who held the role before this service came.

    The import opens it.
    """
    return HeldBefore(role)


@dataclass(frozen=True)
class OfferedBy:
    role: Role


def offered_by(role: Role) -> OfferedBy:
    """Open by a holder of the role for a member of their choice, who then answers first."""
    return OfferedBy(role)


Opening = Form | Calendar | OpenedFrom | HeldBefore | OfferedBy
