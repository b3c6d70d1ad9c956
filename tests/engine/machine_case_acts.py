"""What people do in their cases: they apply, hand in, vote, decide, take back; and what is refused."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from engine.cases.transitions import NotAllowed, Refused, Stale
from engine.club.authority import set_absence
from engine.declare.registry import state_of
from engine.declare.roles import Proof
from engine.storage.models import Case, Event, Person
from engine.storage.unit_of_work import ClubSession
from tests.engine.machine_club import AT_THE_START, NOMINATION, PEOPLE
from tests.engine.machine_invariants import REMIND_BEFORE
from tests.engine.machine_rights import enters, may_hand_in, votes
from tests.engine.machine_time import TimeAndPost

CROWD = (*PEOPLE, *AT_THE_START)
FORMS: dict[str, dict[str, Any]] = {
    "nomination": NOMINATION,
    "departure": {"why": "搬家了。", "erase": False},
    "erasure": {"why": "", "erase": True},
    "new_address": {},
    "new_name": {"name": "新名", "city": "成都"},
}

people, crowd = st.sampled_from(PEOPLE), st.sampled_from(CROWD)


class Crash(Exception):
    """A process died here."""


class CaseActs(TimeAndPost):
    @rule(who=people, again=st.booleans(), city=st.sampled_from(["武汉", "荆州"]))
    def hand_in_an_application(self, who: str, again: bool, city: str) -> None:
        before = self.everything()
        person = self.actors().get(
            who
        )  # who was forgotten, or has another address since, is a stranger again
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
        form=st.sampled_from(
            [
                "nomination",
                "nomination",
                "nomination",
                "departure",
                "erasure",
                "new_address",
                "new_name",
            ]
        ),
        again=st.booleans(),
    )
    def hand_in_a_form_of_ones_own(
        self, data: st.DataObject, who: str, form: str, again: bool
    ) -> None:
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
        self.house.write(
            lambda session: self.hand_in(
                session, person, "nomination", NOMINATION, f"own-{self.own_forms}"
            )
        )
        case = next(
            case
            for case in self.cases()
            if case.workflow == "nomination" and case.person_id == person.id and case.turn
        )
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

    @precondition(lambda self: any(move.proof for _, _, move in self.offers))
    @rule(data=st.data())
    def press_without_the_letter(self, data: st.DataObject) -> None:
        """An address is confirmed by who reads it, not by who asked for it."""
        case, actor, move = data.draw(
            st.sampled_from([offer for offer in self.offered() if offer[2].proof])
        )
        self.press(case, actor, move.action, proof=Proof.NONE, expect=NotAllowed)

    @rule(days=st.integers(0, 6))
    def the_owner_goes_away(self, days: int) -> None:
        until = self.house.now + timedelta(days=days) if days else None
        self.house.db.write(set_absence, self.house.club_id, self.owner().id, until)

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
        case, actor, move = data.draw(
            st.sampled_from([offer for offer in self.offered() if offer[2].action == action])
        )
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
            or any(
                c.id == case.id and a.id == actor.id and m.action == action
                for c, a, m in self.offered()
            )
        ):
            return
        self.press(case, actor, action, note="我来。", days=3, expect=NotAllowed)

    @precondition(lambda self: self.offers)
    @rule(data=st.data())
    def press_in_a_round_that_is_over(self, data: st.DataObject) -> None:
        case, actor, move = data.draw(st.sampled_from(self.offered()))
        if case.entered_version > 1:
            self.press(
                case,
                actor,
                move.action,
                note="好。",
                days=3,
                seen_version=case.entered_version - 1,
                expect=Stale,
            )

    @precondition(lambda self: any(state_of(case.workflow, case.state).undo for case in self.seen))
    @rule(data=st.data(), deputy=st.booleans(), hours=st.sampled_from([0, 1, 23, 24, 48]))
    def undo(self, data: st.DataObject, deputy: bool, hours: int) -> None:
        self.house.now += timedelta(hours=hours)
        case = data.draw(
            st.sampled_from(
                [case for case in self.cases() if state_of(case.workflow, case.state).undo]
            )
        )
        deciders = [
            person
            for person in self.actors().values()
            if person.role == ("admin" if deputy else "owner")
        ]
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
        case, decider, move = data.draw(
            st.sampled_from([offer for offer in decisions if offer[2].action == action])
        )
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
        """After an undo: where the case was before, due when it was due; with less than a day left,
        at the end of the next day."""
        again = next(item for item in self.cases() if item.id == case.id)
        assert again.state == decision.from_state
        entered = max(
            event.version
            for event in self.events_of(case)
            if event.version < decision.version and enters(event)
        )
        if (case.id, entered) in self.dues:  # else it was decided as soon as it came
            due, _ = self.dues[case.id, entered]
            zone = ZoneInfo(self.club().zone)
            tomorrow = (self.house.now + REMIND_BEFORE).astimezone(zone).date() + timedelta(days=1)
            late = datetime.combine(tomorrow, time(), zone)
            assert again.due_at == (due if due >= self.house.now + REMIND_BEFORE else late)

    @precondition(lambda self: self.offers)
    @rule(data=st.data())
    def a_unit_dies_after_its_work(self, data: st.DataObject) -> None:
        case, actor, move = data.draw(st.sampled_from(self.offered()))
        before = self.everything()

        def unit(session: ClubSession) -> None:
            self.act(session, case, actor, move.action, note="好。", days=3)
            session.flush()
            raise Crash

        with pytest.raises(Crash):
            self.house.write(unit)
        assert self.everything() == before
