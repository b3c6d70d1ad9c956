"""The club of the state machine: its people, its remembered life, and how a person acts in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import select, text

from engine.cases.submissions import submit_by_member
from engine.cases.transitions import act
from engine.cases.votes import vote
from engine.declare.registry import state_of, workflow
from engine.declare.roles import Proof
from engine.declare.transition import Actor
from engine.declare.workflow import Act
from engine.storage.models import Case, Club, Event, Person, Row
from engine.storage.unit_of_work import ClubSession
from tests.club import ADMIN, APPLICATION, OWNER, PLAN, House
from tests.engine.machine_rights import declared, fits, holds

PEOPLE = ("lilei@qq.com", "hanmeimei@163.com", "wang@gmail.com")
READER = "reader@qq.com"
AT_THE_START = (OWNER, ADMIN, READER)
NOMINATION = {"why": "我愿意多做一点。", "plan": "每周四主持讨论。"}
REFLECTION = {
    "book": "活着",
    "author": "余华",
    "big": True,
    "reflection": "人是为活着本身而活着的。",
    "share": True,
}


class LivingClub(RuleBasedStateMachine):
    """Hands and eyes; what happens and what must hold stand in the classes that are made of it."""

    house: House
    from_the_start: set[int]
    heard: set[tuple[int, int]]  # events whose rights were looked at
    ballots: dict[tuple[int, int], dict[int, str]]  # (case, round): who chose what, last
    forms: Counter[str]
    own_forms: int
    went_back: bool
    applied: dict[str, int]  # whose the last application from this address was
    dues: dict[
        tuple[int, int], tuple[datetime, datetime]
    ]  # (case, version): due and entered as last seen
    judged: set[tuple[int, int]]  # due steps that were looked at
    accepted: Counter[str]
    bytes: dict[tuple[str, str], set[bytes]]
    # What the last look found: a precondition asks no database.
    offers: list[tuple[Case, Person, Act]] = []
    seen: list[Case] = []
    votes_seen: list[Case] = []
    rests = False

    # How somebody acts

    def press(
        self,
        case: Case,
        actor: Person,
        action: str,
        *,
        expect: type[Exception] | None,
        **given: Any,
    ) -> None:
        def unit(session: ClubSession) -> None:
            self.act(session, case, actor, action, **given)

        if expect is None:
            self.house.write(unit)
        else:
            self.refused(unit, expect)

    def refused(self, unit: Callable[[ClubSession], None], expect: type[Exception]) -> None:
        before = self.everything()
        with pytest.raises(expect):
            self.house.write(unit)
        assert self.everything() == before, "what is refused changes nothing"

    def attempt(
        self,
        unit: Callable[..., Any],
        *args: Any,
        refusal: tuple[type[Exception], ...],
        **given: Any,
    ) -> bool:
        """Did it go through? What is refused changes nothing."""
        before = self.everything()
        try:
            self.house.db.write(unit, *args, **given)
        except refusal:
            assert self.everything() == before, "what is refused changes nothing"
            return False
        return True

    def cast(self, case: Case, who: Person, choice: str) -> None:
        self.house.write(lambda session: self.vote(session, case, who, choice))
        self.ballots.setdefault((case.id, case.entered_version), {})[who.id] = choice

    def vote(self, session: ClubSession, case: Case, who: Person, choice: str) -> None:
        hand, mine = (
            Actor(session.get_one(Person, (case.club_id, who.id)), "page"),
            session.get_one(Case, (case.club_id, case.id)),
        )
        vote(session, mine, choice, by=hand, now=self.house.now, seen_version=case.entered_version)

    def remember_application(self, who: str) -> None:
        """Whose the newest form is; one that was only told that another is open already is
        nobody's."""
        person, form = self.house.person(who), f"{who}-{self.forms[who]}"
        taken = any(
            form in (case.key.partition(":")[0], case.data.get("form")) for case in self.cases()
        )
        self.applied[who] = person.id if taken else 0

    def hand_in(
        self, session: ClubSession, who: Person, form: str, answers: dict[str, Any], form_id: str
    ) -> None:
        person = session.get_one(Person, (who.club_id, who.id))
        flow = workflow("departure" if form == "erasure" else form)
        submit_by_member(
            session,
            person,
            flow,
            answers,
            by=Actor(person, "page", proof=Proof.NOW),
            form_id=form_id,
            now=self.house.now,
        )

    def act(
        self, session: ClubSession, case: Case, actor: Person, action: str, **given: Any
    ) -> None:
        mine = session.get_one(Case, (case.club_id, case.id))
        move = declared(state_of(mine.workflow, mine.state), action)
        texts = (
            {name: (PLAN | APPLICATION | REFLECTION | NOMINATION)[name] for name in move.fill}
            if move
            else {}
        )
        fill = {
            name: text if isinstance(text, bool) else f"{text} {case.version}"
            for name, text in texts.items()
        }
        hand = Actor(
            session.get_one(Person, (case.club_id, actor.id)),
            "page",
            proof=given.pop("proof", Proof.NOW),
        )
        act(session, mine, action, by=hand, now=self.house.now, answers=fill, **given)

    # What there is

    def club(self) -> Club:
        return self.house.rows(select(Club))[0]

    def cases(self) -> list[Case]:
        return self.house.rows(select(Case).order_by(Case.id))

    def votes_open(self) -> list[Case]:
        return [
            case for case in self.cases() if (case.workflow, case.state) == ("nomination", "vote")
        ]

    def events_of(self, case: Case) -> list[Event]:
        return self.events_by_id(case.id)

    def events_by_id(self, case_id: int | None) -> list[Event]:
        return self.house.rows(
            select(Event).where(Event.case_id == case_id).order_by(Event.version)
        )

    def owner(self) -> Person:
        """By the office: whoever has it may have another address by now."""
        (owner,) = self.house.rows(select(Person).where(Person.role == "owner"))
        return owner

    def actors(self) -> dict[str, Person]:
        found = self.house.rows(
            select(Person).where(Person.address.is_not(None)).order_by(Person.id)
        )
        return {person.address: person for person in found}

    def offered(self) -> list[tuple[Case, Person, Act]]:
        """Every declared act that somebody may do now, by the test's own reading of the rights."""
        return self.offered_in(
            self.cases(),
            {person.id: person for person in self.house.rows(select(Person).order_by(Person.id))},
        )

    def offered_in(
        self, cases: list[Case], people: dict[int, Person]
    ) -> list[tuple[Case, Person, Act]]:
        actors = [person for person in people.values() if person.address is not None]
        return [
            (case, actor, move)
            for case in cases
            for move in state_of(case.workflow, case.state).acts
            for actor in actors
            if any(holds(role, actor, case) for role in move.who.names)
            and fits(move.action, people[case.person_id])
        ]

    def everything(self) -> list[Any]:
        with self.house.db.reader.connect() as connection:
            return [
                connection.execute(text(f'SELECT * FROM "{table.name}"')).all()
                for table in Row.metadata.sorted_tables
                if table.name != "rate"
            ]
