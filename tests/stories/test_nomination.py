"""The nomination of a member as admin (clause 7.2), told end to end through HTTP and SMTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.storage.models import Event, Mark
from tests.world import World

LILEI, OWNER = "lilei@qq.com", "owner@qq.com"
ELECTORS = ("a@qq.com", "b@qq.com", "c@qq.com", "d@qq.com", "e@qq.com", "f@qq.com")
PLAN = {"why": "我愿意多做一点。", "plan": "每周四主持讨论。"}


@pytest.fixture
def club(world: World) -> World:
    """Li Lei and six other members."""
    world.add_member(LILEI, "李雷")
    for address in ELECTORS:
        world.add_member(
            address, f"成员{address[0]}", role="admin" if address == "f@qq.com" else "member"
        )
    return world


@pytest.fixture
def voting(club: World) -> World:
    """The owner agreed; the members vote."""
    club.press_as_a_person(club.form_page("nomination", LILEI), **PLAN)
    club.open(club.mail("nomination.please_decide", OWNER)).press("approve")
    club.tick()
    return club


def vote(world: World, address: str, choice: str) -> None:
    world.open(world.mail("nomination.please_vote", address)).press("vote", choice=choice)


def close(world: World) -> None:
    world.new_mails()
    world.live_until(world.now + timedelta(days=4, hours=12), step=timedelta(hours=6))


def heard(world: World, letter: str) -> list[str]:
    return sorted(mail.to for mail in world.mails if mail.letter == letter)


def test_where_no_other_member_may_vote_the_owners_decision_stands(world: World) -> None:
    world.add_member(LILEI, "李雷")
    world.press_as_a_person(world.form_page("nomination", LILEI), **PLAN)
    world.open(world.mail("nomination.please_decide", OWNER)).press("approve")
    assert world.case("nomination", LILEI).state == "elected"
    assert heard(world, "nomination.vote_begun") == []
    assert "群主的同意就算数" in world.mail("nomination.elected", LILEI).text


@pytest.mark.postgres
def test_two_gates_lead_to_the_office(voting: World) -> None:
    assert heard(voting, "nomination.please_vote") == list(
        ELECTORS
    )  # neither the candidate nor the owner
    asked = voting.mail("nomination.please_vote", "a@qq.com").message
    assert (
        asked["Reply-To"].addresses[0].addr_spec == OWNER
    )  # the candidate's address does not go round the club
    for address in ELECTORS[:4]:
        vote(voting, address, "yes")
    vote(voting, ELECTORS[4], "no")
    close(voting)
    case = voting.case("nomination", LILEI)
    assert (case.state, voting.person(LILEI).role) == ("elected", "admin")
    assert heard(voting, "nomination.elected") == sorted([*ELECTORS, LILEI, OWNER])
    assert heard(voting, "nomination.vote_soon") == [
        "f@qq.com"
    ]  # only who had not voted is reminded
    story = voting.rows(
        select(Event.to_state).where(Event.case_id == case.id).order_by(Event.version)
    )
    assert story == ["review", "vote", "elected"]  # one record through both gates


@pytest.mark.postgres
def test_the_vote_is_secret_and_a_mind_may_be_changed(voting: World) -> None:
    vote(voting, "a@qq.com", "no")
    vote(voting, "a@qq.com", "yes")
    vote(voting, "b@qq.com", "yes")
    case = voting.case("nomination", LILEI)
    sealed = voting.rows(select(Mark.choice).where(Mark.case_id == case.id))
    assert (len(sealed), {len(choice) for choice in sealed} & {0, 2, 3}) == (2, set())
    assert "ballot_key" in case.data and "ballot_key" not in voting.mails[-1].text
    assert voting.rows(
        select(Event.action).where(Event.case_id == case.id).order_by(Event.version)
    ) == [
        "open",
        "approve",
    ]  # a vote is in no event
    close(voting)
    assert voting.rows(select(Mark.choice).where(Mark.case_id == case.id)) == ["", ""]
    assert "ballot_key" not in voting.case("nomination", LILEI).data
    closing = voting.rows(
        select(Event).where(Event.case_id == case.id).order_by(Event.version.desc())
    )[0]
    assert (closing.to_state, closing.answers) == ("elected", {"count": {"yes": 2}})


@pytest.mark.parametrize(
    ("votes", "state", "says"),
    [
        ("yes no", "rejected", "票数相同"),
        ("yes no no", "rejected", "反对"),
        ("yes", "too_few", "参加的人太少"),
    ],
    ids=["tie", "more no", "too few"],
)
def test_not_elected_and_told_which(voting: World, votes: str, state: str, says: str) -> None:
    for address, choice in zip(ELECTORS, votes.split(), strict=False):
        vote(voting, address, choice)
    close(voting)
    assert (voting.case("nomination", LILEI).state, voting.person(LILEI).role) == (state, "member")
    assert heard(voting, "nomination.not_elected") == sorted([*ELECTORS, LILEI, OWNER])
    assert says in voting.mail("nomination.not_elected", LILEI).text


def test_who_may_not_vote_sees_no_ballot(voting: World) -> None:
    voting.join(email="late@qq.com", name="来晚")
    page = voting.open(voting.mail("nomination.vote_begun", LILEI))
    assert page.actions == ["withdraw"]
    assert page.forge("vote", choice="yes").status == 403
    decided = voting.open(voting.mail("nomination.please_decide", OWNER))
    assert "vote" not in decided.actions
    assert voting.rows(select(Mark)) == []


def test_a_ballot_without_a_choice_says_so(voting: World) -> None:
    page = voting.open(voting.mail("nomination.please_vote", "a@qq.com")).press("vote")
    assert (page.status, "请从中选一项" in page.text) == (422, True)


def test_the_owner_declines_and_the_member_is_told_why(club: World) -> None:
    club.press_as_a_person(club.form_page("nomination", LILEI), **PLAN)
    club.open(club.mail("nomination.please_decide", OWNER)).press(
        "decline", note="先参加一个学期。"
    )
    assert "先参加一个学期" in club.mail("nomination.declined", LILEI).text
    assert heard(club, "nomination.please_vote") == []


def test_a_candidate_steps_back_during_the_vote_and_the_ballots_links_say_so(voting: World) -> None:
    ballot = voting.mail("nomination.please_vote", "a@qq.com")
    vote(voting, "b@qq.com", "no")
    voting.open(voting.mail("nomination.vote_begun", LILEI)).press("withdraw")
    page = voting.open(ballot)
    assert (page.status, page.actions, voting.case("nomination", LILEI).state) == (
        200,
        [],
        "withdrawn",
    )
    assert "已撤回" in page.text
    assert voting.rows(select(Mark.choice)) == [
        ""
    ]  # what was secret stays so, however the vote ends


def test_a_late_vote_is_told_how_it_ended(voting: World) -> None:
    page = voting.open(voting.mail("nomination.please_vote", "a@qq.com"))
    for address in ELECTORS[1:]:
        vote(voting, address, "yes")
    close(voting)
    late = page.press("vote", choice="no")
    assert (late.status, "当选" in late.text) == (409, True)
    assert voting.person(LILEI).role == "admin"


def test_who_votes_reads_the_plan_but_not_what_owner_and_candidate_wrote_to_each_other(
    club: World,
) -> None:
    club.press_as_a_person(club.form_page("nomination", LILEI), **PLAN)
    club.open(club.mail("nomination.please_decide", OWNER)).press("return", note="只写给你看的话。")
    club.open(club.mail("nomination.please_revise", LILEI)).press(
        "resubmit", why="想得更清楚了。", plan="每周四主持讨论。"
    )
    club.open(club.mail("nomination.please_decide", OWNER)).press("approve", note="也只写给你看。")
    ballot = club.open(club.mail("nomination.please_vote", "a@qq.com")).text
    assert ("想得更清楚了" in ballot, "写给你看" in ballot, PLAN["why"] in ballot) == (
        True,
        False,
        False,
    )
    assert "只写给你看的话" in club.open(club.mail("nomination.vote_begun", LILEI)).text


def test_an_admin_from_before_lays_the_office_down(world: World) -> None:
    desk = world.sign_in(OWNER)
    data = "姓名,邮箱,城市,角色\n林涛,lintao@qq.com,成都,管理员\n周敏,zhoumin@qq.com,南京,管理员\n"
    desk.get("/jiuniu/desk/members").press("check", cells=data).press("import")
    page = world.open(world.mail("club.imported", "lintao@qq.com").link("/me/"))
    office = next(str(a["href"]) for a in page.soup.select("a.row-link") if "自荐" in a.text)
    world.browser().get(office).press("step_down")
    assert world.person("lintao@qq.com").role == "member"
    other = next(
        str(a["href"])
        for a in desk.get("/jiuniu/desk/offices").soup.select("a.row-link")
        if "周敏" in a.text
    )
    desk.get(other).press("dismiss", note="名单有误。")
    assert world.person("zhoumin@qq.com").role == "member"


def test_an_admin_steps_down(voting: World) -> None:
    for address in ELECTORS:
        vote(voting, address, "yes")
    close(voting)
    voting.open(voting.mail("nomination.elected", LILEI)).press("step_down", note="要考试了。")
    assert (voting.case("nomination", LILEI).state, voting.person(LILEI).role) == (
        "stepped_down",
        "member",
    )
    assert "要考试了" in voting.mail("nomination.stepped_down", OWNER).text
    assert voting.open(voting.mail("nomination.elected", LILEI)).actions == []


def test_the_owner_dismisses_an_admin_with_a_reason(voting: World) -> None:
    for address in ELECTORS:
        vote(voting, address, "yes")
    close(voting)
    page = voting.open(voting.mail("nomination.please_decide", OWNER))
    assert page.press("dismiss").status == 422
    page.press("dismiss", note="三个月没有主持。")
    assert voting.person(LILEI).role == "member"
    assert "三个月没有主持" in voting.mail("nomination.dismissed", LILEI).text


def test_admins_and_owner_are_not_offered_the_form(club: World) -> None:
    for officer in ("f@qq.com", OWNER):
        club.press_as_a_person(club.browser().get("/jiuniu/nomination"), email=officer)
        assert not [
            link for link in club.mail("nomination.your_link", officer).links if "/c/" in link
        ]


def test_the_same_form_twice_is_one_nomination(club: World) -> None:
    page = club.form_page("nomination", LILEI)
    data = page.fields() | PLAN
    answers = [page.browser.post(page.response.url, data) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert len(club.ledger(letter="nomination.please_decide")) == 1
    assert "自荐" in club.form_page("nomination", LILEI).text


def test_a_voter_sees_no_preview_of_what_was_written_to_the_candidate(club: World) -> None:
    club.press_as_a_person(club.form_page("nomination", LILEI), **PLAN)
    club.open(club.mail("nomination.please_decide", OWNER)).press(
        "approve", note="说话请再慢一点。"
    )
    page = club.open(club.mail("nomination.please_vote", "a@qq.com"))
    for action in ("vote", "save", "discard", "withdraw"):
        seen = page.browser.post(
            page.response.url, page.fields("vote") | {"preview": action, "choice": "yes"}
        )
        assert (seen.status, "说话请再慢一点" in seen.response.text) == (403, False)
    assert club.rows(select(Mark.choice)) == []
