"""Rate limits in one small table, shared by any number of processes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from engine.storage.bulk import insert_new
from engine.storage.models import Rate
from engine.storage.unit_of_work import ClubSession


class TooManyMails(Exception):
    """The daily limit of mails to this address is used up; nothing was stored."""


@dataclass(frozen=True)
class Limit:
    """At most ``most`` times per ``window``, by the machine's clock."""

    what: str
    most: int
    window: timedelta


CONFIRMATION_MAILS = Limit("mail to address", 3, timedelta(days=1))
FORM_LINK_MAILS = Limit("form link to address", 10, timedelta(days=1))
MEMBER_FORMS = Limit("form by member", 6, timedelta(days=1))
SIGN_IN_MAILS = Limit("sign-in mail to address", 10, timedelta(days=1))
ANONYMOUS_POSTS = Limit("anonymous post", 60, timedelta(hours=1))
DRAFTS = Limit("draft by person", 1200, timedelta(hours=1))  # One every three seconds, for an hour.
UNKNOWN_TOKENS = Limit("unknown token", 120, timedelta(hours=1))
SETUP_CODES = Limit("set-up code", 10, timedelta(hours=1))
TEST_MAILS = Limit("test mail", 10, timedelta(hours=1))
EVERY = (
    CONFIRMATION_MAILS,
    FORM_LINK_MAILS,
    MEMBER_FORMS,
    SIGN_IN_MAILS,
    ANONYMOUS_POSTS,
    DRAFTS,
    UNKNOWN_TOKENS,
    SETUP_CODES,
    TEST_MAILS,
)


def hit(session: ClubSession, limit: Limit, who: str, machine_now: datetime) -> bool:
    """Count one more; return False if the limit was used up before.

    ``who`` is stored only as a hash.
    """
    window = int(machine_now.timestamp() // limit.window.total_seconds())
    key = hashlib.sha256(who.encode()).hexdigest()
    insert_new(session, Rate, what=limit.what, who=key, window=window, count=0)
    mine = (Rate.what == limit.what) & (Rate.who == key) & (Rate.window == window)
    counted = session.execute(
        update(Rate).where(mine).values(count=Rate.count + 1).returning(Rate.count)
    ).scalar_one()
    return counted <= limit.most


def delete_old_rates(session: ClubSession, machine_now: datetime) -> None:
    for limit in EVERY:
        window = int(machine_now.timestamp() // limit.window.total_seconds())
        session.execute(delete(Rate).where(Rate.what == limit.what, Rate.window < window))
