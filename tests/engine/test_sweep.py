"""What the clock does, and what it leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

import engine.scheduler.reminders
import engine.scheduler.sweep
from engine.cases.erasure import forget_bytes
from engine.scheduler.reminders import ASK_FIRST
from engine.scheduler.sweep import BACK_OFF, sweep, sweep_round
from engine.storage.models import Case, Letter
from tests.club import LATER, LILEI, MONDAY, TAKEN, House
from tests.engine import toys

pytestmark = pytest.mark.postgres

THURSDAY_NIGHT = datetime(2026, 12, 3, 16, 0, tzinfo=UTC)  # 24:00 of the third day after MONDAY


@pytest.fixture
def owed(house: House) -> House:
    """李雷 owes a plan by Thursday night, and was told so."""
    house.join()
    house.deliver()
    return house


def plan(house: House) -> Case:
    return house.case(LILEI, "study_plan")


def test_a_member_who_was_told_in_time_is_overdue_at_the_due_moment_and_not_before(
    owed: House,
) -> None:
    owed.now = THURSDAY_NIGHT - timedelta(seconds=1)
    owed.tick()
    assert plan(owed).state == "owed"
    owed.now = THURSDAY_NIGHT
    owed.tick()
    assert (plan(owed).state, plan(owed).due_at) == (
        "overdue",
        datetime(2026, 12, 6, 16, 0, tzinfo=UTC),
    )


def test_each_reminder_leaves_at_its_moment_once(owed: House) -> None:
    for hours in range(6 * 24):
        owed.now = MONDAY + timedelta(hours=hours)
        owed.tick()
        owed.deliver()
    reminders = [
        letter for letter in owed.letters() if letter.name.endswith(("due_soon", "last_call"))
    ]
    assert [(letter.name, letter.created_at) for letter in reminders] == [
        ("study_plan.due_soon", THURSDAY_NIGHT - timedelta(days=1)),
        ("study_plan.due_soon", THURSDAY_NIGHT - timedelta(hours=3)),
        ("study_plan.last_call", THURSDAY_NIGHT + timedelta(days=2)),
    ]
    assert {letter.state for letter in reminders} == {"sent"}


def test_of_several_reminders_that_were_missed_only_the_last_leaves_and_the_others_are_noted(
    owed: House,
) -> None:
    owed.now = THURSDAY_NIGHT - timedelta(hours=1)
    owed.tick()
    found = owed.letters("study_plan.due_soon")
    assert sorted((letter.state, letter.answer) for letter in found) == [
        ("dropped", "skipped: a later reminder took its place"),
        ("queued", ""),
    ]
    assert plan(owed).wake_at == THURSDAY_NIGHT


def test_a_reminder_that_gave_way_while_a_provider_put_it_off_is_settled_and_its_text_forgotten(
    owed: House,
) -> None:
    for hours in (24, 12, 3):
        owed.now = THURSDAY_NIGHT - timedelta(hours=hours)
        owed.tick()
        owed.deliver(LATER)
    first, last = owed.letters("study_plan.due_soon")
    assert (first.state, first.settled_at, last.state) == ("dropped", owed.now, "queued")
    assert first.bytes is not None
    owed.db.write(forget_bytes, owed.now + timedelta(seconds=1))
    assert owed.letters("study_plan.due_soon")[0].bytes is None


def test_no_reminder_overtakes_the_letter_that_it_reminds_of(house: House) -> None:
    """A provider puts the ask off for days; the mail itself works."""
    house.join()
    house.deliver(lambda frozen: LATER if b"study_plan.please_write" in frozen.content else TAKEN)
    [asked] = house.letters("study_plan.please_write")
    for hours in (24, 3):
        house.now = THURSDAY_NIGHT - timedelta(hours=hours)
        house.write(
            lambda session: session.execute(
                update(Letter).where(Letter.id == asked.id).values(next_at=THURSDAY_NIGHT)
            )
        )
        house.tick()
    assert [(letter.state, letter.answer) for letter in house.letters("study_plan.due_soon")] == [
        ("dropped", ASK_FIRST)
    ] * 2
    house.live(until=THURSDAY_NIGHT + timedelta(days=3, hours=12))
    assert [
        name for name, to in house.server.mails() if to == LILEI and name.startswith("study_plan")
    ] == [
        "study_plan.please_write",
        "study_plan.due_soon",
    ]


def test_a_letter_that_the_clock_makes_at_night_waits_for_the_morning(owed: House) -> None:
    owed.now = THURSDAY_NIGHT
    owed.tick()
    assert [
        (letter.created_at, letter.next_at) for letter in owed.letters("study_plan.second_chance")
    ] == [(THURSDAY_NIGHT, THURSDAY_NIGHT + timedelta(hours=7, minutes=30))]
    assert [mail for mail in owed.deliver() if mail[1] == LILEI] == []


def test_after_thirty_days_of_downtime_a_case_takes_one_step_per_sweep_and_counts_from_now(
    owed: House,
) -> None:
    owed.now = MONDAY + timedelta(days=30)
    owed.tick()
    assert (plan(owed).state, plan(owed).due_at) == (
        "overdue",
        datetime(2027, 1, 1, 16, 0, tzinfo=UTC),
    )
    owed.tick()
    assert owed.story(plan(owed)) == [("open", "owed"), ("due", "overdue")]


def test_nobody_is_late_who_was_never_asked(house: House) -> None:
    house.join()
    house.now = MONDAY + timedelta(days=30)
    house.tick()
    assert house.story(plan(house)) == [("open", "owed"), ("postponed", "owed")]
    assert plan(house).due_at == datetime(2027, 1, 2, 16, 0, tzinfo=UTC)


def test_an_ask_that_leaves_too_late_moves_the_due_time_and_names_the_new_one(house: House) -> None:
    house.join()
    house.now = THURSDAY_NIGHT - timedelta(hours=23)
    house.deliver()
    assert plan(house).due_at == THURSDAY_NIGHT + timedelta(
        days=3
    )  # as if it had been opened on Thursday at 01:00
    assert "12月6日（周日）23:59" in str(house.mail("study_plan.please_write")["Subject"])
    assert house.story(plan(house)) == [("open", "owed"), ("postponed", "owed")]


def test_an_ask_that_leaves_just_in_time_moves_nothing(house: House) -> None:
    house.join()
    house.now = THURSDAY_NIGHT - timedelta(days=1)
    house.deliver()
    assert plan(house).due_at == THURSDAY_NIGHT


def test_a_short_span_is_judged_by_its_half(house: House) -> None:
    def shorten(session: object) -> None:
        session.execute(
            update(Case)
            .where(Case.workflow == "study_plan")
            .values(due_at=MONDAY + timedelta(hours=10))
        )  # type: ignore[attr-defined]

    house.join()
    house.write(shorten)
    house.now = MONDAY + timedelta(hours=5)
    house.deliver()
    assert plan(house).due_at == MONDAY + timedelta(hours=10)


def test_a_deciders_silence_needs_no_letter(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.now = datetime(2026, 12, 7, 16, 0, tzinfo=UTC)
    house.tick()
    assert house.case(LILEI).state == "lapsed"


# One broken case


def test_one_broken_case_backs_off_and_shows_and_the_rest_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"now": True}
    toys.declared(monkeypatch, toys.breaking(broken))
    house.join(LILEI)
    house.deliver()
    house.open(LILEI, "toy_breaking")
    before = house.counts()
    house.now = THURSDAY_NIGHT
    sweep(house.db, house.now)
    case = house.case(LILEI, "toy_breaking")
    assert (case.state, case.version, case.trouble, case.wake_at) == (
        "waiting",
        1,
        "Broken: the effect broke",
        house.now + BACK_OFF,
    )
    assert plan(house).state == "overdue"
    assert house.counts()["event"] == before["event"] + 1
    broken["now"] = False
    house.tick(minutes=15)
    healed = house.case(LILEI, "toy_breaking")
    assert (healed.state, healed.trouble) == ("over", "")


def test_a_reminder_whose_case_broke_once_still_leaves_and_the_trouble_is_over(
    owed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = engine.scheduler.reminders.plan

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(engine.scheduler.reminders, "plan", broken)
    owed.now = THURSDAY_NIGHT - timedelta(days=1)
    sweep(owed.db, owed.now)
    assert plan(owed).trouble == "OSError: disk full"
    monkeypatch.setattr(engine.scheduler.reminders, "plan", real)
    owed.now += BACK_OFF
    sweep(owed.db, owed.now)
    assert [letter.state for letter in owed.letters("study_plan.due_soon")] == ["queued"]
    assert plan(owed).trouble == ""


def test_more_reminders_than_a_round_holds_all_leave_together_and_none_by_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        house.join(f"a{number}@qq.com", f"form-{number}")
    house.deliver()
    for size in ("ROUND", "REMINDERS"):
        monkeypatch.setattr(engine.scheduler.sweep, size, 3)
    monkeypatch.delattr(engine.scheduler.sweep, "remind_case")  # what looks at one case by itself
    house.now = THURSDAY_NIGHT - timedelta(days=1)
    assert sweep(house.db, house.now) == 7
    reminders = [
        (letter.state, letter.next_at.hour) for letter in house.letters("study_plan.due_soon")
    ]
    assert reminders == [("queued", 23)] * 7  # 07:30 in Shanghai


def test_more_cases_than_a_round_holds_are_all_looked_at(house: House) -> None:
    for number in range(7):
        house.apply(f"a{number}@qq.com", f"form-{number}")
    house.deliver()
    house.now += timedelta(days=4)
    seen = []
    while count := house.db.write(sweep_round, house.now, 3):
        seen.append(count)
    assert seen == [3, 3, 1]
    assert house.rows(select(Case.state).distinct()) == ["forgotten"]


@pytest.mark.parametrize("cases", [2, 9])
def test_a_round_of_steps_asks_the_database_a_fixed_number_of_times(
    house: House, cases: int
) -> None:
    asked: list[str] = []
    for number in range(cases):
        house.join(f"a{number}@qq.com", form=f"form-{number}")
    house.deliver()
    event.listen(house.db.writer, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert house.db.write(sweep_round, THURSDAY_NIGHT) == cases
    assert len([text for text in asked if not text.startswith("BEGIN")]) == 11, asked


def test_a_case_that_another_one_ended_in_the_same_round_is_left_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    removing = toys.removing()
    toys.declared(monkeypatch, removing)
    house.join()
    house.deliver()
    house.open(LILEI, removing.key)
    first = (
        update(Case)
        .where(Case.workflow == removing.key)
        .values(wake_at=THURSDAY_NIGHT - timedelta(hours=1))
    )
    house.write(lambda session: session.execute(first))
    house.now = THURSDAY_NIGHT
    sweep(house.db, house.now)
    assert (plan(house).state, plan(house).trouble, house.case(LILEI, removing.key).state) == (
        "void",
        "",
        "over",
    )
