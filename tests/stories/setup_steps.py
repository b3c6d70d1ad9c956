"""The steps of a set-up as a person takes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from engine.setup.first_club import setup_code
from engine.storage.models import Club
from tests.page import Browser, Page
from tests.world import World

SECRET = "abcdefghijklmnop"
YOU = {"name": "九牛读书会", "owner_name": "陈老师", "owner_email": "owner@qq.com"}


def code_of(world: World) -> str:
    return setup_code(world.service.settings.secret_keys)


def enter(world: World, browser: Browser | None = None) -> Page:
    """The first step, behind the code."""
    return (browser or world.browser()).get("/setup").press("code", code=code_of(world))


def own(port: int, **typed: str) -> dict[str, str]:
    return {
        "address": "club@jiuniu.example",
        "host": "127.0.0.1",
        "security": "smtp",
        "port": str(port),
        "password": SECRET,
    } | typed


def to_mail(world: World, browser: Browser | None = None, **typed: str) -> Page:
    """At the mail step, an own server chosen."""
    page = enter(world, browser).press(**(YOU | typed)).press()
    return page.browser.get("/setup/mail?provider=own")


def to_check(world: World, port: int) -> Page:
    return to_mail(world).press("next", **own(port))


def count(world: World, what: Any) -> int:
    with world.service.db.read() as session:
        return session.execute(select(func.count()).select_from(what)).scalar_one()


def at_home(world: World) -> None:
    """Tell the world which club its helpers act in."""
    with world.service.db.read() as session:
        club = session.execute(select(Club)).scalar_one()
        world.slug, world.club_id = club.slug, club.id
