"""What the calendar begins, and what a ballot decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.db import enter_club
from engine.marks import vote
from engine.models import Case, Letter, Mark, Person, Schedule
from engine.openings import BATCH, open_due, openings_round
from engine.people import add_person
from engine.reminders import ASK_FIRST
from engine.run import Invalid, NotAllowed, Stale
from engine.schedules import plan_schedules
from engine.step import Hand
from tests.club import DOWN, LATER, LILEI, MEIMEI, OWNER, TAKEN, House
from tests.databases import Databases
from tests.engine import toys

SUNDAY = datetime(2026, 12, 6, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
WEEK = timedelta(weeks=1)
TOYS = Case.workflow == "toy_reading"


@pytest.fixture
def reading(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    toys.declared(monkeypatch, toys.reading())
    house.write(lambda session: plan_schedules(session, house.now))
    house.add(LILEI, "李雷")
    house.add(MEIMEI, "韩梅梅")
    return house


def periods(house: House) -> list[str]:
    return sorted(house.rows(select(Case.data["period"].as_string()).where(Case.workflow == "toy_reading")))


def schedule(house: House, rule: str = "toy_reading") -> Schedule:
    return house.rows(select(Schedule).where(Schedule.rule == rule))[0]


def test_a_workflow_that_was_added_opens_first_with_the_next_week(reading: House) -> None:
    assert schedule(reading).next_at == SUNDAY
    reading.write(lambda session: plan_schedules(session, SUNDAY + WEEK))
    assert schedule(reading).next_at == SUNDAY


def test_each_member_gets_one_case_a_week_and_the_owner_too_where_nobody_is_exempt(reading: House) -> None:
    assert open_due(reading.db, SUNDAY - timedelta(seconds=1)) == 0
    assert open_due(reading.db, SUNDAY) >= 2
    assert open_due(reading.db, SUNDAY) == 0
    about = reading.rows(select(Case.person_id).where(Case.workflow == "toy_reading"))
    assert {reading.person(LILEI).id, reading.person(MEIMEI).id} <= set(about)
    assert len(set(about)) == len(about)
    case = reading.case(LILEI, "toy_reading")
    assert (case.data["period"], case.due_at, case.opened_at) == ("2026-W50", datetime(2026, 12, 12, 12, 0, tzinfo=UTC), SUNDAY)


def test_who_still_has_one_open_gets_no_second_one(reading: House) -> None:
    open_due(reading.db, SUNDAY)
    reading.press(LILEI, "submit", LILEI, "toy_reading")
    open_due(reading.db, SUNDAY + WEEK)
    mine = reading.rows(select(Case.data["period"].as_string()).where(Case.person_id == reading.person(LILEI).id, TOYS))
    hers = reading.rows(select(Case.data["period"].as_string()).where(Case.person_id == reading.person(MEIMEI).id, TOYS))
    assert (sorted(mine), hers) == (["2026-W50", "2026-W51"], ["2026-W50"])


def test_who_may_be_removed_begins_no_week_whatever_the_removal_is_about(reading: House) -> None:
    reading.open(LILEI, "study_plan")
    reading.live(until=SUNDAY + timedelta(days=2), hours=12)
    reading.press(LILEI, "submit", LILEI, "toy_reading")
    assert reading.case(LILEI, "study_plan").state == "removal_proposed"
    open_due(reading.db, SUNDAY + WEEK)
    mine = select(Case.data["period"].as_string()).where(Case.person_id == reading.person(LILEI).id, TOYS)
    assert reading.rows(mine) == ["2026-W50"]  # the one that opened before it was proposed


def test_who_is_done_with_a_week_is_not_asked_for_it_again(reading: House) -> None:
    open_due(reading.db, SUNDAY)
    reading.press(LILEI, "submit", LILEI, "toy_reading")

    def again(session: Session) -> None:
        session.execute(select(Schedule).where(Schedule.rule == "toy_reading")).scalar_one().next_at = SUNDAY

    reading.write(again)
    assert open_due(reading.db, SUNDAY + timedelta(hours=1)) == 0


def test_a_clock_that_ran_ahead_and_was_put_right_skips_no_week(reading: House) -> None:
    open_due(reading.db, SUNDAY + 9 * WEEK)
    reading.write(lambda session: plan_schedules(session, SUNDAY))
    assert schedule(reading).next_at == SUNDAY + WEEK


def test_of_missed_weeks_only_the_running_one_opens_and_the_others_are_recorded(reading: House) -> None:
    open_due(reading.db, SUNDAY + 3 * WEEK + timedelta(days=2))
    assert set(periods(reading)) == {"2026-W53"}
    assert (schedule(reading).not_opened, schedule(reading).next_at) == (["2026-W50", "2026-W51", "2026-W52"], SUNDAY + 4 * WEEK)


@pytest.mark.parametrize("late", [timedelta(), timedelta(days=2), timedelta(days=6, hours=23)])
def test_who_came_in_mid_week_begins_with_the_next_one_however_late_this_one_opens(reading: House, late: timedelta) -> None:
    reading.now = SUNDAY + timedelta(seconds=1)
    reading.bring("name,email,joined\n旧人,old@qq.com,2026-03-01\n新人,new@qq.com,\n")  # registered after the opening
    reading.add("mid@qq.com")  # joined after it
    open_due(reading.db, SUNDAY + late)
    first = reading.rows(select(Person.address).join(Case, Case.person_id == Person.id).where(Case.workflow == "toy_reading"))
    assert {LILEI, MEIMEI} <= set(first) and not {"old@qq.com", "new@qq.com", "mid@qq.com"} & set(first)
    open_due(reading.db, SUNDAY + WEEK)
    for address in ("old@qq.com", "new@qq.com", "mid@qq.com"):
        assert reading.case(address, "toy_reading").data["period"] == "2026-W51"


def test_who_came_in_before_the_opening_begins_with_it(reading: House) -> None:
    reading.now = SUNDAY - timedelta(seconds=1)
    reading.bring("name,email\n新人,new@qq.com\n")
    open_due(reading.db, SUNDAY)
    assert reading.case("new@qq.com", "toy_reading").data["period"] == "2026-W50"


def test_a_month_of_chances_begins_at_midnight_where_the_club_is(house: House) -> None:
    """In Shanghai the year is eight hours old when it begins in Greenwich; December's chance was December's."""
    house.add(LILEI)
    for week, due in (("2026-W51", "2026-12-19T20:00+08:00"), ("2026-W53", "2026-12-31T23:30+08:00")):
        house.open(LILEI, "reflection", key=week, data={"period": week, "period_due": due})
        house.deliver()
        house.now = datetime.fromisoformat(due).astimezone(UTC)
        house.tick(hours=1)
        assert house.case(LILEI, "reflection").state == "overdue"
        house.press(OWNER, "excuse", LILEI, "reflection")


def test_a_club_larger_than_a_batch_is_opened_over_several_commits_nobody_twice(reading: House) -> None:
    def crowd(session: Session) -> None:
        for number in range(BATCH + 3):
            add_person(session, f"a{number}@qq.com", locale="en", status="member")

    reading.write(crowd)
    members = len(reading.rows(select(Person.id).where(Person.status == "member")))
    while (opened := reading.db.write(openings_round, SUNDAY)) == 0:  # the daily letter is due as well
        pass
    assert opened == BATCH
    assert schedule(reading).next_at == SUNDAY
    done = open_due(reading.db, SUNDAY)
    about = reading.rows(select(Case.person_id).where(Case.workflow == "toy_reading"))
    others = len(reading.rows(select(Case.id).where(~TOYS)))
    assert len(about) == len(set(about)) == BATCH + done - daily(reading) - others
    assert len(about) in (members, members - 1)
    assert schedule(reading).not_opened == []


def daily(house: House) -> int:
    return len(house.letters("club.daily"))


# The daily letter


def test_the_daily_letter_comes_once_a_day_and_only_when_something_waits(house: House) -> None:
    for day in range(3):
        house.tick(days=1 if day else 0)
    assert house.letters("club.daily") == []
    house.apply()
    house.press(LILEI, "confirm")
    for _ in range(6):
        house.tick(hours=8)
    assert [letter.created_at.hour for letter in house.letters("club.daily")] == [2, 2]


def test_after_days_without_a_mail_server_one_daily_letter_leaves(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.deliver()
    for _ in range(4):
        house.tick(days=1)
        house.deliver(DOWN)
    assert [to for name, to in house.deliver() if name == "club.daily"] == [OWNER]
    daily = [(letter.state, letter.answer) for letter in house.letters("club.daily")]
    assert daily == [("dropped", "skipped: a newer daily letter took its place")] * 3 + [("sent", str(TAKEN))]
    assert all(letter.settled_at for letter in house.letters("club.daily"))


def test_after_days_of_downtime_there_is_one_daily_letter(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")
    house.tick(days=5)
    house.tick()
    assert [letter.name for letter in house.letters("club.daily")] == ["club.daily"]


# Ballots


def cast(house: House, who: str, choice: str, workflow: str, **given: object) -> None:
    case_id, person_id = house.rows(select(Case.id).where(Case.workflow == workflow))[0], house.person(who).id

    def unit(session: Session) -> None:
        person = session.get_one(Person, (house.club_id, person_id))
        vote(session, session.get_one(Case, (house.club_id, case_id)), choice, by=Hand(person, "page"), now=house.now, **given)  # type: ignore[arg-type]

    house.write(unit)


def ballot(house: House) -> Case:
    return house.rows(select(Case).where(Case.workflow.in_(("toy_topic", "toy_nomination"))))[0]


VOTERS = [f"voter{number}@qq.com" for number in range(6)]


@pytest.fixture
def voters(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    toys.declared(monkeypatch, toys.topic(), toys.nomination())
    for address in VOTERS:
        house.add(address)
    return house


@pytest.fixture
def topic(template: Databases, monkeypatch: pytest.MonkeyPatch) -> House:
    toys.declared(monkeypatch, toys.topic())
    house = House(template, "topic", numbers={"topic_votes": 3})
    for address in VOTERS:
        house.add(address)
    house.open(VOTERS[0], "toy_topic")
    return house


def test_the_first_votes_decide_and_the_case_moves_once(topic: House) -> None:
    cast(topic, VOTERS[0], "option2", "toy_topic")
    cast(topic, VOTERS[1], "option1", "toy_topic")
    assert (ballot(topic).state, ballot(topic).version) == ("voting", 1)
    cast(topic, VOTERS[2], "option2", "toy_topic")
    decided = topic.events(ballot(topic))[-1]
    assert (ballot(topic).state, decided.action, decided.answers) == ("decided", "decided", {"count": {"option1": 1, "option2": 2}})
    with pytest.raises(NotAllowed):
        cast(topic, VOTERS[3], "option1", "toy_topic")


def test_a_topic_vote_is_final_when_cast(topic: House) -> None:
    cast(topic, VOTERS[0], "option2", "toy_topic")
    with pytest.raises(NotAllowed):
        cast(topic, VOTERS[0], "option1", "toy_topic")
    assert topic.rows(select(Mark.choice)) == ["option2"]


def test_a_choice_that_is_none_is_refused_and_a_stranger_too(topic: House) -> None:
    topic.add(LILEI, status="applicant")
    with pytest.raises(Invalid) as wrong:
        cast(topic, VOTERS[0], "option9", "toy_topic")
    assert wrong.value.errors == {"choice": "Please choose one of these"}
    with pytest.raises(NotAllowed):
        cast(topic, LILEI, "option1", "toy_topic")
    with pytest.raises(Stale):
        cast(topic, VOTERS[0], "option1", "toy_topic", round=7)
    assert topic.rows(select(Mark.choice)) == []


def test_nobody_closes_a_ballot_by_pressing_what_only_the_count_decides(topic: House) -> None:
    cast(topic, VOTERS[0], "option2", "toy_topic")
    with pytest.raises(NotAllowed):
        topic.press(VOTERS[1], "decided", VOTERS[0], "toy_topic")
    assert ballot(topic).state == "voting"


def test_a_topic_without_votes_ends_as_nobody_voted(topic: House) -> None:
    topic.tick(days=5)
    assert ballot(topic).state == "nobody_voted"


@pytest.mark.parametrize(
    ("choices", "ends"),
    [
        (["yes", "yes"], "elected"),  # 2 of 6 electors: the quorum of a third is reached
        (["yes"], "too_few"),
        (["yes", "no"], "rejected"),  # a tie
        (["yes", "no", "no"], "rejected"),
        (["yes", "yes", "no"], "elected"),
        ([], "too_few"),
    ],
)
def test_a_nomination_wants_more_yes_than_no_and_a_third_of_the_electors(voters: House, choices: list[str], ends: str) -> None:
    voters.open(VOTERS[0], "toy_nomination")  # five others and the owner may vote
    assert ballot(voters).data["electors"] == 6
    for address, choice in zip(VOTERS[1:], choices, strict=False):
        cast(voters, address, choice, "toy_nomination")
    voters.tick(days=5)
    assert ballot(voters).state == ends


def test_a_secret_vote_may_be_changed_and_is_emptied_when_it_closes(voters: House) -> None:
    voters.open(VOTERS[0], "toy_nomination")
    cast(voters, VOTERS[1], "no", "toy_nomination")
    cast(voters, VOTERS[1], "yes", "toy_nomination")
    cast(voters, VOTERS[2], "yes", "toy_nomination")
    voters.tick(days=5)
    assert [(mark.choice, mark.sequence) for mark in voters.rows(select(Mark).order_by(Mark.sequence))] == [("", 1), ("", 2)]
    assert voters.events(ballot(voters))[-1].answers == {"count": {"yes": 2}}


def test_the_one_concerned_does_not_vote(voters: House) -> None:
    voters.open(VOTERS[0], "toy_nomination")
    with pytest.raises(NotAllowed):
        cast(voters, VOTERS[0], "yes", "toy_nomination")


def test_who_came_after_the_vote_began_has_no_vote(voters: House) -> None:
    """A newcomer, one who was taken back in, one who brings an early joining date along from a list."""
    late = ("newcomer@qq.com", "back@qq.com", "listed@qq.com")
    voters.add(late[1])
    voters.open(VOTERS[0], "toy_nomination")
    voters.tick(minutes=1)
    voters.add(late[0])
    voters.bring(f"name,email,joined\n老书友,{late[2]},2020-03-01\n")
    taken_back = update(Person).where(Person.address == late[1]).values(registered_at=voters.now)
    voters.write(lambda session: session.execute(taken_back))
    for address in late:
        with pytest.raises(NotAllowed):
            cast(voters, address, "yes", "toy_nomination")
    assert voters.rows(select(Mark)) == []


def test_only_who_has_not_voted_is_reminded(voters: House) -> None:
    voters.hand_in(VOTERS[0], "nomination", {"why": "一", "plan": "二"})
    voters.press(OWNER, "approve", VOTERS[0], "nomination")
    voters.vote(VOTERS[1], "yes", VOTERS[0])
    voters.deliver(lambda frozen: LATER if frozen.recipient == VOTERS[2] else TAKEN)
    voters.tick(days=2, hours=20)
    reminded = {letter.person_id: letter.answer for letter in voters.letters("nomination.vote_soon")}
    assert reminded == {voters.person(address).id: ASK_FIRST if address == VOTERS[2] else "" for address in VOTERS[2:]}


def test_votes_do_not_refuse_one_another(voters: House) -> None:
    voters.open(VOTERS[0], "toy_nomination")
    threads = [Thread(target=cast, args=(voters, address, "yes", "toy_nomination")) for address in [*VOTERS[1:], OWNER]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(voters.rows(select(Mark.sequence))) == [1, 2, 3, 4, 5, 6]
    assert ballot(voters).version == 1


def test_a_club_has_its_letters_to_itself(voters: House) -> None:
    other = voters.found(slug="other", name="Other")
    with voters.db.read() as session:
        enter_club(session, other)
        assert session.execute(select(Letter)).scalars().all() == []
