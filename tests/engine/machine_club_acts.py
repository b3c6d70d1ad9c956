"""Actions on a whole club by owners, admins and the machine.

Pauses, handovers, charters, clocks, the post.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from engine.cases.erasure import BYTES_KEPT, CannotErase, erase_for_good, forget_bytes
from engine.cases.member_links import reissue_links
from engine.cases.offers import CannotOffer, offer
from engine.cases.submissions import (
    correct_for_member,
    send_form_link,
    send_page,
    send_sign_in,
    submit_on_behalf,
)
from engine.cases.transitions import NotAllowed
from engine.clock import machine_now
from engine.club.context import current_owner
from engine.declare.transition import Actor
from engine.outbox import delivery_log
from engine.scheduler.pause import pause, resume
from engine.scheduler.schedules import plan_every_club
from engine.scheduler.sweep import forget_old
from engine.setup.club_admin import apply_charter, change_club
from engine.storage.models import Letter, Person
from engine.storage.unit_of_work import ClubSession
from tests.engine.machine_time import TimeAndPost

OLD_FRIENDS = ("friend@qq.com", "colleague@163.com")
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "America/Santiago",
)
NUMBERS: dict[str, list[Any]] = {
    "plan_days": [1, 3, 10],
    "second_chances": [0, 1, 2],
    "second_chance_days": [1, 2],
    "decide_days": [1, 7],
    "removal_days": [1, 14],
    "vote_days": [1, 3],
    "big_book_days": [1, 3],
    "week_opens": ["sunday 08:00", "wednesday 23:30", "monday 02:30"],
    "week_due": ["saturday 20:00", "sunday 23:59", "tuesday 00:00"],
    "digest_hour": ["08:00", "23:30"],
    "quiet_until": ["07:30", "22:00"],
}
ANSWERS: dict[str, dict[str, Any]] = {
    "new_name": {"name": "新名", "city": "上海"},
    "departure": {"why": "电话里说的。", "erase": False},
}

addresses = st.sampled_from(
    [
        *OLD_FRIENDS,
        "lilei@qq.com",
        "hanmeimei@163.com",
        "reader@qq.com",
        "admin@qq.com",
        "nobody@qq.com",
    ]
)
changes = st.sampled_from(sorted(NUMBERS)).flatmap(
    lambda key: st.tuples(st.just(key), st.sampled_from(NUMBERS[key]))
)


class ClubActs(TimeAndPost):
    # The club

    @rule(days=st.integers(0, 9), stays=st.integers(0, 12), ticks=st.booleans())
    def the_club_rests(self, days: int, stays: int, ticks: bool) -> None:
        """For so many days, or until somebody ends it; twelve times two hours of it are lived
        through."""
        until = self.house.now + timedelta(days=days) if days else None
        self.house.db.write(pause, self.house.club_id, self.house.now, until)
        self.look()
        self.house.now += timedelta(hours=2 * stays)
        if ticks:
            self.tick()

    @precondition(lambda self: self.rests)
    @rule(hours=st.sampled_from([0, 1, 30, 200]))
    def the_club_goes_on(self, hours: int) -> None:
        self.house.now += timedelta(hours=hours)
        due = {case.id: case.due_at for case in self.cases() if case.due_at}
        self.house.db.write(resume, self.house.club_id, self.house.now)
        assert all(
            case.due_at and case.due_at >= due[case.id] for case in self.cases() if case.id in due
        ), "due earlier than told"

    @rule(change=changes)
    def the_charter_changes(self, change: tuple[str, Any]) -> None:
        charter = self.club().charter
        charter = charter | {"numbers": charter["numbers"] | dict([change])}
        due = {case.id: case.due_at for case in self.cases()}
        self.house.db.write(
            apply_charter, self.house.club_id, charter, self.house.now, by_id=self.owner().id
        )
        assert {case.id: case.due_at for case in self.cases()} == due, (
            "an instant that was told moved"
        )

    @rule(zone=st.sampled_from(ZONES))
    def the_club_moves(self, zone: str) -> None:
        due = {case.id: case.due_at for case in self.cases()}
        self.house.db.write(
            change_club, self.house.club_id, name=self.club().name, zone=zone, now=self.house.now
        )
        assert {case.id: case.due_at for case in self.cases()} == due, (
            "an instant that was told moved"
        )

    @rule(address=addresses, takes=st.booleans())
    def the_club_is_offered(self, address: str, takes: bool) -> None:
        def offers(session: ClubSession, club_id: int) -> None:
            offer(
                session,
                club_id,
                "handover",
                address,
                by=Actor(_owner(session, club_id), "page"),
                now=self.house.now,
            )

        if self.attempt(offers, self.house.club_id, refusal=(CannotOffer,)) and takes:
            self.house.press(address, "accept", address, "handover")
            self.house.press(address, "confirm", address, "handover")

    # The clock

    @rule(hours=st.sampled_from([1, 7, 30, 24 * 15]), found=st.booleans())
    def the_clock_is_put_back(self, hours: int, found: bool) -> None:
        """A machine's clock ran ahead; a worker that starts finds it put right."""
        self.house.now -= timedelta(hours=hours)
        self.went_back = True
        if found:
            self.house.db.write(plan_every_club, self.house.now)

    # People

    @rule(who=st.sampled_from(OLD_FRIENDS), role=st.sampled_from(["member", "member", "admin"]))
    def members_from_before_come(self, who: str, role: str) -> None:
        plan = self.house.bring(f"name,email,role\n老友,{who},{role}\n")
        if plan.new:
            self.from_the_start.add(self.house.person(who).id)

    @rule(data=st.data(), form=st.sampled_from(["new_name", "new_name", "departure"]))
    def the_owner_hands_in_for_somebody(self, data: st.DataObject, form: str) -> None:
        person = data.draw(st.sampled_from(list(self.actors().values())))
        self.own_forms += 1
        given = {"form_id": f"own-{self.own_forms}", "now": self.house.now}
        went = self.attempt(
            submit_on_behalf,
            self.house.club_id,
            form,
            self.owner().id,
            person.id,
            ANSWERS[form],
            refusal=(NotAllowed,),
            **given,
        )
        assert went == (person.status == "member" and person.role != "owner")

    @rule(data=st.data(), free=st.booleans())
    def the_owner_puts_an_address_right(self, data: st.DataObject, free: bool) -> None:
        person = data.draw(st.sampled_from(list(self.actors().values())))
        self.own_forms += 1
        answers = {"email": f"right-{self.own_forms}@qq.com" if free else self.owner().address}
        given = {"why": "打错了。", "form_id": f"own-{self.own_forms}", "now": self.house.now}
        went = self.attempt(
            correct_for_member,
            self.house.club_id,
            "new_address",
            "correct",
            self.owner().id,
            person.id,
            answers,
            refusal=(NotAllowed,),
            **given,
        )
        assert went == (person.status == "member" and person.role != "owner")

    @rule(data=st.data())
    def somebody_is_erased_at_once(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(list(self.actors().values())))
        went = self.attempt(
            erase_for_good, self.house.club_id, person.id, self.house.now, refusal=(CannotErase,)
        )
        assert went == (person.role != "owner")

    @rule(data=st.data(), does=st.sampled_from(["fewer", "all", "links", "english"]))
    def somebody_changes_how_they_are_written_to(self, data: st.DataObject, does: str) -> None:
        person = data.draw(st.sampled_from(list(self.actors().values())))

        def unit(session: ClubSession) -> None:
            mine = session.get_one(Person, (self.house.club_id, person.id))
            if does == "links":
                reissue_links(session, mine, self.house.now)
            elif does == "english":
                mine.locale = "en"
            else:
                mine.fewer_reminders = does == "fewer"

        self.house.write(unit)

    @rule(data=st.data(), what=st.sampled_from(["form", "sign in", "page"]))
    def a_link_is_asked_for(self, data: st.DataObject, what: str) -> None:
        person = data.draw(st.sampled_from(list(self.actors().values())))
        self.own_forms += 1
        given = {"request_id": f"ask-{self.own_forms}", "now": self.house.now, "limited": False}
        if what == "form":
            self.house.db.write(
                send_form_link, self.house.club_id, "nomination", person.address or "", **given
            )
        elif what == "sign in":
            self.house.db.write(send_sign_in, self.house.club_id, person.address or "", **given)
        else:
            self.attempt(
                send_page,
                self.house.club_id,
                person.id,
                by=self.owner().id,
                refusal=(NotAllowed,),
                **given,
            )

    # The post

    @rule(
        data=st.data(),
        does=st.sampled_from([delivery_log.retry, delivery_log.hold, delivery_log.release]),
    )
    def a_letter_is_taken_in_hand(self, data: st.DataObject, does: Callable[..., bool]) -> None:
        letters = self.house.rows(select(Letter.id).order_by(Letter.id))
        if letters:
            self.house.db.write(
                does, self.house.club_id, data.draw(st.sampled_from(letters)), self.house.now
            )

    @rule(does=st.sampled_from(["hold", "release club", "release"]))
    def all_letters_are_taken_in_hand(self, does: str) -> None:
        if does == "hold":
            self.house.db.write(delivery_log.hold_all, machine_now())
        elif does == "release club":
            self.house.db.write(delivery_log.release_club, self.house.club_id, self.house.now)
        else:
            self.house.db.write(delivery_log.release_all, self.house.now)

    @rule()
    def the_house_is_kept(self) -> None:
        self.house.db.write(forget_old, self.house.now)
        self.house.db.write(forget_bytes, self.house.now - BYTES_KEPT)
        self.bytes.clear()  # what is sent once more after that is written anew


def _owner(session: ClubSession, club_id: int) -> Person:
    session.scope = club_id
    return current_owner(session)
