"""An owner's help for a member: more time, a corrected address, a link, released letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.cases.submissions import correct_for_member, send_page, submit_application
from engine.cases.transitions import Invalid, NotAllowed
from engine.operations.backup import hold_unsent
from engine.outbox.delivery_log import release_club, retry
from engine.security.rate_limits import TooManyMails
from engine.storage.heartbeats import post_is_held
from engine.storage.models import Case, Letter
from tests.club import ADMIN, APPLICATION, LILEI, MEIMEI, OWNER, PLAN, TAKEN, UNKNOWN, House
from tests.mailers.golden_steps import overdue

NEW = "lilei@163.com"


def correct(house: House, *, by: str = OWNER, form: str = "f", to: str = NEW) -> int:
    who, about = house.person(by).id, house.person(LILEI).id
    return house.db.write(
        correct_for_member,
        house.club_id,
        "new_address",
        "correct",
        who,
        about,
        {"email": to},
        why="写错了一个字。",
        form_id=form,
        now=house.now,
    )


def test_more_days_count_from_the_present_due_time(house: House) -> None:
    overdue(house)
    before = house.case(LILEI, "study_plan").due_at
    assert before == datetime(2026, 12, 6, 16, tzinfo=UTC)  # 24:00 in Shanghai
    house.press(OWNER, "extend", workflow="study_plan", days=3)
    case = house.case(LILEI, "study_plan")
    assert (case.state, case.due_at) == ("overdue", before + timedelta(days=3))
    house.press(OWNER, "extend", workflow="study_plan", days=1)
    assert house.case(LILEI, "study_plan").due_at == before + timedelta(days=4)


def test_more_time_is_told_reminded_of_anew_and_spends_no_chance(house: House) -> None:
    overdue(house)
    house.deliver()
    house.press(OWNER, "extend", workflow="study_plan", days=3)
    house.now += timedelta(hours=9)
    assert [name for name, to in house.deliver() if to == LILEI] == ["study_plan.second_chance"]
    house.live(until=datetime(2026, 12, 9, 2, tzinfo=UTC))
    assert house.case(LILEI, "study_plan").state == "overdue"
    assert [name for name, to in house.server.mails() if name == "study_plan.last_call"] == [
        "study_plan.last_call"
    ]
    house.live(until=datetime(2026, 12, 10, 2, tzinfo=UTC))
    assert house.case(LILEI, "study_plan").state == "removal_proposed"


def test_more_time_without_a_number_of_days_is_refused(house: House) -> None:
    overdue(house)
    for days in (None, 0, 61):
        with pytest.raises(Invalid):
            house.press(OWNER, "extend", workflow="study_plan", days=days)
    assert house.case(LILEI, "study_plan").due_at == datetime(2026, 12, 6, 16, tzinfo=UTC)


def test_an_admin_gives_no_time(house: House) -> None:
    overdue(house)
    house.add(ADMIN, "周敏", role="admin")
    with pytest.raises(NotAllowed):
        house.press(ADMIN, "extend", workflow="study_plan", days=3)


def test_a_corrected_address_gets_what_came_back(house: House) -> None:
    house.join()
    house.deliver(lambda frozen: UNKNOWN if frozen.recipient == LILEI else TAKEN)
    person = house.person(LILEI)
    assert person.mail_trouble == "recipient: 550 5.1.1 user unknown"
    correct(house)
    after = house.person(NEW)
    assert (after.id, after.mail_trouble, after.link_epoch) == (
        person.id,
        "",
        person.link_epoch + 1,
    )
    assert sorted(
        house.deliver(lambda frozen: UNKNOWN if frozen.recipient == LILEI else TAKEN)
    ) == [
        ("join.welcome", NEW),
        ("new_address.address_changed", NEW),
        ("study_plan.please_write", NEW),
    ]
    assert str(house.mail("join.welcome", NEW)["To"].addresses[0].addr_spec) == NEW
    assert house.person(NEW).mail_trouble == "", (
        "what the old address refuses says nothing of the new one"
    )
    assert house.story(house.case(NEW, "new_address")) == [
        ("open", "unconfirmed"),
        ("correct", "moved"),
    ]
    [opened, corrected] = house.events(house.case(NEW, "new_address"))
    owner = house.person(OWNER).id
    assert [(event.who_id, event.on_behalf_of_id, event.note) for event in (opened, corrected)] == [
        (owner, person.id, ""),
        (owner, None, "写错了一个字。"),
    ]


def test_the_same_correction_twice_is_one(house: House) -> None:
    house.add(LILEI, "李雷")
    person = house.person(LILEI)
    first = correct(house)
    again = house.db.write(
        correct_for_member,
        house.club_id,
        "new_address",
        "correct",
        house.person(OWNER).id,
        person.id,
        {"email": NEW},
        why="写错了一个字。",
        form_id="f",
        now=house.now,
    )
    assert (first, house.person(NEW).link_epoch) == (again, person.link_epoch + 1)


def test_a_correction_takes_the_place_of_what_the_member_asked_for(house: House) -> None:
    house.add(LILEI, "李雷")
    house.hand_in(LILEI, "new_address", {"email": "wrong@163.com"})
    asked = house.case(LILEI, "new_address")
    correct(house)
    [first] = house.rows(select(Case).where(Case.id == asked.id))
    assert (first.state, house.person(NEW).name) == ("withdrawn", "李雷")


def test_nobody_but_the_owner_corrects_and_nobody_corrects_the_owner(house: House) -> None:
    house.add(LILEI, "李雷")
    house.add(ADMIN, "周敏", role="admin")
    with pytest.raises(NotAllowed):
        correct(house, by=ADMIN)
    house.hand_in(OWNER, "new_address", {"email": "new-owner@qq.com"})
    with pytest.raises(NotAllowed):
        house.press(ADMIN, "correct", OWNER, "new_address", note="他打电话来说的。")
    assert (house.person(LILEI).name, house.person(OWNER).role) == ("李雷", "owner")


def test_a_taken_address_stays_whose_it_is(house: House) -> None:
    house.add(LILEI, "李雷")
    house.add(MEIMEI, "韩梅梅")
    correct(house, to=MEIMEI)
    assert (house.person(LILEI).name, house.case(LILEI, "new_address").state) == ("李雷", "taken")


def test_a_page_is_sent_to_its_owner_and_not_without_end(house: House) -> None:
    house.add(LILEI, "李雷")
    given = (house.club_id, house.person(LILEI).id)

    def send(number: int) -> None:
        house.db.write(
            send_page, *given, by=house.person(OWNER).id, request_id=f"r{number}", now=house.now
        )

    send(0)
    assert house.deliver() == [("club.your_page", LILEI)]
    for number in range(1, 10):
        send(number)
    with pytest.raises(TooManyMails):
        send(10)
    assert len(house.rows(select(Letter.id).where(Letter.name == "club.your_page"))) == 10


def test_handing_in_after_more_time_is_as_before(house: House) -> None:
    overdue(house)
    house.press(OWNER, "extend", workflow="study_plan", days=3)
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    assert house.case(LILEI, "study_plan").state == "review"


def test_a_letter_tried_again_forgets_what_was_said_of_its_recipient(house: House) -> None:
    house.join()
    house.deliver(lambda frozen: UNKNOWN if frozen.recipient == LILEI else TAKEN)
    [welcome] = house.letters("join.welcome")
    assert house.db.write(retry, house.club_id, welcome.id, house.now)
    assert house.person(LILEI).mail_trouble == ""
    assert house.deliver(UNKNOWN) == []
    assert house.person(LILEI).mail_trouble == "recipient: 550 5.1.1 user unknown"
    assert not house.db.write(
        retry, house.club_id, house.letters("join.add_to_group")[-1].id, house.now
    ), "only what failed"


def test_one_club_of_two_lets_its_own_held_letters_go_and_the_post_rests_on(house: House) -> None:
    first = house.club_id
    house.apply()
    second = house.found(slug="other", owner_email="other@qq.com")
    house.db.write(
        submit_application,
        second,
        "join",
        APPLICATION | {"email": MEIMEI},
        form_id="f",
        locale="zh-CN",
        now=house.now,
        limited=False,
    )
    house.db.write(hold_unsent, house.now)
    assert house.deliver() == []
    assert house.db.write(release_club, first, house.now) == 1
    assert (house.deliver(), post_rests_in(house)) == ([("join.confirm_address", LILEI)], True)


def test_the_only_club_lets_everything_go(house: House) -> None:
    house.apply()
    house.db.write(hold_unsent, house.now)
    assert house.db.write(release_club, house.club_id, house.now) == 1
    assert (house.deliver(), post_rests_in(house)) == ([("join.confirm_address", LILEI)], False)


def post_rests_in(house: House) -> bool:
    with house.read() as session:
        return post_is_held(session) is not None
