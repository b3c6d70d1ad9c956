"""The invariants of the club's life, checked after each rule."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis.stateful import invariant
from sqlalchemy import select

from engine.declare.registry import workflow
from engine.declare.workflow import Act
from engine.security.ballots import open_choice
from engine.storage.models import Case, Club, Event, Letter, Mark, Person
from engine.storage.states import PersonStatus
from tests.engine.machine_club import LivingClub
from tests.engine.machine_rights import CLOCKS_MOVES, declared, enters, holds

REMIND_BEFORE = timedelta(days=1)
ENDS_OF_A_VOTE = ("elected", "rejected", "too_few")


class WhatMustHold(LivingClub):
    @invariant()
    def what_must_hold(self) -> None:
        if hasattr(self, "house"):
            self.look()

    def look(self) -> None:
        """After each rule, and within one that lets several things happen."""
        with self.house.read() as session:
            self.rests = session.get_one(Club, self.house.club_id).paused_at is not None
            people = {
                person.id: person
                for person in session.execute(select(Person).order_by(Person.id)).scalars()
            }
            cases = list(session.execute(select(Case).order_by(Case.id)).scalars())
            letters = list(session.execute(select(Letter)).scalars())
            marks: dict[tuple[int, int], list[Mark]] = {}
            data = {case.id: case.data for case in cases}
            session.expunge_all()  # the choices are opened here, and nowhere written
            for mark in session.execute(select(Mark)).scalars():
                mark.choice = open_choice(session, data[mark.case_id], mark.choice)
                marks.setdefault((mark.case_id, mark.entered_version), []).append(mark)
            events: dict[int, list[Event]] = {}
            for event in session.execute(select(Event).order_by(Event.version)).scalars():
                events.setdefault(event.case_id, []).append(event)
        for case in cases:
            self.check_the_ledger_of(case, events[case.id], people)
            self.check_the_rest_of(case)
            self.check_warnings(case, events[case.id], letters)
            self.check_time_had(case, events[case.id])
            if case.workflow == "nomination":
                self.check_votes(case, events[case.id], marks, people)
        self.check_people(cases, events, people)
        self.check_letters(letters, people)
        self.seen, self.offers = cases, self.offered_in(cases, people)
        self.votes_seen = [
            case for case in cases if (case.workflow, case.state) == ("nomination", "vote")
        ]
        self.dues |= {
            (case.id, case.entered_version): (case.due_at, case.entered_at)
            for case in cases
            if case.due_at
        }

    def check_the_ledger_of(
        self, case: Case, events: list[Event], people: dict[int, Person]
    ) -> None:
        assert [event.version for event in events] == list(range(1, case.version + 1))
        assert case.state == events[-1].to_state
        assert [event.from_state for event in events] == [
            "",
            *(event.to_state for event in events[:-1]),
        ]
        assert self.went_back or [event.at for event in events] == sorted(
            event.at for event in events
        )
        for event in events:
            if (case.id, event.version) in self.heard:
                continue  # who held which office then is not known any more
            self.heard.add((case.id, event.version))
            if event.who_id is None:
                assert event.version == 1 or (event.via == "clock" and event.action in CLOCKS_MOVES)
            elif event.action == "undo":
                decision = next(
                    before for before in reversed(events[: event.version - 1]) if enters(before)
                )
                assert decision.who_id == event.who_id, "only the decider takes a decision back"
                assert decision.action != "undo" and (decision.from_state, decision.to_state) == (
                    event.to_state,
                    event.from_state,
                )
            elif event.action != "open":
                move = declared(workflow(case.workflow).states[event.from_state], event.action)
                owner_for_them = (
                    event.on_behalf_of_id == case.person_id and people[event.who_id].role == "owner"
                )
                actor = people[case.person_id] if owner_for_them else people[event.who_id]
                assert move is not None and any(holds(role, actor, case) for role in move.who.names)
                assert move.note != "required" or event.note or not case.answers
                if not owner_for_them:
                    self.check_whose_name(case, event, move, people)

    def check_whose_name(
        self, case: Case, event: Event, move: Act, people: dict[int, Person]
    ) -> None:
        """Where an admin decided as the owner's deputy both names stand; elsewhere only one's own."""
        decider = people[event.who_id or 0]
        deputises = (
            "reviewer" in move.who.names
            and decider.role != "owner"
            and decider.id != case.person_id
        )
        owner = next(person.id for person in people.values() if person.role == "owner")
        assert event.on_behalf_of_id == (owner if deputises and case.person_id != owner else None)

    def check_votes(
        self,
        case: Case,
        events: list[Event],
        marks: dict[tuple[int, int], list[Mark]],
        people: dict[int, Person],
    ) -> None:
        """Each round of a vote: who voted what while it runs; when it is over the counts stand in
        its last event, and no choice."""
        for begun in (
            event for event in events if event.to_state == "vote" and event.from_state != "vote"
        ):
            cast = {mark.person_id: mark.choice for mark in marks.get((case.id, begun.version), [])}
            mine = self.ballots.get((case.id, begun.version), {})
            gone = {who for who in mine if people[who].status == "erased"}
            assert set(cast) <= set(mine), "a vote of somebody who did not cast one"
            left = {who for who in mine if people[who].status != PersonStatus.MEMBER}
            assert set(mine) - set(cast) <= left, "only the votes of people who left go"
            mine = {who: choice for who, choice in mine.items() if who in cast}
            assert case.person_id not in cast
            later = (event for event in events if event.version > begun.version)
            closing = next(
                (event for event in later if event.from_state == "vote" != event.to_state), None
            )
            if closing is None:
                assert cast == {who: "" if who in gone else choice for who, choice in mine.items()}
                continue
            assert set(cast.values()) <= {""}, "a secret vote is over, and its choices still stand"
            if (
                not gone and case.answers
            ):  # erased voters' choices are empty; of an erased candidate nothing is left
                self.check_count(case, closing, mine)

    def check_count(self, case: Case, closing: Event, mine: dict[int, str]) -> None:
        counted = dict(Counter(mine.values())) if closing.action in ("due", "decided") else None
        assert closing.answers.get("count") == counted, (
            "the count is not what was cast, or a vote that was stopped is counted"
        )
        if closing.to_state in ENDS_OF_A_VOTE:
            yes, no = Counter(mine.values())["yes"], Counter(mine.values())["no"]
            few = 3 * (yes + no) < case.data["electors"]
            agreed = yes > no or not case.data["electors"]
            assert closing.to_state == ("too_few" if few else "elected" if agreed else "rejected")

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
        if (
            str(state.turn) != "person" or state.name == "erasing"
        ):  # erasure is no step against them: they asked for it
            return
        names = {f"{case.workflow}.{letter.name}" for letter in state.entry_letters if letter.asks}
        asks = [
            item
            for item in letters
            if item.case_id == case.id and item.version == entered and item.name in names
        ]
        if case.workflow == "join" and all(item.state in ("failed", "dropped") for item in asks):
            return  # an applicant whom no mail reaches is not waited for
        due, since = self.dues[case.id, entered]
        margin = min(REMIND_BEFORE, (due - since) / 2)
        assert [item.state for item in asks] == ["sent"], (
            "the clock moved against somebody who was not asked"
        )
        assert asks[0].settled_at and asks[0].settled_at <= due - margin, (
            "the clock moved against somebody who was asked too late"
        )

    def check_time_had(self, case: Case, events: list[Event]) -> None:
        """Never worse for being early: a return, a decline or more time leaves what there was."""
        entry = next((event for event in reversed(events) if enters(event)), None)
        if (
            case.turn != "person"
            or not entry
            or entry.action not in ("return", "decline", "extend")
        ):
            return
        entered = [event for event in events if enters(event) and event.version < entry.version]
        states = workflow(case.workflow).states
        for event in entered:
            known = (case.id, event.version) in self.dues
            if known and str(states[event.to_state].turn) == "person":
                due, _since = self.dues[case.id, event.version]
                assert case.due_at and case.due_at >= due, "worse for being early"

    def check_people(
        self, cases: list[Case], events: dict[int, list[Event]], people: dict[int, Person]
    ) -> None:
        open_ones = Counter((case.person_id, case.workflow) for case in cases if case.turn)
        many = ("departure", "reflection")  # a week that waits for its reader is no hindrance
        twice = [key for key, count in open_ones.items() if count > 1 and key[1] not in many]
        assert twice == [], "one open case of a workflow per person"
        for person in people.values():
            own = [case for case in cases if case.person_id == person.id]
            removals = [
                event for case in own for event in events[case.id] if event.to_state == "removed"
            ]
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
            reasons = [
                case
                for case in own
                if case.workflow == "nomination" and case.state in ("elected", "in_office")
            ]
            assert person.status == "member"
            assert reasons or person.id in self.from_the_start, "an admin whom nobody elected"

    def check_letters(self, letters: list[Letter], people: dict[int, Person]) -> None:
        assert len({letter.key for letter in letters}) == len(letters), "two letters with one key"
        for letter in letters:
            accepted = self.accepted[letter.message_id]
            assert accepted <= 1 or letter.maybe_twice, "sent twice, and nobody is told"
            assert letter.state != "sent" or accepted, "said to be sent, and no server has it"
            assert not letter.answer.startswith("compose:"), (
                f"a letter that cannot be written: {letter.name} {letter.answer}"
            )
            forgotten = (
                letter.person_id is not None and people[letter.person_id].status == "erased"
            )  # and the server's words with them
            assert letter.state not in ("dropped", "failed") or letter.answer or forgotten, (
                "ended without a reason"
            )
