"""What a ballot decides, who has a vote, and who is reminded of it."""

from __future__ import annotations

from threading import Thread

import pytest
from sqlalchemy import select, update

from engine.cases.transitions import Invalid, NotAllowed, Stale
from engine.cases.votes import ballot_for, vote
from engine.declare.transition import Actor
from engine.reports.export import everything_about
from engine.scheduler import sweep
from engine.scheduler.reminders import ASK_FIRST
from engine.storage.database import enter_club
from engine.storage.models import Case, Club, Letter, Mark, Person
from engine.storage.states import PersonStatus
from engine.storage.unit_of_work import ClubSession
from tests.club import LATER, LILEI, OWNER, TAKEN, House
from tests.databases import Databases
from tests.engine import toys

pytestmark = pytest.mark.postgres


def cast(house: House, who: str, choice: str, workflow: str, **given: object) -> None:
    case_id, person_id = (
        house.rows(select(Case.id).where(Case.workflow == workflow))[0],
        house.person(who).id,
    )

    def unit(session: ClubSession) -> None:
        person = session.get_one(Person, (house.club_id, person_id))
        vote(
            session,
            session.get_one(Case, (house.club_id, case_id)),
            choice,
            by=Actor(person, "page"),
            now=house.now,
            **given,
        )  # type: ignore[arg-type]

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
    assert (ballot(topic).state, decided.action, decided.answers) == (
        "decided",
        "decided",
        {"count": {"option1": 1, "option2": 2}},
    )
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
        cast(topic, VOTERS[0], "option1", "toy_topic", seen_version=7)
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
def test_a_nomination_wants_more_yes_than_no_and_a_third_of_the_electors(
    voters: House, choices: list[str], ends: str
) -> None:
    voters.open(VOTERS[0], "toy_nomination")  # five others and the owner may vote
    assert ballot(voters).data["electors"] == 6
    for address, choice in zip(VOTERS[1:], choices, strict=False):
        cast(voters, address, choice, "toy_nomination")
    voters.tick(days=5)
    assert ballot(voters).state == ends


def leave(house: House, *addresses: str) -> None:
    def unit(session: ClubSession) -> None:
        for address in addresses:
            person = session.get_one(Person, (house.club_id, house.person(address).id))
            person.status = PersonStatus.DEPARTED

    house.write(unit)


@pytest.mark.parametrize(
    ("votes", "leavers", "ends", "count", "electors"),
    [
        # three of six electors left: one vote of three is a third
        ("yes - - - -", [1, 2, 3], "elected", {"yes": 1}, 3),
        # A7: two who voted yes left; their votes went with them
        ("yes yes yes no no", [0, 1], "rejected", {"yes": 1, "no": 2}, 4),
        # who voted no and left does not decide either
        ("yes no no - -", [1, 2], "too_few", {"yes": 1}, 4),
        # who left without a vote makes nobody's share smaller
        ("yes yes no - -", [3, 4], "elected", {"yes": 2, "no": 1}, 4),
    ],
)
def test_a6_a7_who_counts_is_one_set_of_electors(
    voters: House,
    votes: str,
    leavers: list[int],
    ends: str,
    count: dict[str, int],
    electors: int,
) -> None:
    """Six electors at the opening: five members and the owner, who does not vote here."""
    voters.open(VOTERS[0], "toy_nomination")
    for address, choice in zip(VOTERS[1:], votes.split(), strict=True):
        if choice != "-":
            cast(voters, address, choice, "toy_nomination")
    leave(voters, *(VOTERS[1:][number] for number in leavers))
    voters.tick(days=5)
    closed = ballot(voters)
    assert (closed.state, closed.data["electors"]) == (ends, electors)
    assert voters.events(closed)[-1].answers == {"count": count}


def test_a6_first_votes_that_left_do_not_decide(topic: House) -> None:
    """The first 20 votes decide: those of people who are still there."""
    before = ballot(topic).data["electors"]
    cast(topic, VOTERS[0], "option1", "toy_topic")
    leave(topic, VOTERS[0])
    topic.tick(days=5)
    assert (ballot(topic).state, ballot(topic).data["electors"]) == ("nobody_voted", before - 1)


def test_c13_an_open_choice_lies_nowhere_beside_its_voter(voters: House) -> None:
    """Two who chose alike leave different rows of one length; the own ballot shows the own choice."""
    voters.open(VOTERS[0], "toy_nomination")
    for address, choice in zip(VOTERS[1:4], ("yes", "yes", "no"), strict=True):
        cast(voters, address, choice, "toy_nomination")
    sealed = voters.rows(select(Mark.choice).order_by(Mark.sequence))
    assert (len(set(sealed)), len({len(text) for text in sealed})) == (3, 1)
    with voters.read() as session:
        case, person = ballot(voters), voters.person(VOTERS[3])
        seen = ballot_for(session, case, person)
    assert seen is not None
    assert (seen.mine, seen.cast, seen.electors) == ("no", 3, 6)
    with voters.read() as session:
        told = everything_about(
            session,
            session.get_one(Club, voters.club_id),
            session.get_one(Person, (voters.club_id, voters.person(VOTERS[0]).id)),
        )
    assert "ballot_key" not in str(told)


def test_a_secret_vote_may_be_changed_and_is_emptied_when_it_closes(voters: House) -> None:
    voters.open(VOTERS[0], "toy_nomination")
    cast(voters, VOTERS[1], "no", "toy_nomination")
    cast(voters, VOTERS[1], "yes", "toy_nomination")
    cast(voters, VOTERS[2], "yes", "toy_nomination")
    voters.tick(days=5)
    assert [
        (mark.choice, mark.sequence) for mark in voters.rows(select(Mark).order_by(Mark.sequence))
    ] == [("", 1), ("", 2)]
    assert voters.events(ballot(voters))[-1].answers == {"count": {"yes": 2}}


def test_the_one_concerned_does_not_vote(voters: House) -> None:
    voters.open(VOTERS[0], "toy_nomination")
    with pytest.raises(NotAllowed):
        cast(voters, VOTERS[0], "yes", "toy_nomination")


def test_who_came_after_the_vote_began_has_no_vote(voters: House) -> None:
    """A newcomer, one who was taken back in, one who brings an early joining date along from a
    list."""
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
    reminded = {
        letter.person_id: letter.answer for letter in voters.letters("nomination.vote_soon")
    }
    assert reminded == {
        voters.person(address).id: ASK_FIRST if address == VOTERS[2] else ""
        for address in VOTERS[2:]
    }


def test_votes_do_not_refuse_one_another(voters: House) -> None:
    voters.open(VOTERS[0], "toy_nomination")
    threads = [
        Thread(target=cast, args=(voters, address, "yes", "toy_nomination"))
        for address in [*VOTERS[1:], OWNER]
    ]
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


def test_electors_and_members_are_reminded_in_one_batch(
    voters: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The electors are reached by the same way as those who owe something themselves."""
    voters.join(LILEI)
    voters.hand_in(VOTERS[0], "nomination", {"why": "一", "plan": "二"})
    voters.press(OWNER, "approve", VOTERS[0], "nomination")
    voters.deliver()
    voted, owed = voters.case(VOTERS[0], "nomination"), voters.case(LILEI, "study_plan")
    monkeypatch.delattr(sweep, "remind_case")  # what looks at one case by itself
    voters.now = max(voted.wake_at, owed.wake_at)
    assert sweep.sweep(voters.db, voters.now) == 2
    reminded = [
        (letter.name, letter.person_id)
        for letter in voters.letters()
        if letter.name.endswith("_soon")
    ]
    electors = [*VOTERS[1:], LILEI]
    assert sorted(reminded) == sorted(
        [("study_plan.due_soon", voters.person(LILEI).id)]
        + [("nomination.vote_soon", voters.person(address).id) for address in electors]
    )
    assert voters.case(VOTERS[0], "nomination").wake_at == voted.due_at


def test_a_broken_ballot_backs_off_and_the_others_are_reminded(
    voters: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    voters.join(LILEI)
    voters.hand_in(VOTERS[0], "nomination", {"why": "一", "plan": "二"})
    voters.press(OWNER, "approve", VOTERS[0], "nomination")
    voters.deliver()
    voted, owed = voters.case(VOTERS[0], "nomination"), voters.case(LILEI, "study_plan")

    def broken(*args: object) -> None:
        raise LookupError("the electors cannot be counted")

    monkeypatch.setattr("engine.outbox.queue.still_asked", broken)
    voters.now = max(voted.wake_at, owed.wake_at)
    sweep.sweep(voters.db, voters.now)
    assert [letter.state for letter in voters.letters("study_plan.due_soon")] == ["queued"]
    after = voters.case(VOTERS[0], "nomination")
    assert (after.trouble, after.wake_at) == (
        "LookupError: the electors cannot be counted",
        voters.now + sweep.BACK_OFF,
    )
