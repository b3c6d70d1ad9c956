"""The club's life as a state machine.

People press, time passes, the post works or does not, processes die; the invariants hold.
``HYPOTHESIS_PROFILE=long`` looks longer.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.club import ADMIN, House
from tests.databases import databases
from tests.engine.machine_case_acts import CaseActs
from tests.engine.machine_club import AT_THE_START, PEOPLE, READER
from tests.engine.machine_club_acts import ClubActs


class ClubLife(CaseActs, ClubActs):
    """Acts, time and post are the rules; what must hold stands in ``machine_invariants``."""

    kind = "sqlite"

    @initialize(
        members=st.integers(0, 3),
        told=st.booleans(),
        begun=st.sampled_from(["", "", "vote", "vote", "removal"]),
    )
    def begin(self, members: int, told: bool, begun: str) -> None:
        """Some have joined already, and something is under way, so that a short story gets
        somewhere."""
        self.house = House(databases(self.kind), "machine")
        self.house.add(ADMIN, "小助", role="admin")
        self.house.add(READER, "书虫")
        self.from_the_start = {self.house.person(address).id for address in AT_THE_START}
        self.heard = set()
        self.ballots = {}
        self.forms = Counter()
        self.own_forms = 0
        self.went_back = False
        self.applied = {}
        self.dues = {}
        self.judged = set()
        self.accepted = Counter()
        self.bytes = {}
        for who in PEOPLE[:members]:
            self.forms[who] += 1
            self.house.join(who, f"{who}-1")
            self.remember_application(who)
        if told:
            self.the_post_works()
        if begun == "vote":
            self.stand_for_admin(READER)
        elif begun == "removal":
            self.wait_for_a_proposal()

    def wait_for_a_proposal(self) -> None:
        """Nobody hands anything in, and the post works."""
        for _ in range(40):
            if any(case.state == "removal_proposed" for case in self.cases()):
                return
            self.the_next_moment_comes(posts=True)
            self.look()

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.end()


class ClubLifeOnPostgres(ClubLife):
    """The same life, on the other database."""

    kind = "postgresql"


TestClubLife = pytest.mark.slow(ClubLife.TestCase)
TestClubLifeOnPostgres = pytest.mark.slow(ClubLifeOnPostgres.TestCase)
