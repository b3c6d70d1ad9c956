"""The club's life as a state machine: people press, time passes, the post works or does not, processes die; what must hold, holds.

``HYPOTHESIS_PROFILE=long`` looks longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.clock import machine_now
from engine.declare import Act, State
from engine.intake import open_by_member
from engine.marks import vote
from engine.models import Case, Club, Event, Letter, Mark, Person, Row
from engine.offices import go_away
from engine.registry import state_of, workflow
from engine.run import NotAllowed, Refused, Stale, act
from engine.step import Hand
from mailers import outbox
from mailers.drafts import Frozen
from mailers.verdict import Answer
from tests.club import ADMIN, APPLICATION, DOWN, LATER, OWNER, PLAN, SILENT, TAKEN, UNKNOWN, House
from tests.databases import databases
from tests.engine.machine_acts import WholeClub

PEOPLE = ("lilei@qq.com", "hanmeimei@163.com", "wang@gmail.com")
READER = "reader@qq.com"
AT_THE_START = (OWNER, ADMIN, READER)
CROWD = (*PEOPLE, *AT_THE_START)
REMIND_BEFORE = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOCKS_MOVES = {"due", "postponed", "resumed", "granted", "void"}
MOVES_DUE = {"postponed", "resumed"}
NOMINATION = {"why": "我愿意多做一点。", "plan": "每周四主持讨论。"}
FORMS: dict[str, dict[str, Any]] = {
    "nomination": NOMINATION,
    "departure": {"why": "搬家了。", "erase": False},
    "erasure": {"why": "", "erase": True},
    "new_address": {},
    "new_name": {"name": "新名", "city": "成都"},
}
ENDS_OF_A_VOTE = ("elected", "rejected", "too_few")
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
        "person": concerned and actor.status not in ("departed", "erased"),
        "owner": decides and actor.role == "owner",
        "reviewer": decides and actor.role in ("owner", "admin"),
    }[role]


def fits(action: str, person: Person) -> bool:
    """What may be done after an end, and while what holds of whom."""
    member = person.status == "member"
    in_office = member and person.role == "admin"
    return {
        "readmit": person.status == "removed", "share": member, "retract": member, "step_down": in_office, "dismiss": in_office,
        "correct": person.role != "owner",
    }.get(action, True)  # fmt: skip


def votes(person: Person, case: Case) -> bool:
    """Who has a vote in a nomination: whoever was a member when the vote began, but the candidate and the owner."""
    if person.status != "member" or person.role == "owner" or person.id == case.person_id:
        return False
    since = person.registered_at or person.joined_at
    return since is not None and since <= case.entered_at


def may_hand_in(form: str, person: Person, cases: list[Case]) -> bool:
    """Which forms of their own a member may hand in now, and of which there is only one at a time."""
    if person.status != "member":
        return False
    if form == "new_name":
        return True
    if form in ("departure", "erasure"):
        return person.role != "owner"
    waits = any(case.workflow == form and case.person_id == person.id and case.turn for case in cases)
    return not waits and (form == "new_address" or person.role == "member")


def enters(event: Event) -> bool:
    """Does a round begin with it? An answer, a book that is named and a due time that moves stay in theirs."""
    return event.action not in (*MOVES_DUE, "answer") and not (event.action == "choose" and event.from_state == event.to_state)


def declared(state: State, action: str) -> Act | None:
    return next((item for item in state.acts if item.action == action), None)


class Crash(Exception):
    """A process died here."""


class ClubLife(WholeClub):
    kind = "sqlite"
    # What the last look found: a precondition asks no database.
    offers: list[tuple[Case, Person, Act]] = []
    seen: list[Case] = []
    votes_seen: list[Case] = []
    rests = False

    @initialize(members=st.integers(0, 3), told=st.booleans(), begun=st.sampled_from(["", "", "vote", "vote", "removal"]))
    def begin(self, members: int, told: bool, begun: str) -> None:
        """Some have joined already, and something is under way, so that a short story gets somewhere."""
        self.house = House(databases(self.kind), "machine")
        self.house.add(ADMIN, "小助", role="admin")
        self.house.add(READER, "书虫")
        self.from_the_start = {self.house.person(address).id for address in AT_THE_START}
        self.heard: set[tuple[int, int]] = set()  # events whose rights were looked at
        self.ballots: dict[tuple[int, int], dict[int, str]] = {}  # (case, round): who chose what, last
        self.forms: Counter[str] = Counter()
        self.own_forms = 0
        self.went_back = False
        self.applied: dict[str, int] = {}  # whose the last application from this address was
        self.dues: dict[tuple[int, int], tuple[datetime, datetime]] = {}  # (case, version): due and entered as last seen
        self.judged: set[tuple[int, int]] = set()  # due steps that were looked at
        self.accepted: Counter[str] = Counter()
        self.bytes: dict[tuple[str, str], set[bytes]] = {}
        for who in PEOPLE[:members]:
            self.forms[who] += 1
            self.house.join(who, f"{who}-1")
            self.remember_application(who)
        if told:
            self.the_post_works()
        if begun == "vote":
            self.stand_for_admin(READER)
        elif begun == "removal":
            self.wait_for_a_proposal()

    def wait_for_a_proposal(self) -> None:
        """Nobody hands anything in, and the post works."""
        for _ in range(40):
            if any(case.state == "removal_proposed" for case in self.cases()):
                return
            self.the_next_moment_comes(posts=True)
            self.look()

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.end()

    # What happens

    @rule(who=people, again=st.booleans(), city=st.sampled_from(["武汉", "荆州"]))
    def hand_in_an_application(self, who: str, again: bool, city: str) -> None:
        before = self.everything()
        person = self.actors().get(who)  # who was forgotten, or has another address since, is a stranger again
        known = person is not None and self.applied.get(who) == person.id
        if not (again and known):
            self.forms[who] += 1
        self.house.apply(who, f"{who}-{self.forms[who]}", city=city)
        if again and known:
            assert self.everything() == before, "the same form twice is one case"
        self.remember_application(who)

    @rule(
        data=st.data(),
        who=crowd,
        form=st.sampled_from(["nomination", "nomination", "nomination", "departure", "erasure", "new_address", "new_name"]),
        again=st.booleans(),
    )
    def hand_in_a_form_of_ones_own(self, data: st.DataObject, who: str, form: str, again: bool) -> None:
        """A nomination, a departure (with everything erased or not), a new address."""
        person = self.actors().get(who)
        if person is None:
            return
        self.own_forms += 1
        answers = dict(FORMS[form])
        if form == "new_address":
            answers["email"] = data.draw(st.sampled_from([f"new-{self.own_forms}@qq.com", *PEOPLE]))
        may = may_hand_in(form, person, self.cases())
        unit = lambda session: self.hand_in(session, person, form, answers, f"own-{self.own_forms}")  # noqa: E731
        if not may:
            self.refused(unit, NotAllowed)
            return
        self.house.write(unit)
        if again:
            before = self.everything()
            self.house.write(unit)
            assert self.everything() == before, "the same form twice is one case"

    @rule(who=crowd)
    def stand_for_admin(self, who: str) -> None:
        """The owner agrees at once: so that there are votes."""
        person = self.actors().get(who)
        if person is None or not may_hand_in("nomination", person, self.cases()):
            return
        self.own_forms += 1
        self.house.write(lambda session: self.hand_in(session, person, "nomination", NOMINATION, f"own-{self.own_forms}"))
        case = self.house.case(who, "nomination")
        self.press(case, self.owner(), "approve", expect=None)

    @precondition(lambda self: self.votes_seen)
    @rule(data=st.data(), choices=st.lists(st.sampled_from(["yes", "no"]), min_size=1, max_size=4))
    def several_vote(self, data: st.DataObject, choices: list[str]) -> None:
        """Some for the first time, some with a change of mind; who has no vote is refused."""
        for choice in choices:
            case = data.draw(st.sampled_from(self.votes_open()))
            person = data.draw(st.sampled_from(list(self.actors().values())))
            if votes(person, case):
                self.cast(case, person, choice)
            else:
                self.refused(lambda session: self.vote(session, case, person, choice), NotAllowed)  # noqa: B023

    @precondition(lambda self: self.votes_seen)
    @rule(data=st.data(), yes=st.integers(0, 6), posts=st.booleans())
    def a_vote_is_held(self, data: st.DataObject, yes: int, posts: bool) -> None:
        """Everybody who may casts a vote, and its days pass: so that there are elected admins."""
        case = data.draw(st.sampled_from(self.votes_open()))
        electors = [person for person in self.actors().values() if votes(person, case)]
        for number, person in enumerate(electors):
            self.cast(case, person, "yes" if number < yes else "no")
        if posts:
            self.the_post_works()
            self.look()
        self.house.now = max(self.house.now, case.due_at or self.house.now)
        self.tick()

    @precondition(lambda self: any(move.proves for _, _, move in self.offers))
    @rule(data=st.data())
    def press_without_the_letter(self, data: st.DataObject) -> None:
        """An address is confirmed by who reads it, not by who asked for it."""
        case, actor, move = data.draw(st.sampled_from([offer for offer in self.offered() if offer[2].proves]))
        self.press(case, actor, move.action, proven=False, expect=NotAllowed)

    @rule(days=st.integers(0, 6))
    def the_owner_goes_away(self, days: int) -> None:
        until = self.house.now + timedelta(days=days) if days else None
        self.house.db.write(go_away, self.house.club_id, self.owner().id, until)

    @precondition(lambda self: self.offers)
    @rule(data=st.data(), note=st.sampled_from(["", "想再看看。"]), days=st.integers(0, 61))
    def press_something_that_is_offered(self, data: st.DataObject, note: str, days: int) -> None:
        offers = self.offered()
        case, actor, move = data.draw(st.sampled_from(offers))
        fine = (note or move.note != "required") and (not move.asks_days or 1 <= days <= 60)
        self.press(case, actor, move.action, note=note, days=days, expect=None if fine else Refused)

    @precondition(lambda self: self.offers)
    @rule(data=st.data())
    def decide_as_asked(self, data: st.DataObject) -> None:
        """The same with everything filled in: so that the life of the club gets far."""
        action = data.draw(st.sampled_from(sorted({move.action for _, _, move in self.offered()})))
        case, actor, move = data.draw(st.sampled_from([offer for offer in self.offered() if offer[2].action == action]))
        self.press(case, actor, move.action, note="好。", days=3, expect=None)

    @precondition(lambda self: self.seen)
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
                "vote",
                "dismiss",
                "step_down",
                "readmit",
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

    @precondition(lambda self: self.offers)
    @rule(data=st.data())
    def press_in_a_round_that_is_over(self, data: st.DataObject) -> None:
        case, actor, move = data.draw(st.sampled_from(self.offered()))
        if case.entered_version > 1:
            self.press(case, actor, move.action, note="好。", days=3, round=case.entered_version - 1, expect=Stale)

    @precondition(lambda self: any(state_of(case.workflow, case.state).undo for case in self.seen))
    @rule(data=st.data(), deputy=st.booleans(), hours=st.sampled_from([0, 1, 23, 24, 48]))
    def undo(self, data: st.DataObject, deputy: bool, hours: int) -> None:
        self.house.now += timedelta(hours=hours)
        case = data.draw(st.sampled_from([case for case in self.cases() if state_of(case.workflow, case.state).undo]))
        deciders = [person for person in self.actors().values() if person.role == ("admin" if deputy else "owner")]
        if not deciders:
            return
        self.take_back(case, data.draw(st.sampled_from(deciders)))

    @precondition(lambda self: any(actor.id != case.person_id for case, actor, _ in self.offers))
    @rule(data=st.data(), hours=st.sampled_from([0, 1, 20]))
    def decide_and_take_it_back(self, data: st.DataObject, hours: int) -> None:
        """Whatever somebody may decide: so that every kind of decision is taken back."""
        decisions = [offer for offer in self.offered() if offer[1].id != offer[0].person_id]
        if not decisions:
            return
        action = data.draw(st.sampled_from(sorted({move.action for _, _, move in decisions})))
        case, decider, move = data.draw(st.sampled_from([offer for offer in decisions if offer[2].action == action]))
        self.press(case, decider, move.action, note="好。", days=3, expect=None)
        self.look()
        self.house.now += timedelta(hours=hours)
        self.take_back(case, decider)

    def take_back(self, case: Case, decider: Person) -> None:
        before = self.everything()
        case = next(item for item in self.cases() if item.id == case.id)
        try:
            self.press(case, decider, "undo", expect=None)
        except NotAllowed:
            assert self.everything() == before
        else:
            decision = self.events_of(case)[case.entered_version - 1]
            assert decision.who_id == decider.id
            assert self.house.now < decision.at + timedelta(hours=24)
            self.check_as_it_was(case, decision)

    def check_as_it_was(self, case: Case, decision: Event) -> None:
        """After an undo: where the case was before, due when it was due; with less than a day left, at the end of the next day."""
        again = next(item for item in self.cases() if item.id == case.id)
        assert again.state == decision.from_state
        entered = max(event.version for event in self.events_of(case) if event.version < decision.version and enters(event))
        if (case.id, entered) in self.dues:  # else it was decided as soon as it came
            due, _ = self.dues[case.id, entered]
            tomorrow = (self.house.now + REMIND_BEFORE).astimezone(SHANGHAI).date() + timedelta(days=1)
            late = datetime.combine(tomorrow, time(), SHANGHAI)
            assert again.due_at == (due if due >= self.house.now + REMIND_BEFORE else late)

    @precondition(lambda self: self.offers)
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
        rested = self.club().paused_at
        before = {case.id: case.version for case in self.cases()}
        self.house.tick()
        for case in self.cases():
            if case.id in before:
                taken = [
                    event
                    for event in self.events_of(case)
                    if event.version > before[case.id] and event.action in ("due", "postponed")
                ]
                assert len(taken) <= (0 if rested else 1), "each case takes one due step per sweep, and none in a club that rests"

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
            renewed = self.has_moved(letter) if letter.case_id else self.somebody_was_erased()
            sent = self.bytes.setdefault((letter.message_id, frozen.recipient), set())  # to a new address it is written anew
            sent.add(frozen.content)
            assert renewed or len(sent) == 1, "a retry sends the same bytes"
        return answer

    def has_moved(self, letter: Letter) -> bool:
        return any(event.action in MOVES_DUE for event in self.events_by_id(letter.case_id))

    def somebody_was_erased(self) -> bool:
        """Digests and receipts may have named them, and are written anew."""
        return bool(self.house.rows(select(Person.id).where(Person.status == "erased")))

    def press(self, case: Case, actor: Person, action: str, *, expect: type[Exception] | None, **given: Any) -> None:
        unit: Callable[[Session], None] = lambda session: self.act(session, case, actor, action, **given)  # noqa: E731
        if expect is None:
            self.house.write(unit)
        else:
            self.refused(unit, expect)

    def refused(self, unit: Callable[[Session], None], expect: type[Exception]) -> None:
        before = self.everything()
        with pytest.raises(expect):
            self.house.write(unit)
        assert self.everything() == before, "what is refused changes nothing"

    def cast(self, case: Case, who: Person, choice: str) -> None:
        self.house.write(lambda session: self.vote(session, case, who, choice))
        self.ballots.setdefault((case.id, case.entered_version), {})[who.id] = choice

    def vote(self, session: Session, case: Case, who: Person, choice: str) -> None:
        hand, mine = Hand(session.get_one(Person, (case.club_id, who.id)), "page"), session.get_one(Case, (case.club_id, case.id))
        vote(session, mine, choice, by=hand, now=self.house.now, round=case.entered_version)

    def remember_application(self, who: str) -> None:
        """Whose the newest form is; one that was only told that another is open already is nobody's."""
        person, form = self.house.person(who), f"{who}-{self.forms[who]}"
        taken = any(form in (case.key.partition(":")[0], case.data.get("form")) for case in self.cases())
        self.applied[who] = person.id if taken else 0

    def hand_in(self, session: Session, who: Person, form: str, answers: dict[str, Any], form_id: str) -> None:
        person = session.get_one(Person, (who.club_id, who.id))
        flow = workflow("departure" if form == "erasure" else form)
        open_by_member(session, person, flow, answers, by=Hand(person, "page"), form_id=form_id, now=self.house.now)

    def act(self, session: Session, case: Case, actor: Person, action: str, **given: Any) -> None:
        mine = session.get_one(Case, (case.club_id, case.id))
        move = declared(state_of(mine.workflow, mine.state), action)
        texts = {name: (PLAN | APPLICATION | REFLECTION | NOMINATION)[name] for name in move.fill} if move else {}
        fill = {name: text if isinstance(text, bool) else f"{text} {case.version}" for name, text in texts.items()}
        hand = Hand(session.get_one(Person, (case.club_id, actor.id)), "page")
        act(session, mine, action, by=hand, now=self.house.now, answers=fill, **({"proven": True} | given))

    def cases(self) -> list[Case]:
        return self.house.rows(select(Case).order_by(Case.id))

    def votes_open(self) -> list[Case]:
        return [case for case in self.cases() if (case.workflow, case.state) == ("nomination", "vote")]

    def events_of(self, case: Case) -> list[Event]:
        return self.events_by_id(case.id)

    def events_by_id(self, case_id: int | None) -> list[Event]:
        return self.house.rows(select(Event).where(Event.case_id == case_id).order_by(Event.version))

    def owner(self) -> Person:
        """By the office: whoever has it may have another address by now."""
        (owner,) = self.house.rows(select(Person).where(Person.role == "owner"))
        return owner

    def actors(self) -> dict[str, Person]:
        found = self.house.rows(select(Person).where(Person.address.is_not(None)).order_by(Person.id))
        return {person.address: person for person in found}

    def offered(self) -> list[tuple[Case, Person, Act]]:
        """Every declared act that somebody may do now, by the test's own reading of the rights."""
        return self.offered_in(self.cases(), {person.id: person for person in self.house.rows(select(Person).order_by(Person.id))})

    def offered_in(self, cases: list[Case], people: dict[int, Person]) -> list[tuple[Case, Person, Act]]:
        actors = [person for person in people.values() if person.address is not None]
        return [
            (case, actor, move)
            for case in cases
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
        if hasattr(self, "house"):
            self.look()

    def look(self) -> None:
        """After each rule, and within one that lets several things happen."""
        with self.house.read() as session:
            self.rests = session.get_one(Club, self.house.club_id).paused_at is not None
            people = {person.id: person for person in session.execute(select(Person).order_by(Person.id)).scalars()}
            cases = list(session.execute(select(Case).order_by(Case.id)).scalars())
            letters = list(session.execute(select(Letter)).scalars())
            marks: dict[tuple[int, int], list[Mark]] = {}
            for mark in session.execute(select(Mark)).scalars():
                marks.setdefault((mark.case_id, mark.entered_version), []).append(mark)
            events: dict[int, list[Event]] = {}
            for event in session.execute(select(Event).order_by(Event.version)).scalars():
                events.setdefault(event.case_id, []).append(event)
        for case in cases:
            self.check_the_ledger_of(case, events[case.id], people)
            self.check_the_rest_of(case)
            self.check_warnings(case, events[case.id], letters)
            if case.workflow == "nomination":
                self.check_votes(case, events[case.id], marks, people)
        self.check_people(cases, events, people)
        self.check_letters(letters, people)
        self.seen, self.offers = cases, self.offered_in(cases, people)
        self.votes_seen = [case for case in cases if (case.workflow, case.state) == ("nomination", "vote")]
        self.dues |= {(case.id, case.entered_version): (case.due_at, case.entered_at) for case in cases if case.due_at}

    def check_the_ledger_of(self, case: Case, events: list[Event], people: dict[int, Person]) -> None:
        assert [event.version for event in events] == list(range(1, case.version + 1))
        assert case.state == events[-1].to_state
        assert [event.from_state for event in events] == ["", *(event.to_state for event in events[:-1])]
        assert self.went_back or [event.at for event in events] == sorted(event.at for event in events)
        for event in events:
            if (case.id, event.version) in self.heard:
                continue  # who held which office then is not known any more
            self.heard.add((case.id, event.version))
            if event.who_id is None:
                assert event.version == 1 or (event.via == "clock" and event.action in CLOCKS_MOVES)
            elif event.action == "undo":
                decision = next(before for before in reversed(events[: event.version - 1]) if enters(before))
                assert decision.who_id == event.who_id, "only the decider takes a decision back"
                assert decision.action != "undo" and (decision.from_state, decision.to_state) == (event.to_state, event.from_state)
            elif event.action != "open":
                move = declared(workflow(case.workflow).states[event.from_state], event.action)
                owner_for_them = event.on_behalf_of_id == case.person_id and people[event.who_id].role == "owner"
                actor = people[case.person_id] if owner_for_them else people[event.who_id]
                assert move is not None and any(holds(role, actor, case) for role in move.who.names)
                assert move.note != "required" or event.note or not case.answers
                if not owner_for_them:
                    self.check_whose_name(case, event, move, people)

    def check_whose_name(self, case: Case, event: Event, move: Act, people: dict[int, Person]) -> None:
        """Where an admin decided as the owner's deputy both names stand; elsewhere only one's own."""
        decider = people[event.who_id or 0]
        deputises = "reviewer" in move.who.names and decider.role != "owner" and decider.id != case.person_id
        owner = next(person.id for person in people.values() if person.role == "owner")
        assert event.on_behalf_of_id == (owner if deputises and case.person_id != owner else None)

    def check_votes(
        self, case: Case, events: list[Event], marks: dict[tuple[int, int], list[Mark]], people: dict[int, Person]
    ) -> None:  # fmt: skip
        """Each round of a vote: who voted what while it runs; when it is over the counts stand in its last event, and no choice."""
        for begun in (event for event in events if event.to_state == "vote" and event.from_state != "vote"):
            cast = {mark.person_id: mark.choice for mark in marks.get((case.id, begun.version), [])}
            mine = self.ballots.get((case.id, begun.version), {})
            gone = {who for who in mine if people[who].status == "erased"}
            assert set(cast) == set(mine), "a vote of somebody who did not cast one"
            assert case.person_id not in cast
            later = (event for event in events if event.version > begun.version)
            closing = next((event for event in later if event.from_state == "vote" != event.to_state), None)
            if closing is None:
                assert cast == {who: "" if who in gone else choice for who, choice in mine.items()}
                continue
            assert set(cast.values()) <= {""}, "a secret vote is over, and its choices still stand"
            if not gone and case.answers:  # erased voters' choices are empty; of an erased candidate nothing is left
                self.check_count(case, closing, mine)

    def check_count(self, case: Case, closing: Event, mine: dict[int, str]) -> None:
        counted = dict(Counter(mine.values())) if closing.action in ("due", "decided") else None
        assert closing.answers.get("count") == counted, "the count is not what was cast, or a vote that was stopped is counted"
        if closing.to_state in ENDS_OF_A_VOTE:
            yes, no = Counter(mine.values())["yes"], Counter(mine.values())["no"]
            few = 3 * (yes + no) < case.data["electors"]
            assert closing.to_state == ("too_few" if few else "elected" if yes > no else "rejected")

    def check_the_rest_of(self, case: Case) -> None:
        final = workflow(case.workflow).states[case.state].is_final
        if final:
            assert (case.turn, case.due_at, case.wake_at) == ("", None, None)
        else:
            assert case.turn and case.due_at
            assert self.rests or (case.wake_at is None) == (case.trouble == "unreachable"), (
                "a case rests only, and only then says so, while nobody is reached, or with its club"
            )
            assert case.trouble in ("", "unreachable"), case.trouble

    def check_warnings(self, case: Case, events: list[Event], letters: list[Letter]) -> None:
        entered = 1
        for event in events:
            if event.action == "due" and (case.id, event.version) not in self.judged:
                self.judged.add((case.id, event.version))
                self.check_warned(case, event, entered, letters)
            if enters(event):
                entered = event.version

    def check_warned(self, case: Case, event: Event, entered: int, letters: list[Letter]) -> None:
        state = workflow(case.workflow).states[event.from_state]
        if str(state.turn) != "person" or state.name == "erasing":  # erasure is no step against them: they asked for it
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
        twice = [key for key, count in open_ones.items() if count > 1 and key[1] != "departure"]
        assert twice == [], "one open case of a workflow per person"
        for person in people.values():
            own = [case for case in cases if case.person_id == person.id]
            removals = [event for case in own for event in events[case.id] if event.to_state == "removed"]
            assert all(event.action == "remove" and event.who_id for event in removals)
            if person.removed_at:
                assert removals, "nobody is removed without a person who did it"
            if person.status in ("removed", "departed"):
                still = [case for case in own if case.turn and case.workflow != "join"]
                assert [case.state for case in still if case.state != "erasing"] == []
            if person.status == "member" and person.id not in self.from_the_start:
                assert any(case.state == "approved" for case in own), "a member was approved"
            self.check_office(person, own)

    def check_office(self, person: Person, own: list[Case]) -> None:
        """Nobody is an admin without a reason, and nobody but a member is one."""
        if person.role == "admin":
            reasons = [case for case in own if case.workflow == "nomination" and case.state in ("elected", "in_office")]
            assert person.status == "member"
            assert reasons or person.id in self.from_the_start, "an admin whom nobody elected"

    def check_letters(self, letters: list[Letter], people: dict[int, Person]) -> None:
        assert len({letter.key for letter in letters}) == len(letters), "two letters with one key"
        for letter in letters:
            accepted = self.accepted[letter.message_id]
            assert accepted <= 1 or letter.maybe_twice, "sent twice, and nobody is told"
            assert letter.state != "sent" or accepted, "said to be sent, and no server has it"
            assert not letter.answer.startswith("compose:"), f"a letter that cannot be written: {letter.name} {letter.answer}"
            forgotten = (
                letter.person_id is not None and people[letter.person_id].status == "erased"
            )  # and the server's words with them
            assert letter.state not in ("dropped", "failed") or letter.answer or forgotten, "ended without a reason"


class ClubLifeOnPostgres(ClubLife):
    """The same life, on the other database."""

    kind = "postgresql"


TestClubLife = ClubLife.TestCase
TestClubLifeOnPostgres = ClubLifeOnPostgres.TestCase
