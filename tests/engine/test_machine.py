"""The club's life as a state machine: people press, time passes, the post works or does not, processes die; what must hold, holds.

``HYPOTHESIS_PROFILE=long`` looks longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.clock import machine_now
from engine.declare import Act, State
from engine.models import Case, Event, Letter, Person, Row
from engine.registry import state_of, workflow
from engine.run import NotAllowed, Refused, Stale, act
from engine.step import Hand
from mailers import outbox
from mailers.drafts import Frozen
from mailers.verdict import Answer
from tests.club import ADMIN, APPLICATION, DOWN, LATER, OWNER, PLAN, SILENT, TAKEN, UNKNOWN, House
from tests.databases import databases

PEOPLE = ("lilei@qq.com", "hanmeimei@163.com", "wang@gmail.com")
CROWD = (*PEOPLE, OWNER, ADMIN)
REMIND_BEFORE = timedelta(days=1)
CLOCKS_MOVES = {"due", "postponed", "granted", "void"}
REFLECTION = {"book": "活着", "author": "余华", "big": True, "reflection": "人是为活着本身而活着的。", "share": True}

people, crowd = st.sampled_from(PEOPLE), st.sampled_from(CROWD)
spans = st.one_of(
    st.integers(1, 30).map(lambda n: timedelta(hours=n)),
    st.integers(1, 5).map(lambda n: timedelta(days=n)),
    st.integers(1, 5).map(lambda n: timedelta(weeks=n)),
)
answers = st.lists(st.sampled_from([TAKEN, TAKEN, TAKEN, LATER, UNKNOWN, SILENT, DOWN]), min_size=1, max_size=6)


def holds(role: str, actor: Person, case: Case) -> bool:
    """Who may, told once more: independently of the engine."""
    concerned = actor.id == case.person_id
    decides = actor.status == "member" and not concerned
    return {
        "anyone": True,
        "person": concerned,
        "owner": decides and actor.role == "owner",
        "reviewer": decides and actor.role in ("owner", "admin"),
    }[role]


def fits(action: str, person: Person) -> bool:
    """What may be done after an end, and while what holds of whom."""
    return {"readmit": person.status == "removed", "share": person.status == "member", "retract": person.status == "member"}.get(
        action, True
    )


def declared(state: State, action: str) -> Act | None:
    return next((item for item in state.acts if item.action == action), None)


class Crash(Exception):
    """A process died here."""


class ClubLife(RuleBasedStateMachine):
    kind = "sqlite"

    @initialize(members=st.integers(0, 3), told=st.booleans())
    def begin(self, members: int, told: bool) -> None:
        """Some have joined already, so that a short story gets somewhere."""
        self.house = House(databases(self.kind), "machine")
        self.house.add(ADMIN, "小助", role="admin")
        self.forms: Counter[str] = Counter()
        self.dues: dict[tuple[int, int], tuple[datetime, datetime]] = {}  # (case, version): due and entered as last seen
        self.judged: set[tuple[int, int]] = set()  # due steps that were looked at
        self.accepted: Counter[str] = Counter()
        self.bytes: dict[str, set[bytes]] = {}
        for who in PEOPLE[:members]:
            self.forms[who] += 1
            self.house.join(who, f"{who}-1")
        if told:
            self.the_post_works()

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.end()

    # What happens

    @rule(who=people, again=st.booleans(), city=st.sampled_from(["武汉", "荆州"]))
    def hand_in_an_application(self, who: str, again: bool, city: str) -> None:
        before = self.everything()
        known = bool(self.forms[who]) and who in self.actors()  # who was forgotten is a stranger again
        if not (again and known):
            self.forms[who] += 1
        self.house.apply(who, f"{who}-{self.forms[who]}", city=city)
        if again and known:
            assert self.everything() == before, "the same form twice is one case"

    @precondition(lambda self: self.offered())
    @rule(data=st.data(), note=st.sampled_from(["", "想再看看。"]), days=st.integers(0, 61))
    def press_something_that_is_offered(self, data: st.DataObject, note: str, days: int) -> None:
        offers = self.offered()
        case, actor, move = data.draw(st.sampled_from(offers))
        fine = (note or move.note != "required") and (not move.asks_days or 1 <= days <= 60)
        self.press(case, actor, move.action, note=note, days=days, expect=None if fine else Refused)

    @precondition(lambda self: self.offered())
    @rule(data=st.data())
    def decide_as_asked(self, data: st.DataObject) -> None:
        """The same with everything filled in: so that the life of the club gets far."""
        action = data.draw(st.sampled_from(sorted({move.action for _, _, move in self.offered()})))
        case, actor, move = data.draw(st.sampled_from([offer for offer in self.offered() if offer[2].action == action]))
        self.press(case, actor, move.action, note="好。", days=3, expect=None)

    @precondition(lambda self: self.cases())
    @rule(
        data=st.data(),
        who=crowd,
        action=st.sampled_from(
            [
                "confirm",
                "approve",
                "decline",
                "submit",
                "remove",
                "excuse",
                "undo",
                "due",
                "void",
                "postponed",
                "decided",
                "open",
                "",
            ]
        ),
    )
    def press_what_is_not_ones_own(self, data: st.DataObject, who: str, action: str) -> None:
        cases = self.cases()
        case = data.draw(st.sampled_from(cases))
        actor = self.actors().get(who)
        if (
            actor is None
            or action == "undo"
            or any(c.id == case.id and a.id == actor.id and m.action == action for c, a, m in self.offered())
        ):
            return
        self.press(case, actor, action, note="我来。", days=3, expect=NotAllowed)

    @precondition(lambda self: self.offered())
    @rule(data=st.data())
    def press_in_a_round_that_is_over(self, data: st.DataObject) -> None:
        case, actor, move = data.draw(st.sampled_from(self.offered()))
        if case.entered_version > 1:
            self.press(case, actor, move.action, note="好。", days=3, round=case.entered_version - 1, expect=Stale)

    @precondition(lambda self: any(not case.turn for case in self.cases()))
    @rule(data=st.data(), hours=st.sampled_from([0, 1, 23, 24, 48]))
    def undo_as_owner(self, data: st.DataObject, hours: int) -> None:
        self.house.now += timedelta(hours=hours)
        ended = [case for case in self.cases() if not case.turn]
        case = data.draw(st.sampled_from(ended))
        before, owner = self.everything(), self.actors()[OWNER]
        try:
            self.press(case, owner, "undo", expect=None)
        except NotAllowed:
            assert self.everything() == before
        else:
            decision = self.events_of(case)[case.entered_version - 1]
            assert decision.who_id == owner.id
            assert self.house.now < decision.at + timedelta(hours=24)

    @precondition(lambda self: self.offered())
    @rule(data=st.data())
    def a_unit_dies_after_its_work(self, data: st.DataObject) -> None:
        case, actor, move = data.draw(st.sampled_from(self.offered()))
        before = self.everything()

        def unit(session: Session) -> None:
            self.act(session, case, actor, move.action, note="好。", days=3)
            session.flush()
            raise Crash

        with pytest.raises(Crash):
            self.house.write(unit)
        assert self.everything() == before

    @rule(span=spans, ticks=st.booleans())
    def time_passes(self, span: timedelta, ticks: bool) -> None:
        self.house.now += span
        if ticks:
            self.tick()

    @rule(posts=st.booleans())
    def the_next_moment_comes(self, posts: bool) -> None:
        wakes = [case.wake_at for case in self.cases() if case.wake_at]
        self.house.now = max([self.house.now, min(wakes)]) if wakes else self.house.now
        self.tick()
        if posts:
            self.house.now += timedelta(hours=9)  # past the quiet hours
            self.the_post_works()

    @rule()
    def tick(self) -> None:
        before = {case.id: case.version for case in self.cases()}
        self.house.tick()
        for case in self.cases():
            if case.id in before:
                taken = [
                    event
                    for event in self.events_of(case)
                    if event.version > before[case.id] and event.action in ("due", "postponed")
                ]
                assert len(taken) <= 1, "each case takes one due step per sweep"

    @rule(says=answers, wait=st.sampled_from([0, 1, 20]))
    def a_letter_is_tried_again(self, says: list[Answer], wait: int) -> None:
        """The server takes it and its answer gets lost; or not; and some minutes later the post comes by again."""
        self.house.deliver(lambda frozen: self.hand_over(frozen, SILENT))
        self.house.now += timedelta(minutes=wait)
        self.the_post_goes_round(says)

    @rule(says=answers)
    def the_post_goes_round(self, says: list[Answer]) -> None:
        tries = iter(range(1_000_000))
        self.house.deliver(lambda frozen: self.hand_over(frozen, says[next(tries) % len(says)]))

    @rule()
    def the_post_works(self) -> None:
        self.house.deliver(lambda frozen: self.hand_over(frozen, TAKEN))

    @rule(freezes=st.integers(1, 3), taken=st.booleans(), found=st.booleans())
    def a_post_worker_dies(self, freezes: int, taken: bool, found: bool) -> None:
        """Letters stay claimed, or in transmission: the server may have them already, and nobody wrote it down."""
        for claimed in self.house.claim(limit=4)[:freezes]:
            frozen = self.house.freeze(claimed)
            if frozen and taken:
                self.hand_over(frozen, TAKEN)
        if found:
            self.leases_run_out()

    @rule()
    def leases_run_out(self) -> None:
        self.house.db.write(outbox.take_back_lapsed, machine_now() + timedelta(minutes=5))

    # How it is done

    def hand_over(self, frozen: Frozen, answer: Answer) -> Answer:
        with self.house.read() as session:
            letter = session.get_one(Letter, (frozen.claimed.club_id, frozen.claimed.letter_id))
            assert (letter.state, letter.bytes) == ("transmitting", frozen.content), (
                "bytes and transmitting are in the database before it goes"
            )
            if letter.asks:
                case = session.get_one(Case, (letter.club_id, letter.case_id))
                assert case.entered_version == letter.version, "an ask of a round that is over was handed over"
                assert case.turn
        if answer in (TAKEN, SILENT):  # silent after the dot: the server may well have it
            self.accepted[letter.message_id] += 1
            renewed = (
                [event for event in self.events_by_id(letter.case_id) if event.action == "postponed"] if letter.case_id else []
            )
            self.bytes.setdefault(letter.message_id, set()).add(frozen.content)
            assert renewed or len(self.bytes[letter.message_id]) == 1, "a retry sends the same bytes"
        return answer

    def press(self, case: Case, actor: Person, action: str, *, expect: type[Exception] | None, **given: Any) -> None:
        before = self.everything() if expect else None
        unit: Callable[[Session], None] = lambda session: self.act(session, case, actor, action, **given)  # noqa: E731
        if expect is None:
            self.house.write(unit)
            return
        with pytest.raises(expect):
            self.house.write(unit)
        assert self.everything() == before, "what is refused changes nothing"

    def act(self, session: Session, case: Case, actor: Person, action: str, **given: Any) -> None:
        mine = session.get_one(Case, (case.club_id, case.id))
        move = declared(state_of(mine.workflow, mine.state), action)
        texts = {name: (PLAN | APPLICATION | REFLECTION)[name] for name in move.fill} if move else {}
        fill = {name: text if isinstance(text, bool) else f"{text} {case.version}" for name, text in texts.items()}
        hand = Hand(session.get_one(Person, (case.club_id, actor.id)), "page")
        act(session, mine, action, by=hand, now=self.house.now, answers=fill, proven=True, **given)

    def cases(self) -> list[Case]:
        return self.house.rows(select(Case).order_by(Case.id)) if hasattr(self, "house") else []

    def events_of(self, case: Case) -> list[Event]:
        return self.events_by_id(case.id)

    def events_by_id(self, case_id: int | None) -> list[Event]:
        return self.house.rows(select(Event).where(Event.case_id == case_id).order_by(Event.version))

    def actors(self) -> dict[str, Person]:
        found = self.house.rows(select(Person).where(Person.address.is_not(None)))
        return {person.address: person for person in found}

    def offered(self) -> list[tuple[Case, Person, Act]]:
        """Every declared act that somebody may do now, by the test's own reading of the rights."""
        actors = list(self.actors().values()) if hasattr(self, "house") else []
        people = {person.id: person for person in self.house.rows(select(Person))} if actors else {}
        return [
            (case, actor, move)
            for case in self.cases()
            for move in state_of(case.workflow, case.state).acts
            for actor in actors
            if any(holds(role, actor, case) for role in move.who.names) and fits(move.action, people[case.person_id])
        ]

    def everything(self) -> list[Any]:
        with self.house.db.reader.connect() as connection:
            return [
                connection.execute(text(f'SELECT * FROM "{table.name}"')).all()
                for table in Row.metadata.sorted_tables
                if table.name != "rate"
            ]

    # What must hold

    @invariant()
    def what_must_hold(self) -> None:
        if not hasattr(self, "house"):
            return
        with self.house.read() as session:
            people = {person.id: person for person in session.execute(select(Person)).scalars()}
            cases = list(session.execute(select(Case)).scalars())
            letters = list(session.execute(select(Letter)).scalars())
            events: dict[int, list[Event]] = {}
            for event in session.execute(select(Event).order_by(Event.version)).scalars():
                events.setdefault(event.case_id, []).append(event)
        for case in cases:
            self.check_the_ledger_of(case, events[case.id], people)
            self.check_the_rest_of(case)
            self.check_warnings(case, events[case.id], letters)
        self.check_people(cases, events, people)
        self.check_letters(letters, people)
        self.dues |= {(case.id, case.entered_version): (case.due_at, case.entered_at) for case in cases if case.due_at}

    def check_the_ledger_of(self, case: Case, events: list[Event], people: dict[int, Person]) -> None:
        assert [event.version for event in events] == list(range(1, case.version + 1))
        assert case.state == events[-1].to_state
        assert [event.from_state for event in events] == ["", *(event.to_state for event in events[:-1])]
        assert [event.at for event in events] == sorted(event.at for event in events)
        for event in events:
            if event.who_id is None:
                assert event.via == "clock" and (event.action in CLOCKS_MOVES or event.version == 1)
            elif event.action == "undo":
                assert events[event.version - 2].who_id == event.who_id, "only the decider takes a decision back"
            elif event.action != "open":
                move = declared(workflow(case.workflow).states[event.from_state], event.action)
                assert move is not None and any(holds(role, people[event.who_id], case) for role in move.who.names)
                assert move.note != "required" or event.note or not case.answers

    def check_the_rest_of(self, case: Case) -> None:
        final = workflow(case.workflow).states[case.state].is_final
        if final:
            assert (case.turn, case.due_at, case.wake_at) == ("", None, None)
        else:
            assert case.turn and case.due_at
            assert (case.wake_at is None) == (case.trouble == "unreachable"), (
                "a case rests only, and only then says so, while nobody is reached"
            )
            assert case.trouble in ("", "unreachable"), case.trouble

    def check_warnings(self, case: Case, events: list[Event], letters: list[Letter]) -> None:
        entered = 1
        for event in events:
            if event.action == "due" and (case.id, event.version) not in self.judged:
                self.judged.add((case.id, event.version))
                self.check_warned(case, event, entered, letters)
            stays = event.action in ("postponed", "answer") or (event.action == "choose" and event.from_state == event.to_state)
            if not stays:
                entered = event.version

    def check_warned(self, case: Case, event: Event, entered: int, letters: list[Letter]) -> None:
        state = workflow(case.workflow).states[event.from_state]
        if str(state.turn) != "person":
            return
        names = {f"{case.workflow}.{letter.name}" for letter in state.entry_letters if letter.asks}
        asks = [item for item in letters if item.case_id == case.id and item.version == entered and item.name in names]
        if case.workflow == "join" and all(item.state in ("failed", "dropped") for item in asks):
            return  # an applicant whom no mail reaches is not waited for
        due, since = self.dues[case.id, entered]
        margin = min(REMIND_BEFORE, (due - since) / 2)
        assert [item.state for item in asks] == ["sent"], "the clock moved against somebody who was not asked"
        assert asks[0].settled_at and asks[0].settled_at <= due - margin, "the clock moved against somebody who was asked too late"

    def check_people(self, cases: list[Case], events: dict[int, list[Event]], people: dict[int, Person]) -> None:
        open_ones = Counter((case.person_id, case.workflow) for case in cases if case.turn)
        assert [key for key, count in open_ones.items() if count > 1] == [], "one open case of a workflow per person"
        for person in people.values():
            own = [case for case in cases if case.person_id == person.id]
            removals = [event for case in own for event in events[case.id] if event.to_state == "removed"]
            assert all(event.action == "remove" and event.who_id for event in removals)
            if person.removed_at:
                assert removals, "nobody is removed without a person who did it"
            if person.status == "removed":
                assert [case.workflow for case in own if case.turn and case.workflow != "join"] == []
            if person.address in PEOPLE and person.status == "member":
                assert any(case.state == "approved" for case in own), "a member was approved"

    def check_letters(self, letters: list[Letter], people: dict[int, Person]) -> None:
        assert len({letter.key for letter in letters}) == len(letters), "two letters with one key"
        for letter in letters:
            accepted = self.accepted[letter.message_id]
            assert accepted <= 1 or letter.maybe_twice, "sent twice, and nobody is told"
            assert letter.state != "sent" or accepted, "said to be sent, and no server has it"
            forgotten = (
                letter.person_id is not None and people[letter.person_id].status == "erased"
            )  # and the server's words with them
            assert letter.state not in ("dropped", "failed") or letter.answer or forgotten, "ended without a reason"


class ClubLifeOnPostgres(ClubLife):
    """The same life, on the other database."""

    kind = "postgresql"


TestClubLife = ClubLife.TestCase
TestClubLifeOnPostgres = ClubLifeOnPostgres.TestCase
