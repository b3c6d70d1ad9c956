"""The names that letter templates use: the facts of a case, in the recipient's language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from engine.cases.deadlines import transition_at
from engine.cases.submissions import may_submit
from engine.charter.model import CITED, Cited
from engine.club.context import charter_numbers, current_charter, current_owner
from engine.club.history import changed_since_last
from engine.club.people import same_mailbox
from engine.declare.due_times import days_of_period
from engine.declare.fields import labels_of
from engine.declare.registry import (
    entrance,
    form_number,
    standing,
    state_of,
    title_of,
    week_of,
    workflow,
)
from engine.declare.roles import Proof
from engine.declare.targets import resolve
from engine.declare.workflow import REMOVAL_PROPOSED, Workflow
from engine.declare.workflow import person as the_person
from engine.security.links import Kind, Link, Links
from engine.storage.models import Case, Club, Event, Letter, Person
from engine.storage.unit_of_work import ClubSession
from engine.text.addresses import foreign_domain
from engine.text.i18n import isolate, of_week, say_days, translate
from engine.text.text_diff import Piece
from mailers.letters.case_progress import CaseProgress
from mailers.letters.written import Written, written_within


class LetterDropped(Exception):
    """A letter that must not leave any more; the text says why."""


@dataclass
class LetterContext:
    """The names that a letter template may use, each looked up on first use.

    ``room``: how many bytes of what people wrote fit into the mail.
    """

    session: ClubSession
    letter: Letter
    you: Person
    club_row: Club
    links: Links
    now: datetime
    room: int

    @property
    def language(self) -> str:
        return self.you.locale

    @property
    def recipient(self) -> str:
        """Return the person's own address, unless the letter names another."""
        return self.letter.address or self.you.address or ""

    @property
    def club(self) -> str:
        return isolate(self.club_row.name)

    @property
    def owner(self) -> str:
        return isolate(current_owner(self.session).name)

    @cached_property
    def charter(self) -> Any:
        return current_charter(self.club_row).numbers

    @property
    def charter_unread(self) -> bool:
        """True if the recipient's page has the button that acknowledges the charter."""
        return self.you.charter_version < self.club_row.charter_version

    @cached_property
    def group(self) -> str:
        return current_charter(self.club_row).group

    @cached_property
    def case(self) -> Case:
        return self.session.get_one(Case, (self.letter.club_id, self.letter.case_id))

    @property
    def has_case(self) -> bool:
        return self.letter.case_id is not None

    @cached_property
    def flow(self) -> type[Workflow]:
        """Return the workflow of the case, or the one that names a letter without a case."""
        return workflow(self.case.workflow if self.has_case else self.letter.name.partition(".")[0])

    @property
    def template(self) -> str:
        """Return the name of the letter's file: the variant for its event, if one is declared."""
        place, _dot, name = self.letter.name.partition(".")
        if not self.has_case or not self.flow.variants.get(name):
            return self.letter.name
        variant = self.flow.variant_of(name, self.event.from_state, self.event.action)
        return f"{place}.{name}.{variant}" if variant else self.letter.name

    @property
    def matter(self) -> str:
        """Return the title of the case, with its week if it has one."""
        return (
            title_of(self.case, self.language, self.today)
            if self.has_case
            else translate(self.flow.label, self.language)
        )

    @property
    def matter_inline(self) -> str:
        """Return the title for the middle of a sentence: only the names of months are capital."""
        label, week = translate(self.flow.label, self.language).lower(), self.week
        return of_week(label, week, self.language)

    @property
    def today(self) -> date:
        """Return the local day on which the letter is written."""
        return self.now.astimezone(ZoneInfo(self.club_row.zone)).date()

    @property
    def _period_data(self) -> Mapping[str, Any]:
        return self.case.data if self.has_case else self.letter.data

    @property
    def week(self) -> str:
        """Return the words for the period of the calendar: this week, or its days."""
        return week_of(self._period_data, self.language, self.today)

    @property
    def week_days(self) -> str:
        """Return the days of that period in words; empty without a period."""
        return (
            (days := days_of_period(self._period_data)) and say_days(*days, self.language)
        ) or ""

    @property
    def next_period(self) -> datetime:
        """Return when the calendar opens the period after the one of the letter."""
        return datetime.fromisoformat(self.letter.data["following"])

    @cached_property
    def last_warning(self) -> bool:
        """True if the deadline leads to a proposed removal: no second chance is left then."""
        state, due = standing(self.case), self.case.due_at
        if state.due is None or state.turn != the_person or due is None:
            return False
        step = transition_at(self.session, self.case, due)
        return resolve(state.due.to, step) in (REMOVAL_PROPOSED, "not_pursued")

    @property
    def book(self) -> str:
        """Return the book's bare title: a template adds the marks of its language."""
        return isolate(str(self.answers.get("book", "")).strip(' 《》“”"'))

    @property
    def clause(self) -> str:
        """Return the clause of the state that queued the letter."""
        return (
            self.flow.clause_of(self.event.to_state)
            if self.has_case and self.letter.version
            else self.flow.clause
        )

    @property
    def clauses(self) -> Cited:
        """Other clauses that a letter refers to, by what they are about."""
        return CITED

    @cached_property
    def who_row(self) -> Person:
        return self.case.person

    @property
    def who(self) -> str:
        """Return the name that the person of the case gave."""
        return isolate(self.who_row.name or str(self.answers.get("name", "")))

    @property
    def your_name(self) -> str:
        return isolate(self.you.name or str(self.answers.get("name", "")))

    @property
    def who_address(self) -> str:
        return self.who_row.address or ""

    @property
    def display_name(self) -> str:
        return isolate(self.who_row.display_name)

    @property
    def city(self) -> str:
        return isolate(str(self.answers.get("city", "")))

    @property
    def new_address(self) -> str:
        """Return the address that a member's mail is to go to, as they typed it."""
        return isolate(str(self.answers.get("email", "")))

    @property
    def foreign_domain(self) -> str:
        return isolate(foreign_domain(self.who_row.address))

    @property
    def same_mailbox(self) -> list[str]:
        """Return the other people of the club with the same mailbox, by name."""
        found = same_mailbox(self.session, self.who_row)
        return [isolate(other.display_name or other.name) for other in found]

    @property
    def was_removed(self) -> datetime | None:
        return self.who_row.removed_at

    @cached_property
    def event(self) -> Event:
        """Return the event that queued the letter, or that entered the state."""
        return self.session.get_one(
            Event,
            (self.case.club_id, self.case.id, self.letter.version or self.case.entered_version),
        )

    @cached_property
    def progress(self) -> CaseProgress:
        return CaseProgress(self.session, self.case, self.event.version, self.club_row, self.now)

    @property
    def note(self) -> str:
        return self.event.note

    @cached_property
    def by(self) -> str:
        """Return the actor's name, "" for the clock."""
        actor = (
            self.session.get(Person, (self.case.club_id, self.event.who_id))
            if self.event.who_id
            else None
        )
        return isolate(actor.name) if actor else ""

    @property
    def count(self) -> Counter[str]:
        """Count the votes by choice in the poll that the event closed."""
        return Counter(self.event.answers.get("count", {}))

    @property
    def electors(self) -> int:
        """Return how many were asked when the poll opened."""
        return int(self.case.data["electors"])

    @property
    def votes_needed(self) -> int:
        """Return how many of them must vote for the poll to count."""
        return math.ceil(charter_numbers(self.club_row).quorum * self.electors)

    @property
    def answers(self) -> Mapping[str, Any]:
        return self.case.answers if self.has_case else {}

    @cached_property
    def written(self) -> list[Written]:
        """Return each answer by label, cut to its fair share of the room in a mail."""
        return written_within(self.flow, self.answers, self.language, self.room)

    @cached_property
    def changes(self) -> list[tuple[str, list[Piece]]]:
        """Return what a resubmission changed, by label.

        Empty on the first submission and if it is too long for a mail.
        """
        found = changed_since_last(self.session, self.case, self.letter.version)
        labels = labels_of(self.flow)
        size = sum(len(piece.text.encode()) for pieces in found.values() for piece in pieces)
        if size > self.room:
            return []
        return [
            (translate(labels[name], self.language), pieces)
            for name, pieces in found.items()
            if name in labels
        ]

    @property
    def due(self) -> datetime | None:
        return self.case.due_at

    @cached_property
    def follow_ups(self) -> list[tuple[str, datetime | None]]:
        """Return name and deadline of the cases that this one opened."""
        opened = (
            select(Case).where(Case.parent_id == self.case.id, Case.turn != "").order_by(Case.id)
        )
        return [
            (translate(workflow(case.workflow).label, self.language), case.due_at)
            for case in self.session.execute(opened).scalars()
        ]

    @property
    def link(self) -> str:
        """Return the case's page for this recipient.

        In an ask whose answer proves the address it is a link that shows it.
        """
        acts = state_of(self.case.workflow, self.case.state).acts if self.letter.asks else ()
        proof = max((act.proof for act in acts), default=Proof.NONE)
        if proof == Proof.NOW:
            return self.link_to("confirm", self.letter.id)
        return self.link_to("proof" if proof else "case", self.case.id)

    @property
    def form_link(self) -> str:
        """Return this recipient's link to the form, "" if they may not open one."""
        if not may_submit(self.flow, self.you):
            return ""
        return (
            self.link_to("confirm_form", self.letter.id)
            if self.form_is_fresh
            else self.link_to("form", form_number(self.flow))
        )

    @property
    def form_is_fresh(self) -> bool:
        """True if the form opens only for half an hour after its link was mailed."""
        return self.flow.needs_fresh_link

    @property
    def form_page(self) -> str:
        """Return the page where a member asks for the link to the form."""
        return self.links.url(f"{self.club_row.slug}/{self.flow.form_path}")

    @property
    def waiting_page(self) -> str:
        """Return the decider's review queue."""
        return self.link_to("waiting", 0)

    @property
    def my_page(self) -> str:
        return self.links.url(f"me/{self._token('me', 0)}")

    @property
    def copy_page(self) -> str:
        """Return the recipient's page with the permission to take one copy of everything.

        It lasts half an hour.
        """
        return self.links.url(f"me/{self._token('confirm_copy', self.letter.id)}")

    @property
    def home(self) -> str:
        return self.links.url(f"{self.club_row.slug}/")

    @property
    def join_page(self) -> str:
        return self.links.url(f"{self.club_row.slug}/{entrance()}")

    @property
    def desk(self) -> str:
        return self.links.url(f"{self.club_row.slug}/desk")

    @property
    def calendar(self) -> str:
        token = self._token("calendar", self.you.feed_number)
        return self.links.url(f"{self.club_row.slug}/calendar.ics?token={token}")

    @property
    def unsubscribe(self) -> str:
        return self.links.url(f"unsubscribe/{self._token('unsubscribe', 0)}")

    def link_to(self, kind: Kind, target: int) -> str:
        return self.links.url(f"c/{self._token(kind, target)}")

    def _token(self, kind: Kind, target: int) -> str:
        return self.links.token(
            Link(kind, self.club_row.id, self.you.id, self.you.link_epoch, target, self.now)
        )
