"""From a letter to the bytes of one mail: one recipient, one language, text and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import cache, partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from engine.cases.drafts import draft_of, form_of
from engine.club.authority import has_role
from engine.club.context import current_charter, current_owner
from engine.declare.registry import state_of
from engine.outbox.queue import DAILY_LETTER
from engine.security.links import Links
from engine.storage.models import Case, Club, Letter, Mark, Person
from engine.storage.states import PersonRole, PersonStatus
from engine.storage.unit_of_work import ClubSession
from engine.text.i18n import TEMPLATES, best_language, say_day, say_moment, say_short
from mailers.letters.context import LetterContext, LetterDropped
from mailers.letters.digests import data_for
from mailers.letters.document import Document
from mailers.letters.mime import encoded_words, mail_bytes, mailbox

# Mailboxes cut longer mails. How many bytes of what people wrote fit depends on their escaped size.
MOST_BYTES = 90_000
# What a cut text ends with.
_CUT_MARK = len(" …".encode())
ROOMS = (24_000, 12_000, 4_000, 1_000)
# Every automatic answer but the report that a mail could not be delivered (MS-OXCMAIL, 2.1.3.2.20).
NO_AUTOMATIC_ANSWERS = "DR, RN, NRN, OOF, AutoReply"
_LINKS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Mail:
    recipient: str
    subject: str
    content: bytes


@dataclass(frozen=True)
class Words:
    """A letter as its recipient reads it; their links are left out."""

    subject: str
    text: str
    language: str


@dataclass(frozen=True)
class Composer:
    """Everything that composing needs besides the letter: links and sender."""

    links: Links
    sender: str

    def compose(self, session: ClubSession, letter: Letter, now: datetime) -> Mail:
        """Render the mail.

        Raises: LetterDropped. Any other exception is a fault of this one letter.
        """
        club = session.get_one(Club, letter.club_id)
        you = _recipient(session, letter)
        for room in ROOMS:
            facts = LetterContext(session, letter, you, club, self.links, now, room)
            drop_if_stale(session, letter, facts.case if facts.has_case else None, you)
            sheet = fill(facts)
            content = self._bytes(facts, sheet)
            if len(content) < MOST_BYTES:
                break
        return Mail(facts.recipient, sheet.title, content)

    def words(self, session: ClubSession, letter: Letter, now: datetime) -> Words:
        """Render for another reader: the links are the recipient's alone."""
        club, you = session.get_one(Club, letter.club_id), _recipient(session, letter)
        facts = LetterContext(session, letter, you, club, self.links, now, ROOMS[-2])
        sheet = fill(facts)
        text = _blocks("txt").render(
            sheet=sheet, facts=facts, club=facts.club, language=facts.language
        )
        return Words(sheet.title, _LINKS.sub("[…]", text), facts.language)

    def _bytes(self, facts: LetterContext, sheet: Document) -> bytes:
        letter, club = facts.letter, facts.club_row
        name, address = parseaddr(self.sender)
        domain = address.rpartition("@")[2]
        headers = {
            "From": mailbox(club.name or name, address),
            "To": mailbox(facts.you.name, facts.recipient),
            "Reply-To": _reply_to(facts),
            "Subject": encoded_words(sheet.title),
            "Date": format_datetime(facts.now),
            "Message-ID": f"<{letter.message_id}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": NO_AUTOMATIC_ANSWERS,
            "List-Id": f"{club.slug} <{club.slug}.{domain}>",
            "X-Jiuniu-Letter": letter.name,
        }
        if facts.has_case:
            headers["References"] = headers["In-Reply-To"] = f"<case-{letter.case_id}@{domain}>"
        if letter.data.get("reminder") or letter.name == DAILY_LETTER:
            headers["List-Unsubscribe"] = f"<{facts.unsubscribe}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        text, html = (
            _blocks(kind).render(sheet=sheet, facts=facts, club=facts.club, language=facts.language)
            for kind in ("txt", "html")
        )
        return mail_bytes(headers, text=text, html=html)


def fill(facts: LetterContext) -> Document:
    """Fill a document from the letter's template in the recipient's language."""
    sheet = Document(room=facts.room + _CUT_MARK, rest=lambda: facts.link if facts.has_case else "")
    zone, language = facts.club_row.zone, facts.language
    words: dict[str, Any] = {
        "subject": sheet.subject,
        "para": sheet.para,
        "facts": sheet.facts,
        "quote": sheet.quote,
        "changed": sheet.changed,
        "button": sheet.button,
        "items": sheet.items,
        "why": sheet.why,
        "f": facts,
        "data": data_for(facts),
        "draft_at": partial(_draft_at, facts),
        "moment": partial(say_moment, zone=zone, language=language),
        "short": partial(say_short, zone=zone, language=language),
        "day": partial(say_day, zone=zone, language=language),
    }
    _letter_template(facts.template, best_language(language)).render(words)
    return sheet


def _draft_at(facts: LetterContext) -> datetime | None:
    """Return when the recipient last saved a draft of what the letter asks for.

    Called only by templates that speak of it.
    """
    draft = draft_of(facts.session, facts.you, form_of("case", facts.case.id))
    return draft.at if draft else None


def drop_if_stale(session: ClubSession, letter: Letter, case: Case | None, you: Person) -> None:
    """Drop an ask of an earlier entered version, or whose turn has passed.

    Raises: LetterDropped.
    """
    if not letter.asks or case is None:
        return
    if case.entered_version != letter.version:
        raise LetterDropped("no longer needed: the matter has moved on")
    state = state_of(case.workflow, case.state)
    if not has_role(session, state.turn, you, case):
        raise LetterDropped("no longer needed: it is not the recipient's turn")
    if state.poll and session.get(Mark, (case.club_id, case.id, case.entered_version, you.id)):
        raise LetterDropped("no longer needed: the recipient has voted")
    if (
        letter.data.get("reminder")
        and case.due_at
        and letter.data["due"] != case.due_at.isoformat()
    ):
        raise LetterDropped("no longer needed: the due time has moved")


def _recipient(session: ClubSession, letter: Letter) -> Person:
    person = session.get_one(Person, (letter.club_id, letter.person_id))
    if person.address is None and letter.address is None:
        raise LetterDropped("the recipient has no address any more")
    if person.status == PersonStatus.REFUSED_MAIL:
        raise LetterDropped("the recipient wants no mail")
    about = session.get(Person, (letter.club_id, letter.about_id)) if letter.about_id else None
    if about is not None and about.status == PersonStatus.ERASED:
        raise LetterDropped("whom it is about was erased")
    return person


def _reply_to(facts: LetterContext) -> str:
    """Return the case's person for deciders, the club's contact for members.

    No member's address goes to others.
    """
    decides = facts.you.role in (PersonRole.OWNER, PersonRole.ADMIN)
    if (
        decides
        and facts.has_case
        and facts.you.id != facts.case.person_id
        and facts.who_row.address
    ):
        return mailbox(facts.who_row.name, facts.who_row.address)
    contact = current_charter(facts.club_row).contact
    if contact:
        return mailbox("", contact)
    owner = current_owner(facts.session)
    return mailbox(owner.name, owner.address or "")


def _environments() -> Iterator[tuple[str, Environment]]:
    for kind in ("letter", "txt", "html"):
        yield (
            kind,
            Environment(
                loader=FileSystemLoader(TEMPLATES / "mail"),
                autoescape=kind == "html",  # noqa: S701 (a text part is not HTML)
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                auto_reload=False,
            ),
        )


_ENVIRONMENT = dict(_environments())


@cache
def _letter_template(name: str, language: str) -> Template:
    place, _, letter = name.partition(".")
    return _ENVIRONMENT["letter"].select_template(
        [f"{folder}/{letter}.{language}.jinja" for folder in (place, "any")]
    )


@cache
def _blocks(kind: str) -> Template:
    return _ENVIRONMENT[kind].get_template(f"blocks.{kind}.jinja")
