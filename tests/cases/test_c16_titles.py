"""A name that turns the text around it stays within itself, in a page's title too (case C16)."""

from __future__ import annotations

import pytest

from tests.world import World

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


def test_c16_a_name_turns_no_title_around(world: World) -> None:
    world.apply(name="李\u202e雷")
    world.open(world.mail("join.confirm_address")).press("confirm")
    title = world.open(world.mail("join.please_decide")).soup.title
    assert title is not None and "\u2068李\u202e雷\u2069" in title.text
