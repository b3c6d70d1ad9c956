"""A club for tests of engine and mailers: real database, variable clock, no network."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from typing import Any

from sqlalchemy import func, select, text

import workflows  # noqa: F401  (makes the club's rules known)
from engine.cases.submissions import submit_application, submit_by_member
from engine.cases.transitions import act, open_case
from engine.cases.votes import vote
from engine.clock import machine_now
from engine.declare.registry import workflow as flow
from engine.declare.roles import Proof
from engine.declare.transition import CLOCK, Actor
from engine.scheduler.recurring import open_due
from engine.scheduler.sweep import sweep
from engine.security.encryption import Encryption
from engine.security.links import Links
from engine.setup.member_import import ImportPlan, import_members, read_roster
from engine.storage.models import Case, Club, Letter, Person, Row
from engine.storage.unit_of_work import ClubSession
from mailers.letters.compose import Composer
from mailers.queue import outbox
from mailers.queue.prepared import Claimed, OutgoingMail
from mailers.smtp.reply import SmtpReply
from tests.databases import Databases, borrow, give_back
from tests.harness import MONDAY, OWNER, ClubHarness, next_due
from tests.mail import parse

ADMIN, LILEI, MEIMEI = "admin@qq.com", "lilei@qq.com", "hanmeimei@163.com"
APPLICATION = {
    "name": "李雷",
    "city": "武汉",
    "occupation": "学生",
    "about": "想认真读书。",
    "interests": "历史",
    "referrer": "韩梅梅",
    "accept_charter": True,
}
PLAN = {"goals": "读完二十本史书。", "plan": "每天早上读一小时。每周写一篇笔记。"}

TAKEN = SmtpReply("dot", 250, "2.0.0 Ok: queued")
LATER = SmtpReply("recipient", 451, "4.7.1 try again")
UNKNOWN = SmtpReply("recipient", 550, "5.1.1 user unknown")
REFUSED = SmtpReply("dot", 554, "5.7.1 content rejected")
SILENT = SmtpReply("dot", 0, "TimeoutError: timed out")
DOWN = SmtpReply("connect", 0, "ConnectionRefusedError: refused")
_HEADERS = BytesHeaderParser(policy=email.policy.default)


@dataclass
class Server:
    """What a mail server took: one entry per acceptance."""

    taken: list[tuple[str, str, bytes]] = field(default_factory=list)

    def take(self, frozen: OutgoingMail) -> None:
        self.taken.append(
            (
                str(_HEADERS.parsebytes(frozen.content)["Message-ID"]),
                frozen.recipient,
                frozen.content,
            )
        )

    def mails(self, since: int = 0) -> list[tuple[str, str]]:
        """(letter, recipient) in the order of acceptance."""
        return [
            (str(_HEADERS.parsebytes(content)["X-Jiuniu-Letter"]), to)
            for _, to, content in self.taken[since:]
        ]


class House(ClubHarness):
    """One club in one database. Two houses at the same time need two names."""

    def __init__(self, databases: Databases, file: str = "club", **club: Any) -> None:
        self.db = borrow(databases.empty(file))
        self.db.keys = Encryption(["a key of the tests, long enough"])
        self.now = MONDAY
        self.server = Server()
        self.composer = Composer(
            Links(["a key of the tests, long enough"], "https://club.example"),
            "Jiuniu <post@jiuniu.example>",
        )
        self.club_id = self.found(**club)

    def end(self) -> None:
        give_back(self.db)

    # Reading

    def case(self, address: str, workflow: str = "join") -> Case:
        return self.newest_case(address, workflow)

    def letters(self, name: str | None = None) -> list[Letter]:
        wanted = select(Letter).order_by(Letter.created_at, Letter.id)
        return self.rows(wanted.where(Letter.name == name) if name else wanted)

    def letter_states(self) -> list[tuple[str, str]]:
        return [(letter.name, letter.state) for letter in self.letters()]

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.db.reader.connect() as connection:
            return {
                table.name: connection.execute(
                    select(func.count()).select_from(text(f'"{table.name}"'))
                ).scalar_one()
                for table in Row.metadata.sorted_tables
            }

    # People and what they do

    def apply(
        self,
        address: str = LILEI,
        form: str = "form-1",
        locale: str = "zh-CN",
        limited: bool = False,
        **changed: Any,
    ) -> None:
        self.db.write(
            submit_application,
            self.club_id,
            "join",
            APPLICATION | {"email": address} | changed,
            form_id=form,
            locale=locale,
            now=self.now,
            limited=limited,
        )

    def open(self, address: str, workflow: str, **given: Any) -> int:
        def unit(session: ClubSession) -> int:
            return open_case(
                session,
                workflow,
                session.get_one(Person, (self.club_id, self.person(address).id)),
                by=CLOCK,
                now=self.now,
                **given,
            ).id

        return self.write(unit)

    def press(
        self,
        who: str,
        action: str,
        about: str = LILEI,
        workflow: str = "join",
        case: Case | None = None,
        **given: Any,
    ) -> None:
        """Somebody presses a button on a case's page; who confirms an address comes by the link
        that was sent there."""
        matter = case or self.case(about, workflow)
        proof = given.pop("proof", Proof.NOW if action == "confirm" else Proof.NONE)
        actor = self.person(who).id

        def unit(session: ClubSession) -> None:
            hand = Actor(session.get_one(Person, (self.club_id, actor)), "page", proof=proof)
            act(
                session,
                session.get_one(Case, (self.club_id, matter.id)),
                action,
                by=hand,
                now=self.now,
                **given,
            )

        self.write(unit)

    def hand_in(
        self,
        who: str,
        workflow: str,
        answers: Mapping[str, Any],
        form: str = "form-1",
        proof: Proof = Proof.NOW,
    ) -> None:
        """Hand in a member's form, by the link that was mailed for it."""
        author = self.person(who).id

        def unit(session: ClubSession) -> None:
            person = session.get_one(Person, (self.club_id, author))
            submit_by_member(
                session,
                person,
                flow(workflow),
                answers,
                by=Actor(person, "page", proof=proof),
                form_id=form,
                now=self.now,
            )

        self.write(unit)

    def vote(self, who: str, choice: str, about: str = LILEI, workflow: str = "nomination") -> None:
        matter, voter = self.case(about, workflow).id, self.person(who).id

        def unit(session: ClubSession) -> None:
            hand = Actor(session.get_one(Person, (self.club_id, voter)), "page")
            vote(
                session,
                session.get_one(Case, (self.club_id, matter)),
                choice,
                by=hand,
                now=self.now,
            )

        self.write(unit)

    def join(self, address: str = LILEI, form: str = "form-1", **changed: Any) -> None:
        """Apply, confirm, be approved."""
        self.apply(address, form, **changed)
        self.press(address, "confirm", address)
        self.press(OWNER, "approve", address)

    def bring(self, source: bytes | str) -> ImportPlan:
        """The owner brings in members from a file."""
        with self.read() as session:
            roster = read_roster(source, session.get_one(Club, self.club_id), self.now)
        return self.db.write(import_members, self.club_id, roster, self.now)

    # Time and post

    def tick(self, **span: float) -> None:
        """Let time pass in one leap, then sweep and open what is due."""
        self.now += timedelta(**span)
        sweep(self.db, self.now)
        open_due(self.db, self.now)

    def live(self, *, until: datetime, hours: float = 1) -> None:
        """Let time pass with a post that works, from one due moment to the next; what stays due is
        tried again after ``hours``."""
        while self.now < until:
            moment = next_due(self.db) or until
            later = moment if moment > self.now else self.now + timedelta(hours=hours)
            self.now = min(later, until)
            self.tick()
            self.deliver()

    def claim(self, limit: int = 20, lease: timedelta = timedelta(seconds=60)) -> list[Claimed]:
        return self.db.write(outbox.claim, self.now, machine_now() + lease, limit)

    def freeze(
        self, claimed: Claimed, lease: timedelta = timedelta(seconds=60)
    ) -> OutgoingMail | None:
        return self.db.write(
            outbox.prepare_and_store, claimed, self.composer, self.now, machine_now() + lease
        )

    def settle(self, claimed: Claimed, answer: SmtpReply) -> str:
        return self.db.write(outbox.record_reply, claimed, answer, self.now).kind

    def deliver(
        self, says: Callable[[OutgoingMail], SmtpReply] | SmtpReply = TAKEN
    ) -> list[tuple[str, str]]:
        """A round of the post against a made-up server; returns (letter, recipient) of what it took
        now."""
        before = len(self.server.taken)
        while claimed := self.claim():
            while claimed:
                answer = self._hand_over(claimed[0], says)
                claimed = claimed[1:]
                if answer == "channel":
                    self.db.write(outbox.release, claimed)
                    return self.server.mails(before)
        return self.server.mails(before)

    def _hand_over(
        self, claimed: Claimed, says: Callable[[OutgoingMail], SmtpReply] | SmtpReply
    ) -> str:
        frozen = self.freeze(claimed)
        if frozen is None:
            return "none"
        answer = says if isinstance(says, SmtpReply) else says(frozen)
        if answer.phase == "dot" and answer.code == 250:
            self.server.take(frozen)
        return self.settle(claimed, answer)

    def mail(self, letter: str, to: str | None = None) -> EmailMessage:
        """The newest mail of this letter that the server took."""
        for _, recipient, content in reversed(self.server.taken):
            message = parse(content)
            if message["X-Jiuniu-Letter"] == letter and to in (None, recipient):
                return message
        raise AssertionError(f"no mail {letter} to {to}: {self.server.mails()}")
