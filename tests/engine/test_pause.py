"""A paused club: nothing falls due, nothing opens, nothing accumulates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from engine.outbox.delivery_log import PAUSED, release_all, release_club
from engine.scheduler.pause import OVER, pause, resume
from engine.scheduler.recurring import open_due
from engine.scheduler.sweep import BACK_OFF, sweep, wake_unscheduled
from engine.storage.models import Case, Club, Letter, Schedule
from mailers.queue import outbox
from mailers.queue.prepared import Claimed
from tests.club import LATER, LILEI, MEIMEI, PLAN, House

pytestmark = pytest.mark.postgres


def rest(house: House, until: datetime | None = None) -> None:
    house.db.write(pause, house.club_id, house.now, until)


def go_on(house: House) -> int:
    return house.db.write(resume, house.club_id, house.now)


def joined(house: House) -> datetime:
    """Lǐ Léi owes a plan; returns when."""
    house.join()
    house.deliver()
    due = house.case(LILEI, "study_plan").due_at
    assert due is not None
    return due


def test_everything_is_due_as_many_days_later_as_the_club_lay_still(house: House) -> None:
    due = joined(house)
    house.now += timedelta(days=2)
    rest(house)
    house.now += timedelta(days=9, hours=5)
    assert (sweep(house.db, house.now), go_on(house)) == (0, 1)
    case = house.case(LILEI, "study_plan")
    assert (case.due_at, case.state) == (
        due + timedelta(days=10),
        "owed",
    )  # a day begun counts whole
    assert house.story(case)[-1] == ("resumed", "owed")
    house.live(until=case.due_at + timedelta(hours=8))
    assert [
        name for name, to in house.server.mails() if name.startswith("study_plan") and to == LILEI
    ] == [
        "study_plan.please_write",
        "study_plan.due_soon",
        "study_plan.due_soon",
        "study_plan.second_chance",
    ]


def rests_for(house: House, **span: float) -> None:
    rest(house)
    house.now += timedelta(**span)
    go_on(house)


def test_many_short_rests_count_as_the_one_rest_that_they_add_up_to(house: House) -> None:
    """Somebody tries the button, or opens the club for an evening."""
    due = joined(house)
    for _ in range(5):
        rests_for(house, hours=4, minutes=45)
        assert house.case(LILEI, "study_plan").due_at == due + timedelta(days=1)
    rests_for(house, hours=1)
    assert house.case(LILEI, "study_plan").due_at == due + timedelta(days=2)


def test_what_is_due_anew_after_a_rest_has_its_next_rest_counted_from_the_start(
    house: House,
) -> None:
    joined(house)
    rests_for(house, hours=1)
    house.live(until=house.case(LILEI, "study_plan").due_at + timedelta(hours=12))
    due = house.case(LILEI, "study_plan").due_at
    rests_for(house, hours=1)
    assert (house.case(LILEI, "study_plan").state, house.case(LILEI, "study_plan").due_at) == (
        "overdue",
        due + timedelta(days=1),
    )


def test_a_reminder_leaves_after_a_short_rest_that_moved_nothing_any_more(house: House) -> None:
    """One that waited for the morning, and one whose moment fell into the rest."""
    due = joined(house) + timedelta(days=1)
    rests_for(house, minutes=5)
    house.deliver()
    house.now = due - timedelta(days=1) + timedelta(minutes=1)  # midnight
    house.tick()
    rests_for(house, minutes=5)
    house.live(until=due - timedelta(hours=3, minutes=5))
    assert house.server.mails().count(("study_plan.due_soon", LILEI)) == 1
    rests_for(house, minutes=10)
    house.live(until=due - timedelta(minutes=1))
    assert house.case(LILEI, "study_plan").due_at == due
    assert house.server.mails().count(("study_plan.due_soon", LILEI)) == 2


def test_one_broken_case_does_not_keep_the_club_at_rest(house: House) -> None:
    due = joined(house)
    house.join(MEIMEI, "form-2")
    house.deliver()
    broken = house.case(MEIMEI, "study_plan")
    rest(house, until=house.now + timedelta(days=2))
    house.write(
        lambda session: session.execute(
            update(Case).where(Case.id == broken.id).values(state="no state of ours")
        )
    )
    house.now += timedelta(days=2)
    open_due(house.db, house.now)
    assert house.rows(select(Club.paused_at)) == [None]
    assert house.case(LILEI, "study_plan").due_at == due + timedelta(days=2)
    left = house.case(MEIMEI, "study_plan")
    assert broken.due_at is not None and left.trouble != ""
    assert (left.due_at, left.wake_at) == (broken.due_at + timedelta(days=2), house.now + BACK_OFF)
    house.write(
        lambda session: session.execute(
            update(Case).where(Case.id == broken.id).values(state="owed")
        )
    )
    house.live(until=broken.due_at + timedelta(days=1, hours=12))
    mended = house.case(MEIMEI, "study_plan")
    assert (mended.state, mended.trouble) == ("owed", "")
    assert ("study_plan.due_soon", MEIMEI) in house.server.mails()


def test_a_clock_that_goes_back_brings_no_due_time_nearer(house: House) -> None:
    due = joined(house)
    house.now += timedelta(days=20)
    rest(house)
    house.now -= timedelta(days=20)
    go_on(house)
    assert house.case(LILEI, "study_plan").due_at == due


def test_while_it_rests_no_clock_makes_a_letter(house: House) -> None:
    joined(house)
    rest(house)
    assert house.deliver() == [("club.paused", LILEI)]
    house.live(until=house.now + timedelta(days=40), hours=6)
    assert [name for name, to in house.server.mails() if to == LILEI][-1] == "club.paused"
    assert house.case(LILEI, "study_plan").state == "owed"


def test_weeks_that_fell_into_the_rest_are_not_opened_afterwards(house: House) -> None:
    house.add(MEIMEI, "韩梅梅")
    rest(house)
    house.live(until=house.now + timedelta(days=15), hours=12)
    go_on(house)
    open_due(house.db, house.now)
    assert house.rows(select(Case).where(Case.workflow == "reflection")) == []
    [schedule] = house.rows(select(Schedule).where(Schedule.rule == "reflection"))
    assert schedule.not_opened == ["2026-W50", "2026-W51"]
    assert schedule.next_at == datetime(2026, 12, 20, 0, 0, tzinfo=UTC)


def test_what_people_do_meanwhile_counts_and_what_opens_then_is_due_after_the_rest(
    house: House,
) -> None:
    rest(house)
    house.now += timedelta(days=3)
    house.join()
    case = house.case(LILEI, "study_plan")
    told = case.due_at
    assert (case.wake_at, told is not None) == (None, True)
    house.now += timedelta(days=4)
    assert go_on(house) == 1
    assert house.case(LILEI, "study_plan").due_at == told + timedelta(days=4)  # type: ignore[operator]
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    assert house.case(LILEI, "study_plan").state == "review"


def test_a_reminder_that_waited_for_the_morning_does_not_leave_after_the_rest(house: House) -> None:
    """Its due time has moved."""
    due = joined(house)
    house.now = due - timedelta(days=1) + timedelta(minutes=1)  # midnight: it waits for the morning
    house.tick()
    waiting = Letter.name == "study_plan.due_soon"
    assert house.rows(select(Letter.state).where(waiting)) == ["queued"]
    rest(house)
    assert house.rows(select(Letter.answer).where(waiting)) == [PAUSED]
    house.now += timedelta(days=5)
    go_on(house)
    assert [
        (letter.state, letter.answer) for letter in house.rows(select(Letter).where(waiting))
    ] == [("dropped", OVER)]


def at_the_gate(house: House) -> Claimed:
    """A reminder that the post has taken and not yet handed over, when the rest begins."""
    house.now = joined(house) - timedelta(hours=3)
    house.tick()
    return house.claim()[0]


def test_what_the_post_had_in_its_hands_when_the_rest_began_stays_here(house: House) -> None:
    reminder = at_the_gate(house)
    rest(house)
    assert house.freeze(reminder) is None
    house.db.write(outbox.release, [reminder])
    assert house.rows(select(Letter.answer).where(Letter.id == reminder.letter_id)) == [PAUSED]
    assert house.deliver() == [("club.paused", LILEI)]


def test_what_the_server_put_off_does_not_leave_during_the_rest(house: House) -> None:
    reminder = at_the_gate(house)
    assert house.freeze(reminder) is not None
    rest(house)
    assert house.settle(reminder, LATER) == "later"
    house.now += timedelta(minutes=5)
    assert house.deliver() == [("club.paused", LILEI)]
    assert house.rows(select(Letter.answer).where(Letter.id == reminder.letter_id)) == [PAUSED]


def test_releasing_all_letters_ends_no_rest(house: House) -> None:
    house.db.write(outbox.release, [at_the_gate(house)])
    rest(house)
    assert (
        house.db.write(release_all, house.now),
        house.db.write(release_club, house.club_id, house.now),
    ) == (0, 0)
    assert house.deliver() == [("club.paused", LILEI)]


def test_it_goes_on_by_itself_at_the_named_moment(house: House) -> None:
    due = joined(house)
    until = house.now + timedelta(days=7)
    rest(house, until)
    house.live(until=until - timedelta(hours=1), hours=11)
    assert house.rows(select(Club.paused_at)) != [None]
    house.live(until=until)
    assert house.rows(select(Club.paused_at)) == [None]
    assert house.case(LILEI, "study_plan").due_at == due + timedelta(days=7)
    assert house.server.mails()[-1] == ("club.resumed", LILEI)


def test_a_second_press_changes_only_the_end(house: House) -> None:
    joined(house)
    rest(house, house.now + timedelta(days=7))
    began = house.rows(select(Club.paused_at))
    house.now += timedelta(days=1)
    rest(house)
    assert house.rows(select(Club.paused_at)) == began
    assert house.rows(select(Schedule.rule).where(Schedule.rule == "resume")) == []
    assert go_on(house) == 1
    assert go_on(house) == 0
    assert [name for name, to in house.deliver() if to == LILEI] == ["club.paused", "club.resumed"]


def test_a_case_that_woke_all_the_same_is_put_back_to_sleep(house: House) -> None:
    """It was opened by a process that had not seen the rest yet."""
    due = joined(house)
    rest(house)
    house.write(
        lambda session: session.execute(
            update(Case).where(Case.workflow == "study_plan").values(wake_at=due)
        )
    )
    house.now = due + timedelta(days=1)
    sweep(house.db, house.now)
    case = house.case(LILEI, "study_plan")
    assert (case.state, case.wake_at) == ("owed", None)


def test_a_case_that_the_end_of_a_rest_overlooked_is_looked_at_again(house: House) -> None:
    """Somebody pressed in the same moment, and found the club still at rest. One at rest, and one
    that nobody reaches, sleep on."""
    due = joined(house)
    house.join(MEIMEI, "form-2")
    unreachable = (
        update(Case)
        .where(Case.person_id == house.person(MEIMEI).id)
        .values(wake_at=None, trouble="unreachable")
    )
    house.write(lambda session: session.execute(unreachable))
    house.write(
        lambda session: session.execute(update(Case).where(Case.trouble == "").values(wake_at=None))
    )
    rest(house)
    house.db.write(wake_unscheduled, house.now)
    assert house.rows(select(Case.id).where(Case.wake_at.is_not(None))) == []
    house.write(lambda session: session.execute(update(Club).values(paused_at=None)))
    house.db.write(wake_unscheduled, house.now)
    sweep(house.db, house.now)
    assert house.case(LILEI, "study_plan").wake_at == due - timedelta(days=1)
    assert house.case(MEIMEI, "study_plan").wake_at is None


def test_a_named_moment_moves_with_the_rest(house: House) -> None:
    """A big book chosen after the rest is counted from the moved Saturday."""
    house.add(MEIMEI, "韩梅梅")
    house.live(until=datetime(2026, 12, 7, 0, 0, tzinfo=UTC), hours=12)
    due = house.case(MEIMEI, "reflection").due_at
    rest(house)
    house.now += timedelta(days=7)
    go_on(house)
    house.press(
        MEIMEI,
        "choose",
        MEIMEI,
        "reflection",
        answers={"book": "战争与和平", "author": "托尔斯泰", "big": True},
    )
    assert house.case(MEIMEI, "reflection").due_at == due + timedelta(days=10)  # type: ignore[operator]


def test_a_reminder_of_a_case_that_woke_all_the_same_is_not_queued(house: House) -> None:
    """It was opened while somebody paused the club: of a ballot or of one's own turn alike."""
    due = joined(house)
    rest(house)
    house.now = due - timedelta(hours=20)
    house.write(lambda session: session.execute(update(Case).values(wake_at=house.now)) and None)
    sweep(house.db, house.now)
    assert house.letters("study_plan.due_soon") == []
    assert house.case(LILEI, "study_plan").wake_at is None


def test_the_post_is_woken_for_the_letters_that_a_pause_held(house: House) -> None:
    """A flag had to be set wherever a letter went back into the queue, and here it was forgotten."""
    joined(house)
    rest(house)
    ask = {"state": "held", "answer": PAUSED}
    house.write(
        lambda session: (
            session.execute(
                update(Letter).where(Letter.name == "study_plan.please_write").values(ask)
            )
            and None
        )
    )
    house.write(lambda session: session.execute(update(Case).values(turn="")) and None)
    woken: list[int] = []
    house.db.on_letters = woken.append
    go_on(house)
    assert woken == [2]  # the letter that was held, and the one that tells of the end
