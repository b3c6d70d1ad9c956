"""What must be true of the letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from types import SimpleNamespace as Row
from zoneinfo import ZoneInfo

from tests.month.record import Posted, Record
from tests.month.rounds import rounds_of
from tests.month.rule import AT_ONCE, rules

RULES, rule = rules()
LINK = re.compile(r"https?://\S+")
QUIET = (time(22, 45), time(7, 30))


@rule("nobody got a letter twice")
def twice(record: Record) -> Iterator[str]:
    """One copy of each; a second one only where a process died after the dot, and then it is
    marked, and the same mail."""
    copies = Counter((mail.message_id, mail.subject, mail.text) for mail in record.mails)
    letters = record.by_message_id
    for (message_id, _subject, _text), count in copies.items():
        letter = letters.get(message_id)
        if count > 1 and not (letter and letter.maybe_twice):
            yield f"letter {letter.id if letter else message_id} came {count} times"
    for message_id, count in Counter(key[0] for key in copies).items():
        if count > 1:
            yield f"letter {message_id} came in {count} wordings"
    same = Counter(
        _occasion(mail, letter)
        for mail, letter in {mail.message_id: (mail, row) for mail, row in record.sent()}.values()
    )
    for occasion, count in same.items():
        if count > 1:
            yield f"{count} letters on one occasion: {occasion}"


def _occasion(mail: Posted, letter: Row) -> tuple[object, ...]:
    """What a letter is for: two on the same occasion are one too many."""
    if letter.name == "club.daily":
        return letter.club_id, letter.person_id, letter.name, letter.key.split(":")[1]
    if letter.version is None:  # asked for on a page, a receipt: each has its own moment
        return (letter.id,)
    by_moment = any(
        letter.key.split(":")[3:-1]
    )  # where somebody was erased, the letter's data is gone
    reminder = (
        mail.at.isoformat(timespec="hours") if by_moment or letter.data.get("reminder") else ""
    )
    return (
        letter.club_id,
        letter.person_id,
        letter.name,
        letter.case_id,
        letter.version,
        mail.to,
        reminder,
    )


@rule("nobody was told the same again within six hours")
def same_words(record: Record) -> Iterator[str]:
    """Letters that no step of a case calls for (the daily one, receipts), links apart, unless each
    was asked for on a page."""
    last: dict[tuple[str, ...], Posted] = {}
    for mail, letter in record.sent():
        if letter.version is not None or letter.name.endswith(
            ("_link", ".sign_in", ".already_member", ".already_waiting")
        ):
            continue
        key = (mail.club, mail.to, mail.letter, mail.subject, LINK.sub("", mail.text))
        before = last.get(key)
        if (
            before
            and before.message_id != mail.message_id
            and mail.at - before.at < timedelta(hours=6)
        ):
            yield f"{mail.letter} to {mail.to} at {before.at} and {mail.at}: {mail.subject}"
        last[key] = mail


@rule("the ledger and the mail server agree")
def ledger(record: Record) -> Iterator[str]:
    came = {mail.message_id for mail in record.mails}
    for mail in record.mails:
        letter = record.by_message_id.get(mail.message_id)
        if letter is None:
            yield f"a mail {mail.letter} to {mail.to} stands in no ledger"
        elif letter.state != "sent":
            yield f"letter {letter.id} {letter.name} came, and the ledger says {letter.state}"
    for letter in record.letters:
        if letter.state == "sent" and letter.message_id not in came:
            yield f"letter {letter.id} {letter.name} is said to be sent, and never came"
        if letter.state in ("claimed", "transmitting", "failed", "held"):
            yield f"letter {letter.id} {letter.name} is left {letter.state}: {letter.answer}"
        if letter.state == "queued" and letter.next_at < record.end - AT_ONCE:
            yield f"letter {letter.id} {letter.name} is still queued since {letter.next_at}"
    for mail in record.strays:
        yield f"{mail.letter} went to {mail.to}, whom nobody knows"


@rule("nobody who was done was asked")
def done_but_asked(record: Record) -> Iterator[str]:
    """An ask arrives while its round runs, and before its recipient has voted."""
    rounds = rounds_of(record)
    voted = {(mark.case_id, mark.entered_version, mark.person_id): mark.at for mark in record.marks}
    for mail, letter in record.sent():
        if not letter.asks or letter.maybe_twice:
            continue
        running = next(
            (item for item in rounds[letter.case_id] if item.version == letter.version), None
        )
        if running is None or not running.entered <= mail.at <= running.left:
            yield f"{letter.name} {letter.id} to {mail.to} at {mail.at}: case {letter.case_id} had moved on"
        at = voted.get((letter.case_id, letter.version, letter.person_id))
        if at and at < mail.at - AT_ONCE:
            yield f"{letter.name} {letter.id} to {mail.to}: had voted at {at}"


@rule("letters by the clock keep the quiet hours")
def quiet(record: Record) -> Iterator[str]:
    """But for what would else come too late. What an outage held up waits for the morning as well."""
    zones = {club.id: ZoneInfo(club.zone) for club in record.clubs}
    clocks = {(event.case_id, event.version) for event in record.events if event.via == "clock"}
    for mail, letter in record.sent():
        by_clock = (
            letter.name == "club.daily"
            or letter.data.get("reminder")
            or (letter.case_id, letter.version) in clocks
        )
        local = mail.at.astimezone(zones[letter.club_id]).time()
        if by_clock and (local >= QUIET[0] or local < QUIET[1]) and not _cannot_wait(letter, mail):
            yield f"{letter.name} {letter.id} came at {local} to {mail.to}"


def _cannot_wait(letter: Row, mail: Posted) -> bool:
    due = letter.data.get("due")
    return bool(due) and datetime.fromisoformat(due) <= mail.at + timedelta(hours=9)
