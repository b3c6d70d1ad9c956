"""Rate limits in one small table, shared by any number of processes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from engine.storage.bulk import insert_new
from engine.storage.models import Rate
from engine.storage.unit_of_work import ClubSession


class TooManyMails(Exception):
    """The daily limit of mails to this address is used up; nothing was stored."""


class FormTokenSpent(Exception):
    """This very form was sent before, for another address; nothing was taken in."""


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
# Presses that were turned away: by one link or browser, and by all of a network.
REFUSED_POSTS = Limit("refused post", 120, timedelta(hours=1))
REFUSED_BY_NETWORK = Limit("refused post of a network", 600, timedelta(hours=1))
# Answers and other acts after which a case stays as it was, each of which sends a mail.
REPEATED_ACTS = Limit("repeated act in a case", 10, timedelta(days=1))
FORM_TOKENS = Limit("form token", 1, timedelta(days=1))
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
    REFUSED_POSTS,
    REFUSED_BY_NETWORK,
    REPEATED_ACTS,
    FORM_TOKENS,
)


def hit(session: ClubSession, limit: Limit, who: str, machine_now: datetime) -> bool:
    """Count one more; return False if the limit was used up before.

    ``who`` is stored only as a hash.
    """
    return _count(session, limit, who, machine_now) <= limit.most


def hit_networks(
    session: ClubSession, limit: Limit, networks: Sequence[str], machine_now: datetime
) -> bool:
    """Count one more in each network of a visitor; the wider one may have half as many again."""
    wider = replace(limit, what=f"{limit.what}, site", most=limit.most * 3 // 2)
    within = [
        hit(session, bound, network, machine_now)
        for bound, network in zip((limit, wider), networks, strict=False)
    ]
    return all(within)


def is_used_up(session: ClubSession, limit: Limit, who: str, machine_now: datetime) -> bool:
    """True if one more would be too much; nothing is counted."""
    window, key = _place(limit, who, machine_now)
    mine = (Rate.what == limit.what) & (Rate.who == key) & (Rate.window == window)
    counted = session.execute(select(Rate.count).where(mine)).scalar_one_or_none()
    return counted is not None and counted >= limit.most


def spend_form_token(session: ClubSession, form_id: str, sent: str, machine_now: datetime) -> None:
    """Count a form as sent for this address; it may be sent again for the same address only.

    Raises:
        FormTokenSpent: it was sent before for another address.
    """
    alike = _count(session, FORM_TOKENS, f"{form_id} {sent}", machine_now)
    if _count(session, FORM_TOKENS, form_id, machine_now) > alike:
        raise FormTokenSpent


def _count(session: ClubSession, limit: Limit, who: str, machine_now: datetime) -> int:
    window, key = _place(limit, who, machine_now)
    insert_new(session, Rate, what=limit.what, who=key, window=window, count=0)
    mine = (Rate.what == limit.what) & (Rate.who == key) & (Rate.window == window)
    counted = update(Rate).where(mine).values(count=Rate.count + 1).returning(Rate.count)
    return int(session.execute(counted).scalar_one())


def _place(limit: Limit, who: str, machine_now: datetime) -> tuple[int, str]:
    window = int(machine_now.timestamp() // limit.window.total_seconds())
    return window, hashlib.sha256(who.encode()).hexdigest()


def delete_old_rates(session: ClubSession, machine_now: datetime) -> None:
    for limit in EVERY:
        window = int(machine_now.timestamp() // limit.window.total_seconds())
        alike = Rate.what.in_((limit.what, f"{limit.what}, site"))
        session.execute(delete(Rate).where(alike, Rate.window < window))
