"""Erasure: no table holds the person's address, name or words, and nothing more is sent."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.cases.erasure import CannotErase, Erased, erase_for_good
from engine.club.authority import set_absence
from engine.club.people import address_hash
from engine.storage.engines import sqlite_module
from engine.storage.models import Case, Club, Letter, Person, Row
from tests.club import ADMIN, LILEI, MEIMEI, OWNER, PLAN, UNKNOWN, House

pytestmark = pytest.mark.postgres

LEAVING = {"why": "", "erase": True}


def erase(house: House, person_id: int) -> Erased:
    done: Erased = house.db.write(erase_for_good, house.club_id, person_id, house.now)
    return done


def everything(house: House) -> str:
    """Every value of every row, mails decoded: what somebody with the whole database could read."""
    found: list[str] = []
    with house.db.reader.connect() as connection:
        for table in Row.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                for value in row:
                    if isinstance(value, bytes):
                        message = email.message_from_bytes(value, policy=email.policy.default)
                        found += [
                            str(message.items()),
                            *(
                                part.get_content()
                                for part in message.walk()
                                if not part.is_multipart()
                            ),
                        ]
                    else:
                        found.append(str(value))
    return "\n".join(found)


def test_a_member_is_erased_from_every_table_and_nothing_more_is_sent_to_them(house: House) -> None:
    house.add(ADMIN, role="admin")
    house.join(name="李雷独名")
    house.deliver()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.live(until=house.now.replace(day=2, month=12))  # digests that name him leave
    house.press(OWNER, "return", workflow="study_plan", note="李雷独名，请再写细一点。")
    house.deliver(UNKNOWN)
    house.press(LILEI, "resubmit", workflow="study_plan", answers=PLAN)
    lilei = house.person(LILEI)
    names = (LILEI, "李雷独名", PLAN["goals"], address_hash(_club(house), LILEI))
    before = everything(house)
    assert [name in before for name in names] == [True] * len(names)

    assert erase(house, lilei.id).cases == 1
    after = everything(house)
    assert [name for name in names if name in after] == []
    assert house.rows(select(Case.state).where(Case.turn != "")) == []
    assert [action for action, _state in house.story(_case(house, "study_plan"))] == [
        "open",
        "submit",
        "return",
        "resubmit",
        "void",
    ]
    taken = len(house.server.taken)
    house.live(until=house.now.replace(day=9))
    assert [to for _, to, _ in house.server.taken[taken:] if to == LILEI] == []
    with pytest.raises(CannotErase, match="before"):
        erase(house, lilei.id)


def test_an_admin_who_decided_for_others_is_gone_from_their_letters_too(house: House) -> None:
    house.add(ADMIN, "副手独名", role="admin")
    with house.read() as session:
        owner = session.execute(select(Person).where(Person.role == "owner")).scalar_one().id
    house.db.write(set_absence, house.club_id, owner, house.now + timedelta(days=9))
    house.apply()
    house.press(LILEI, "confirm")
    house.press(ADMIN, "return", note="再写几句。")
    house.deliver()
    assert "副手独名" in everything(house)
    erase(house, house.person(ADMIN).id)
    assert "副手独名" not in everything(house)


def test_letters_that_wait_for_them_are_dropped_with_a_reason(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.press(OWNER, "return", note="再写几句。")
    assert erase(house, house.person(LILEI).id) == Erased(cases=1, letters=2)
    to_them = house.rows(
        select(Letter).where(Letter.about_id == Letter.person_id, Letter.answer != "")
    )
    assert {(letter.state, letter.answer) for letter in to_them} == {
        ("dropped", "the recipient was erased")
    }
    assert LILEI not in {to for _, to in house.deliver()}


def test_one_whose_letter_is_being_handed_over_gets_no_second_try(house: House) -> None:
    house.apply()
    [claimed] = house.claim()
    house.freeze(claimed)
    erase(house, house.person(LILEI).id)
    house.settle(claimed, UNKNOWN)
    assert house.deliver() == []
    assert LILEI not in everything(house)


def test_a_letter_to_others_that_waited_too_long_is_dropped_and_no_fault(house: House) -> None:
    """The mail server was down for a week; who was to be taken out of the group has no name any
    more."""
    house.add(LILEI, "李雷")
    house.hand_in(LILEI, "departure", LEAVING)
    house.tick(days=7)
    assert house.deliver() == []
    assert [
        (letter.name, letter.state, letter.answer)
        for letter in house.letters("departure.remove_from_group")
    ] == [("departure.remove_from_group", "dropped", "whom it is about was erased")]


def test_c14_nothing_of_the_erased_is_left_in_the_files(house: House) -> None:
    """Free pages, the log and a later backup: a grep finds neither address, name nor words."""
    if not house.db.is_sqlite:
        pytest.skip("PostgreSQL's files are its own; VACUUM gives their space back")
    words = "我想读完四史并写下每一卷的笔记，" * 400  # several pages
    house.join(name="李雷独名", about=words)
    house.deliver()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN | {"goals": words})
    house.live(until=house.now.replace(day=2, month=12))
    house.press(OWNER, "return", workflow="study_plan", note="李雷独名，请再写细一点。")
    secrets = [text for word in (LILEI, "李雷独名", words[:40]) for text in _written(word)]
    file = Path(str(house.db.url.database))
    house.db.truncate_log()
    assert any(secret in file.read_bytes() for secret in secrets), "else this test shows nothing"

    erase(house, house.person(LILEI).id)
    house.db.truncate_log()
    backup = file.with_name("backup.sqlite")
    with (
        contextlib.closing(sqlite_module().connect(file)) as source,
        contextlib.closing(sqlite_module().connect(backup)) as target,
    ):
        source.backup(target)
    files = [file, Path(f"{file}-wal"), backup]
    assert [
        (path.name, secret)
        for path in files
        if path.exists()
        for secret in secrets
        if secret in path.read_bytes()
    ] == []


def _written(word: str) -> list[bytes]:
    """The forms in which a word may lie in a row: as text, and within JSON."""
    return [word.encode(), json.dumps(word)[1:-1].encode()]


def test_they_may_come_back_as_somebody_new(house: House) -> None:
    house.join()
    old = house.person(LILEI).id
    erase(house, old)
    house.join(form="again")
    assert house.person(LILEI).id != old and house.person(LILEI).status == "member"


def test_who_comes_back_before_the_day_is_not_erased(house: House) -> None:
    """They left, wanted everything erased, and thought better of it: as a member again, or still on
    the way."""
    house.add(LILEI, "李雷")
    house.add(MEIMEI, "韩梅梅")
    for who in (LILEI, MEIMEI):
        house.hand_in(who, "departure", LEAVING, f"leave-{who}")
    house.tick(days=1)
    house.join(LILEI, "back-1")
    house.apply(MEIMEI, "back-2")
    house.press(MEIMEI, "confirm", MEIMEI)
    house.tick(days=4)
    assert [house.story(house.case(who, "departure"))[-1] for who in (LILEI, MEIMEI)] == [
        ("due", "void"),
        ("due", "void"),
    ]
    house.press(OWNER, "approve", MEIMEI)
    assert [(house.person(who).status, house.person(who).name) for who in (LILEI, MEIMEI)] == [
        ("member", "李雷"),
        ("member", "李雷"),
    ]


def test_an_application_that_anybody_may_have_handed_in_keeps_nobody_from_being_erased(
    house: House,
) -> None:
    person_id = house.add(MEIMEI, "韩梅梅")
    house.hand_in(MEIMEI, "departure", LEAVING)
    house.tick(days=1)
    house.apply(MEIMEI, "by-a-stranger")
    house.tick(days=3)
    [person] = house.rows(select(Person).where(Person.id == person_id))
    assert (person.status, person.address, person.name) == ("erased", None, "")
    assert [
        case.state
        for case in house.rows(select(Case).where(Case.person_id == person_id).order_by(Case.id))
    ] == [
        "erased",
        "void",
    ]


def test_the_owner_stays(house: House) -> None:
    before = everything(house)
    with pytest.raises(CannotErase, match="owner"):
        erase(house, house.person(OWNER).id)
    assert everything(house) == before


def _club(house: House) -> Club:
    with house.read() as session:
        return session.get_one(Club, house.club_id)


def _case(house: House, workflow: str) -> Case:
    [case] = house.rows(select(Case).where(Case.workflow == workflow))
    return case
