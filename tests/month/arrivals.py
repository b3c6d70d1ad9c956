"""The people of the month: the imported group, the applicants, and what each sets out to do."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING

from engine.charter.model import shipped_charter
from engine.club.context import current_club
from engine.setup.member_import import import_members, read_roster
from engine.storage.database import enter_club
from engine.storage.unit_of_work import ClubSession
from tests.month import people
from tests.month.hands import Somebody
from tests.month.people import Mood
from tests.month.plan import Club
from tests.month.record import rows_of
from tests.page import Browser

if TYPE_CHECKING:
    from tests.month.life import Life


def found(life: Life, club: Club) -> None:
    life.ids[club.slug] = life.world.found_club(
        slug=club.slug,
        name=f"Club {club.slug}",
        owner_email=club.owner,
        owner_name=f"Owner of {club.slug}",
        zone=club.zone,
        locale=club.locale,
        charter=shipped_charter(club.locale).plain(),
    )
    meet(
        life,
        Somebody(
            club.slug,
            f"Owner of {club.slug}",
            club.owner,
            mood(life, club),
            browser(life, club),
            "owner",
        ),
    )
    before = [somebody(life, club, number) for number in range(club.members * 6 // 10)]
    for who in before[: max(2, club.members // 30)]:
        who.rank = "admin"
    bring_in(life, club, before)
    for who in before:
        wish(life, club, who, 0.05)
    for number in range(len(before), club.members):
        who = somebody(life, club, number)
        life.at(
            some_time(life, 0.01, 0.7),
            lambda who=who: life.hands.apply(who, times=who.mood.dice.choice((1, 1, 1, 2))),
        )
        wish(life, club, who, 0.5)


def somebody(life: Life, club: Club, number: int) -> Somebody:
    """Two of the small club's people are in the large one too, with the same address."""
    host = ("qq.com", "163.com", "gmail.com")[number % 3]
    shared = club.slug == "hudson" and number < 2
    name = people.chinese_name(number) if club.locale == "zh-CN" else people.english_name(number)
    address = f"m{number}@{host}" if shared or club.slug == "jiuniu" else f"ny{number}@{host}"
    return meet(life, Somebody(club.slug, name, address, mood(life, club), browser(life, club)))


def mood(life: Life, club: Club) -> Mood:
    return Mood(people.temper_of(life.dice), Random(life.dice.random()), club.locale)


def browser(life: Life, club: Club) -> Browser:
    """One that keeps no line open: a hundred of them would hold all that the server has."""
    browser = life.world.browser(club.locale)
    browser.session.headers["Connection"] = "close"
    return browser


def meet(life: Life, who: Somebody) -> Somebody:
    life.addressed[(who.club, who.address)] = who
    return who


def bring_in(life: Life, club: Club, members: list[Somebody]) -> None:
    """The spreadsheet of the group that was there before."""
    sheet = io.StringIO()
    table = csv.writer(sheet)
    table.writerow(("姓名", "邮箱", "城市", "加入日期", "角色"))
    for who in members:
        table.writerow((who.name, who.address, who.mood.word("city"), date(2026, 3, 1), who.rank))
    content, now = sheet.getvalue().encode(), life.world.now

    def unit(session: ClubSession) -> int:
        enter_club(session, life.ids[club.slug])
        return len(
            import_members(
                session, life.ids[club.slug], read_roster(content, current_club(session), now), now
            ).new
        )

    assert life.world.service.db.write(unit) == len(members)
    life.admins |= {
        person.id for person in rows_of(life.world.service.db)["people"] if person.role == "admin"
    }


def wish(life: Life, club: Club, who: Somebody, since: float) -> None:
    for path, share in people.WISHES:
        if who.mood.chance(share):
            life.at(some_time(life, since, 0.97), lambda path=path: sets_out(life, who, path))


def sets_out(life: Life, who: Somebody, path: str) -> None:
    """They ask for the link to a form; what they then type is known already. Without a path they
    only want a link."""
    mood = who.mood
    typed = {
        "new-address": {"email": f"new-{who.address}"},
        "new-name": {"name": who.name, "city": mood.word("city") + "2"},
        "departure": {"why": mood.word("why")} | ({"erase": "y"} if mood.chance(0.5) else {}),
        "nomination": {"why": mood.word("why"), "plan": mood.word("plan")},
    }.get(path)
    if typed:
        who.wishes[path] = typed
    life.hands.ask_for_link(who, path or mood.dice.choice(("nomination", "desk", "new-name")))


def some_time(life: Life, since: float, until: float) -> datetime:
    return life.plan.at(life.dice.uniform(since, until))
