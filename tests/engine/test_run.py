"""transitions.act: permissions, entered versions, input, removals, receipts."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from engine.cases.transitions import Invalid, NotAllowed, Stale, act
from engine.declare.due_times import midnight_after
from engine.declare.roles import Proof
from engine.declare.transition import CLOCK, Actor
from engine.storage.models import Case, Event, Letter, Person, WebSession
from tests.club import ADMIN, LATER, LILEI, MEIMEI, OWNER, PLAN, House
from tests.engine import toys
from tests.mail import parse, text_of

pytestmark = pytest.mark.postgres


def refused(
    house: House,
    kind: type[Exception],
    who: str,
    action: str,
    workflow: str = "join",
    **given: object,
) -> Exception:
    before = house.counts(), house.case(LILEI, workflow).version
    with pytest.raises(kind) as found:
        house.press(who, action, workflow=workflow, **given)
    assert (house.counts(), house.case(LILEI, workflow).version) == before
    return found.value


@pytest.fixture
def proposed(house: House) -> House:
    """A removal is proposed, and everybody was told in time."""
    house.join()
    house.deliver()
    house.tick(days=4)
    house.now += timedelta(hours=8)
    house.deliver()
    house.tick(days=3)
    house.deliver()
    assert house.case(LILEI, "study_plan").state == "removal_proposed"
    return house


def test_an_act_writes_an_event_and_moves_the_case_on(house: House) -> None:
    house.apply()
    house.now += timedelta(hours=1)
    house.press(LILEI, "confirm")
    case, event = house.case(LILEI), house.events(house.case(LILEI))[-1]
    assert (case.state, case.turn, case.version, case.entered_version, case.entered_at) == (
        "review",
        "reviewer",
        2,
        2,
        house.now,
    )
    assert (
        event.version,
        event.action,
        event.from_state,
        event.to_state,
        event.who_id,
        event.via,
        event.at,
    ) == (
        2,
        "confirm",
        "unconfirmed",
        "review",
        house.person(LILEI).id,
        "page",
        house.now,
    )


@pytest.mark.parametrize(
    ("who", "action"),
    [
        (OWNER, "confirm"),
        (LILEI, "approve"),
        (LILEI, "withdraw"),
        (OWNER, "resubmit"),
        (OWNER, "nonsense"),
        (OWNER, ""),
        (OWNER, "undo"),
    ],
)
def test_what_is_not_ones_own_is_refused(house: House, who: str, action: str) -> None:
    house.apply()
    refused(house, NotAllowed, who, action)


@pytest.mark.parametrize("action", ["due", "postponed", "void", "decided", "open"])
@pytest.mark.parametrize("who", [LILEI, OWNER])
def test_the_clocks_moves_are_nobodys_to_press(house: House, who: str, action: str) -> None:
    house.join()
    refused(house, NotAllowed, who, action, "study_plan")


def test_an_admin_is_not_the_owner(proposed: House) -> None:
    proposed.add(ADMIN, role="admin")
    refused(proposed, NotAllowed, ADMIN, "remove", "study_plan", note="出去。")
    proposed.press(OWNER, "remove", workflow="study_plan", note="两次都没有收到。")
    refused(proposed, NotAllowed, ADMIN, "readmit", "study_plan")


def test_a_form_of_an_earlier_round_is_refused_and_says_who_was_faster(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.press(OWNER, "return", note="改一改。")
    wrong = refused(house, Stale, LILEI, "resubmit", seen_version=2)
    assert isinstance(wrong, Stale)
    assert (wrong.event.action, wrong.event.who_id, wrong.event.version) == (
        "return",
        house.person(OWNER).id,
        3,
    )


def test_an_answer_stays_in_the_round_so_the_owners_form_still_counts(proposed: House) -> None:
    before = proposed.case(LILEI, "study_plan")
    proposed.press(LILEI, "answer", workflow="study_plan", note="我住院了。")
    after = proposed.case(LILEI, "study_plan")
    assert (after.version, after.entered_version, after.due_at, after.wake_at) == (
        before.version + 1,
        before.entered_version,
        before.due_at,
        before.wake_at,
    )
    proposed.press(OWNER, "excuse", workflow="study_plan", seen_version=before.entered_version)
    assert proposed.case(LILEI, "study_plan").state == "excused"


def test_an_answer_pressed_twice_is_one_answer_and_other_words_are_another(proposed: House) -> None:
    for note in ("我病了。", "我病了。", "下周补上。", "我病了。"):
        proposed.press(LILEI, "answer", workflow="study_plan", note=note)
    said = [
        event.note
        for event in proposed.events(proposed.case(LILEI, "study_plan"))
        if event.action == "answer"
    ]
    assert said == ["我病了。", "下周补上。", "我病了。"]
    assert len(proposed.letters("study_plan.person_answered")) == 3


def test_a_required_note_must_say_something(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    wrong = refused(house, Invalid, OWNER, "decline", note="  \n ")
    assert isinstance(wrong, Invalid)
    assert wrong.errors == {"note": "Please say why; the person will read it"}


def test_a_refusal_leaves_nothing_behind_in_a_unit_that_goes_on(house: House) -> None:
    """Whoever catches Invalid inside a unit and commits must not commit half an act."""
    house.apply()
    house.press(LILEI, "confirm")
    owner, case_id = house.person(OWNER).id, house.case(LILEI).id

    def unit(session: object) -> None:
        case = session.get_one(Case, (house.club_id, case_id))  # type: ignore[attr-defined]
        with pytest.raises(Invalid):
            act(
                session,
                case,
                "decline",
                by=Actor(session.get_one(Person, (house.club_id, owner)), "page"),
                now=house.now,
            )  # type: ignore[arg-type,attr-defined]

    house.write(unit)
    assert house.case(LILEI).version == 2
    house.press(OWNER, "approve")
    assert [event.version for event in house.events(house.case(LILEI))] == [1, 2, 3]


@pytest.mark.parametrize("days", [None, 0, -1, 61])
def test_an_extension_wants_a_number_of_days_that_the_charter_allows(
    proposed: House, days: int | None
) -> None:
    wrong = refused(proposed, Invalid, OWNER, "extend", "study_plan", days=days)
    assert isinstance(wrong, Invalid)
    assert list(wrong.errors) == ["days"]


@pytest.mark.parametrize("days", [1, 60])
def test_an_extension_ends_at_midnight_of_its_last_day(proposed: House, days: int) -> None:
    proposed.press(OWNER, "extend", workflow="study_plan", days=days)
    case = proposed.case(LILEI, "study_plan")
    assert (case.state, case.due_at) == (
        "overdue",
        midnight_after(proposed.now, days, ZoneInfo("Asia/Shanghai")),
    )


def test_an_act_fills_only_the_fields_it_declares(house: House) -> None:
    house.join()
    house.press(
        LILEI,
        "submit",
        workflow="study_plan",
        answers=PLAN | {"state": "accepted", "email": "x@qq.com"},
    )
    assert house.case(LILEI, "study_plan").answers == PLAN


def test_an_act_of_somebody_else_on_behalf_is_asked_for_the_rights_of_whom_it_is_for(
    house: House,
) -> None:
    house.apply()
    owner, lilei = house.person(OWNER).id, house.person(LILEI).id

    def unit(session: object) -> None:
        get = lambda key: session.get_one(Person, (house.club_id, key))  # type: ignore[attr-defined] # noqa: E731
        act(
            session,
            session.get_one(Case, (house.club_id, house.case(LILEI).id)),
            "confirm",
            by=Actor(get(owner), "command", get(lilei), Proof.ADDRESS),
            now=house.now,
        )  # type: ignore[arg-type,attr-defined]

    house.write(unit)
    event = house.events(house.case(LILEI))[-1]
    assert (event.who_id, event.on_behalf_of_id, event.via) == (owner, lilei, "command")


def test_an_ended_case_takes_no_step_of_the_clock(house: House) -> None:
    house.join()
    with pytest.raises(NotAllowed):
        house.write(
            lambda session: act(
                session,
                session.get_one(Case, (house.club_id, house.case(LILEI).id)),
                "due",
                by=CLOCK,
                now=house.now,
            )
        )


# Removal


def test_a_removal_ends_the_membership_the_links_and_every_open_case(proposed: House) -> None:
    epoch = proposed.person(LILEI).link_epoch
    browser = {
        "secret_hash": "a",
        "link": "b",
        "started_at": proposed.now,
        "ends_at": proposed.now + timedelta(days=90),
    }
    proposed.write(
        lambda session: session.add(WebSession(person_id=proposed.person(LILEI).id, **browser))
    )
    proposed.press(OWNER, "remove", workflow="study_plan", note="两次都没有收到。")
    person = proposed.person(LILEI)
    assert (person.status, person.role, person.removed_at, person.link_epoch) == (
        "removed",
        "member",
        proposed.now,
        epoch + 1,
    )
    assert proposed.rows(select(Case.id).where(Case.person_id == person.id, Case.turn != "")) == []
    assert (
        proposed.rows(select(WebSession)) == []
    )  # else it would be signed in again after a readmission
    refused(proposed, NotAllowed, OWNER, "undo", "study_plan")


def test_a_removal_makes_every_other_open_case_of_the_person_void(
    proposed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.declared(monkeypatch, toys.breaking({"now": False}))
    proposed.open(LILEI, "toy_breaking")
    proposed.press(OWNER, "remove", workflow="study_plan", note="两次都没有收到。")
    assert proposed.story(proposed.case(LILEI, "toy_breaking")) == [
        ("open", "waiting"),
        ("void", "void"),
    ]
    assert proposed.case(LILEI).state == "approved"


# Receipts


def test_the_decider_gets_one_receipt_some_minutes_after_the_last_press(house: House) -> None:
    for address, form in ((LILEI, "a"), (MEIMEI, "b")):
        house.apply(address, form)
        house.press(address, "confirm", address)
    house.press(OWNER, "approve")
    house.now += timedelta(minutes=5)
    house.press(OWNER, "approve", MEIMEI)
    receipts = house.letters("club.receipt")
    assert [(letter.state, letter.next_at) for letter in receipts] == [
        ("queued", house.now + timedelta(minutes=10))
    ]


def test_a_decision_beside_a_receipt_that_the_server_put_off_stands_in_a_receipt_of_its_own(
    house: House,
) -> None:
    for address, name in ((LILEI, "李雷"), (MEIMEI, "韩梅梅")):
        house.apply(address, name, name=name)
        house.press(address, "confirm", address)
    house.press(OWNER, "approve")
    house.now += timedelta(minutes=11)
    house.deliver(LATER)
    house.press(OWNER, "approve", MEIMEI)
    house.live(until=house.now + timedelta(hours=2))
    mails = [parse(content) for _, _, content in house.server.taken]
    told = [text_of(mail) for mail in mails if mail["X-Jiuniu-Letter"] == "club.receipt"]
    assert [("李雷" in text, "韩梅梅" in text) for text in told] == [(True, False), (False, True)]


def test_what_one_does_in_ones_own_matter_gets_no_receipt(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    assert house.letters("club.receipt") == []


def test_two_who_press_at_once_write_one_event(house: House) -> None:
    """The second writer of a version is refused by the row, not by luck."""
    house.apply()
    house.press(LILEI, "confirm")
    barrier, outcomes = Barrier(4), []

    def press() -> None:
        barrier.wait()
        try:
            house.press(OWNER, "approve", seen_version=2)
            outcomes.append("approved")
        except Stale:
            outcomes.append("stale")

    threads = [Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved", "stale", "stale", "stale"]
    assert [
        event.action for event in house.rows(select(Event).where(Event.action == "approve"))
    ] == ["approve"]
    assert len(house.rows(select(Letter).where(Letter.name == "join.welcome"))) == 1
