"""Time passes, the post works or does not, and its workers die."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import select

from engine.clock import machine_now
from engine.storage.models import Case, Letter, Person, Schedule
from mailers.queue import outbox
from mailers.queue.prepared import OutgoingMail
from mailers.smtp.reply import SmtpReply
from tests.club import DOWN, LATER, SILENT, TAKEN, UNKNOWN
from tests.engine.machine_invariants import WhatMustHold
from tests.engine.machine_rights import MOVES_DUE

spans = st.one_of(
    st.integers(1, 30).map(lambda n: timedelta(hours=n)),
    st.integers(1, 5).map(lambda n: timedelta(days=n)),
    st.integers(1, 5).map(lambda n: timedelta(weeks=n)),
)
answers = st.lists(
    st.sampled_from([TAKEN, TAKEN, TAKEN, LATER, UNKNOWN, SILENT, DOWN]), min_size=1, max_size=6
)


class TimeAndPost(WhatMustHold):
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
        weeks = self.reading_schedule()
        opens = weeks.next_at <= self.house.now and not rested
        self.house.tick()
        if opens and self.reading_schedule().not_opened == weeks.not_opened:
            self.check_week_opened()
        for case in self.cases():
            if case.id in before:
                taken = [
                    event
                    for event in self.events_of(case)
                    if event.version > before[case.id] and event.action in ("due", "postponed")
                ]
                assert len(taken) <= (0 if rested else 1), (
                    "each case takes one due step per sweep, and none in a club that rests"
                )

    @rule(says=answers, wait=st.sampled_from([0, 1, 20]))
    def a_letter_is_tried_again(self, says: list[SmtpReply], wait: int) -> None:
        """The server takes it and its answer gets lost; or not; and some minutes later the post
        comes by again."""
        self.house.deliver(lambda frozen: self.hand_over(frozen, SILENT))
        self.house.now += timedelta(minutes=wait)
        self.the_post_goes_round(says)

    @rule(says=answers)
    def the_post_goes_round(self, says: list[SmtpReply]) -> None:
        tries = iter(range(1_000_000))
        self.house.deliver(lambda frozen: self.hand_over(frozen, says[next(tries) % len(says)]))

    @rule()
    def the_post_works(self) -> None:
        self.house.deliver(lambda frozen: self.hand_over(frozen, TAKEN))

    @rule(freezes=st.integers(1, 3), taken=st.booleans(), found=st.booleans())
    def a_post_worker_dies(self, freezes: int, taken: bool, found: bool) -> None:
        """Letters stay claimed, or in transmission: the server may have them already, and nobody
        wrote it down."""
        for claimed in self.house.claim(limit=4)[:freezes]:
            frozen = self.house.freeze(claimed)
            if frozen and taken:
                self.hand_over(frozen, TAKEN)
        if found:
            self.leases_run_out()

    @rule()
    def leases_run_out(self) -> None:
        self.house.db.write(outbox.requeue_expired_leases, machine_now() + timedelta(minutes=5))

    def reading_schedule(self) -> Schedule:
        return self.house.rows(select(Schedule).where(Schedule.rule == "reflection"))[0]

    def check_week_opened(self) -> None:
        """Whoever owes nothing has the week that was just opened."""
        opened = [case for case in self.cases() if case.workflow == "reflection"]
        newest = max((case.data["period"] for case in opened), default="")
        begun = {case.person_id for case in opened if case.data["period"] == newest}
        owes = {
            case.person_id
            for case in self.cases()
            if case.state == "removal_proposed"
            or (case.workflow == "reflection" and case.turn == "person")
        }
        for person in self.house.rows(select(Person).where(Person.status == "member")):
            since = max(at for at in (person.joined_at, person.registered_at) if at)
            old = since <= self.house.now - timedelta(weeks=1)
            if newest and old and person.role != "owner":
                assert person.id in begun | owes, (
                    "a week did not open for a member who owes nothing"
                )

    # What the server is handed

    def hand_over(self, frozen: OutgoingMail, answer: SmtpReply) -> SmtpReply:
        with self.house.read() as session:
            letter = session.get_one(Letter, (frozen.claimed.club_id, frozen.claimed.letter_id))
            assert (letter.state, letter.bytes) == ("transmitting", frozen.content), (
                "bytes and transmitting are in the database before it goes"
            )
            if letter.asks:
                case = session.get_one(Case, (letter.club_id, letter.case_id))
                assert case.entered_version == letter.version, (
                    "an ask of a round that is over was handed over"
                )
                assert case.turn
        if answer in (TAKEN, SILENT):  # silent after the dot: the server may well have it
            self.accepted[letter.message_id] += 1
            renewed = self.has_moved(letter) if letter.case_id else self.somebody_was_erased()
            sent = self.bytes.setdefault(
                (letter.message_id, frozen.recipient), set()
            )  # to a new address it is written anew
            sent.add(frozen.content)
            assert renewed or len(sent) == 1, "a retry sends the same bytes"
        return answer

    def has_moved(self, letter: Letter) -> bool:
        return any(event.action in MOVES_DUE for event in self.events_by_id(letter.case_id))

    def somebody_was_erased(self) -> bool:
        """Digests and receipts may have named them, and are written anew."""
        return bool(self.house.rows(select(Person.id).where(Person.status == "erased")))
