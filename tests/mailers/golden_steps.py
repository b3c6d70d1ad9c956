"""The steps of the golden letters' stories, and their shared beginnings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.club import LILEI, PLAN, House

Story = Callable[[House], None]
Stories = dict[str, tuple[Story, str]]
"""Letter and variant (``flow.letter+variant``): how it came to it, and who reads it."""


def then(story: Story, *steps: Callable[[House], object]) -> Story:
    def told(house: House) -> None:
        story(house)
        for step in steps:
            step(house)

    return told


def wait(**span: float) -> Story:
    return lambda house: house.tick(**span)


def press(who: str, action: str, workflow: str, about: str = LILEI, **given: object) -> Story:
    return lambda house: house.press(who, action, about, workflow, **given)


def send(house: House) -> None:
    house.deliver()


def confirmed(house: House) -> None:
    house.apply()
    house.press(LILEI, "confirm")


def joined(house: House) -> None:
    house.join()


def handed_in(house: House) -> None:
    joined(house)
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)


def overdue(house: House) -> None:
    joined(house)
    house.deliver()
    house.now += timedelta(days=3, hours=15)  # past 24:00 of the third day
    house.tick()
