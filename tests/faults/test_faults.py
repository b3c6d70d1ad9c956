"""Each fault of the rig once: no letter is lost, none arrives twice unmarked, and it heals itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from engine.clock import machine_now
from engine.settings import MailServer
from engine.storage.database import enter_club
from engine.storage.models import Letter
from engine.storage.unit_of_work import ClubSession
from mailers.queue.worker import DeliveryWorker
from tests.club import LILEI, House
from tests.faults.crash import kill_worker_at
from tests.faults.proxy import Proxy
from tests.faults.smtp import FAULTS, Fault
from tests.mail import parse
from tests.mailers.scripted import Scripted
from tests.mailers.test_delivery import Standing
from tests.world import World


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.stop()


def worker(house: House, port: int) -> DeliveryWorker:
    server = MailServer("smtp", "127.0.0.1", port, "", "")
    return DeliveryWorker(house.db, house.composer, server, Standing(house))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.phase} {fault.name}")
def test_a_letter_outlives_each_fault_of_the_server(
    house: House, server: Scripted, fault: Fault
) -> None:
    house.apply()
    server.replies |= fault.replies
    post = worker(house, server.port)
    assert post.deliver() == 0
    [letter] = house.letters()
    assert (letter.state, letter.maybe_twice) == ("queued", fault.may_have_arrived)
    server.replies.clear()
    taken = len(server.mails)
    house.now += timedelta(hours=2)
    assert (post.deliver(), len(server.mails) - taken) == (1, 1)
    assert house.letters()[0].state == "sent"


@pytest.mark.parametrize("cut_after", [0, 20, 60, 100, 2_000])
def test_a_line_that_is_cut_anywhere_loses_nothing(
    house: House, server: Scripted, cut_after: int
) -> None:
    house.apply()
    proxy = Proxy(server.port, cut_after=cut_after)
    post = worker(house, proxy.port)
    assert post.deliver() == 0
    proxy.cut_after = None
    house.now += timedelta(hours=2)
    assert post.deliver() == 1
    proxy.stop()
    assert [letter.state for letter in house.letters()] == ["sent"]
    assert parse(server.mails[-1])["To"].addresses[0].addr_spec == LILEI


def test_a_slow_line_delivers_one_copy(house: House, server: Scripted) -> None:
    house.apply()
    proxy = Proxy(server.port, delay=0.05)
    assert worker(house, proxy.port).deliver() == 1
    proxy.stop()
    assert (len(server.mails), house.letters()[0].attempts) == (1, 1)


@pytest.mark.parametrize(("phase", "copies"), [("RCPT", 1), ("DOT", 2)])
def test_a_worker_that_is_killed_leaves_its_letter_to_the_next(
    world: World, serve: Callable[..., Scripted], phase: str, copies: int
) -> None:
    server = serve()
    world.apply()
    environment = world.same_data | {
        "JIUNIU_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "JIUNIU_MAIL_FROM": "Jiuniu <club@jiuniu.example>",
        "JIUNIU_CLOCK_FILE": str(world.folder / "clock-file"),
    }
    assert kill_worker_at(server, phase, environment) == -9

    def expire_leases(session: ClubSession) -> None:
        enter_club(session, world.club_id)
        session.execute(update(Letter).values(lease_until=machine_now() - timedelta(seconds=1)))

    world.service.db.write(expire_leases)
    world.tick()
    [row] = world.ledger(letter="join.confirm_address")
    assert (row["state"], row["maybe_twice"]) == ("sent", True)
    assert len(server.mails) + len(world.mails) == copies
