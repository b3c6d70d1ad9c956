"""Every page of a running club that has a form, each with a state in which its form is open."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.cases.transitions import act, open_case
from engine.declare.registry import all_workflows, form_number
from engine.declare.transition import CLOCK, Actor
from engine.security.links import Kind, Link
from engine.storage.database import enter_club
from engine.storage.models import Case, Person
from tests.page import Browser, Page
from tests.world import APPLICATION, World
from web.labels.charter_labels import GROUPS

# Of rows that are all alike the first one tells enough.
_ROW_AFTER_THE_FIRST = re.compile(r"\w+-[1-9]\d*")
_serial = itertools.count(1)


@dataclass(frozen=True)
class Form:
    """``open``: the page with the form as somebody finds it, every time in the same state;
    ``typed``: what makes it good."""

    name: str
    open: Callable[[], Page]
    action: str | None
    typed: dict[str, str]

    def fields(self) -> list[str]:
        """Whatever a browser sends along, hidden fields and buttons too; not the token without
        which nothing is read."""
        names = {*self.open().fields(self.action), *self.typed, "action"} - {"csrf_token"}
        return sorted(name for name in names if not _ROW_AFTER_THE_FIRST.fullmatch(name))


@dataclass
class Club:
    """A world with its owner signed in."""

    world: World
    owner: Browser

    @classmethod
    def of(cls, world: World) -> Club:
        return cls(world, world.sign_in("owner@qq.com"))

    def member(self) -> Person:
        address = f"m{next(_serial)}@qq.com"
        self.world.add_member(address, "李雷")
        return self.world.person(address)

    def token(self, person: Person, kind: Kind, target: int) -> str:
        link = Link(kind, self.world.club_id, person.id, person.link_epoch, target, self.world.now)
        return f"{self.world.base}c/{self.world.service.links.token(link)}"

    def link(self, person: Person, kind: Kind, target: int) -> Page:
        return self.world.browser().get(self.token(person, kind, target))

    def own_page(self, person: Person, room: str) -> Page:
        return self.world.open_own_page(str(person.address), room)

    def case(self, workflow: str, *acts: str) -> tuple[Person, Case]:
        """A member's case after these acts: ``owner:return`` and the like."""
        person, world = self.member(), self.world

        def unit(session: Session) -> int:
            enter_club(session, world.club_id)
            mine = session.get_one(Person, (world.club_id, person.id))
            owner = session.get_one(Person, (world.club_id, world.person("owner@qq.com").id))
            case = open_case(
                session,
                workflow,
                mine,
                by=CLOCK,
                now=world.now,
                data={"period": "2026-W49", "period_due": _DUE},
            )
            for step in acts:
                who, _colon, action = step.partition(":")
                by = CLOCK if who == "clock" else Actor(owner if who == "owner" else mine, "page")
                act(
                    session,
                    case,
                    action,
                    by=by,
                    now=world.now,
                    note="好。" if who == "owner" else "",
                    answers=_ANSWERS,
                )
            return case.id

        case_id = world.service.db.write(unit)
        with world.service.db.read(world.club_id) as session:
            return person, session.get_one(Case, (world.club_id, case_id))

    def of_person(self, workflow: str, *acts: str) -> Page:
        person, case = self.case(workflow, *acts)
        return self.link(person, "case", case.id)

    def of_owner(self, workflow: str, *acts: str) -> Page:
        _person, case = self.case(workflow, *acts)
        return self.link(self.world.person("owner@qq.com"), "case", case.id)

    def desk(self, path: str) -> Page:
        return self.owner.get(f"/{self.world.slug}/desk{path}")

    def late(self) -> Page:
        self.case("study_plan", "clock:due")
        return self.owner.get(f"/{self.world.slug}/desk/late")


_DUE = "2026-12-05T12:00:00+00:00"
_ANSWERS = {
    "goals": "会读。",
    "plan": "每天。",
    "book": "论语",
    "author": "",
    "reflection": "好。",
    "share": False,
}


def forms_of(club: Club, *, whole: bool) -> Iterator[Form]:
    """The forms of the web, one by one; a workflow's own form comes from its declaration.
    ``whole``: all pages of numbers."""
    world, slug = club.world, club.world.slug
    yield Form("join", lambda: world.browser().get(f"/{slug}/join"), None, APPLICATION)
    for flow in all_workflows():
        if (
            flow.form_path
            and not flow.open_to_anyone
            and any(hasattr(item, "path") for item in flow.openings)
        ):
            number = form_number(flow)
            yield Form(
                f"form {flow.key}",
                lambda n=number: club.link(club.member(), "form", n),
                None,
                _good(flow.fields),
            )
    yield Form(
        "link to a form",
        lambda: world.browser().get(f"/{slug}/nomination"),
        None,
        {"email": "a@qq.com"},
    )
    yield Form("sign in", lambda: world.browser().get(f"/{slug}/desk"), None, {"email": "a@qq.com"})
    yield Form(
        "plan",
        lambda: club.of_person("study_plan"),
        "submit",
        {"goals": "会", "plan": "写", "action": "submit"},
    )
    yield Form(
        "draft",
        lambda: club.of_person("study_plan"),
        "save",
        {"goals": "会", "plan": "写", "action": "save"},
    )
    yield Form(
        "reflection",
        lambda: club.of_person("reflection"),
        "submit",
        {"book": "论语", "reflection": "好", "action": "submit"},
    )
    yield Form(
        "review",
        lambda: club.of_owner("study_plan", "person:submit"),
        "return",
        {"note": "再写", "action": "return"},
    )
    yield Form(
        "preview",
        lambda: club.of_owner("study_plan", "person:submit"),
        "return",
        {"note": "再写", "preview": "return"},
    )
    yield Form(
        "extend",
        lambda: club.of_owner("study_plan", "clock:due"),
        "extend",
        {"note": "好", "days": "2", "action": "extend"},
    )
    yield Form("late", club.late, "extend", {"note": "好", "days": "2", "action": "extend"})
    for part in ("texts", "clauses", *(group.key for group in (GROUPS if whole else GROUPS[-1:]))):
        yield Form(f"settings {part}", lambda part=part: club.desk(f"/settings/{part}"), None, {})
    yield Form("name", lambda: club.desk("/settings/club"), None, {"name": "书会"})
    yield Form(
        "members", lambda: club.desk("/members"), None, {"cells": "姓名,邮箱\n李雷,a@qq.com"}
    )
    yield Form(
        "handover", lambda: club.desk("/club"), "offer", {"email": "a@qq.com", "action": "offer"}
    )
    yield Form(
        "rest", lambda: club.desk("/club"), "pause", {"until": "2027-13-99", "action": "pause"}
    )
    yield Form(
        "mail account",
        lambda: club.desk("/mail?provider=own"),
        "test",
        {
            "address": "a@b.example",
            "host": "127.0.0.1",
            "port": "1",
            "password": "x",
            "action": "test",
        },
    )
    yield Form(
        "correction",
        lambda: club.desk(f"/people/{club.member().id}"),
        "correct",
        {"why": "旧", "action": "correct"},
    )
    yield Form(
        "for them",
        lambda: club.desk(f"/people/{club.member().id}/new-name"),
        None,
        {"name": "李雷", "city": "武汉"},
    )
    yield Form(
        "my settings",
        lambda: club.own_page(club.member(), "settings"),
        None,
        {"action": "language", "locale": "en"},
    )


def _good(fields: object) -> dict[str, str]:
    return {name: "a@qq.com" if name == "email" else "好" for name in fields}  # type: ignore[attr-defined]
