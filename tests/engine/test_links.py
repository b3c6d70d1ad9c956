"""Links survive what mail programs do to them, and nothing else."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest

from engine.security.links import LIFE, SIGN_IN_LIFE, BadLink, Link, Links

MADE = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
LINKS = Links(["the present key of the club"], "https://club.example/")
LINK = Link("case", 2**62, 2**61 + 1, 7, 2**62 + 5, MADE)
TOKENS = [LINKS.token(Link("case", 1, 2, 1, target, MADE)) for target in range(300)]
ALPHABET = string.ascii_letters + string.digits + "-_."


@pytest.mark.parametrize("kind", ["case", "form", "me", "desk", "unsubscribe", "calendar"])
def test_a_token_reads_back_as_its_link(kind: str) -> None:
    link = Link(kind, 3, 4, 5, 6, MADE)  # type: ignore[arg-type]
    assert LINKS.read(LINKS.token(link)) == link


def test_a_token_fits_into_an_address_as_it_is() -> None:
    assert set(LINKS.token(LINK)) <= set(ALPHABET)
    assert LINKS.url("/c/x") == "https://club.example/c/x"


def test_one_character_changed_anywhere_is_no_link_of_ours() -> None:
    token = LINKS.token(LINK)
    for place in range(len(token)):
        for other in "A_q":
            changed = token[:place] + other + token[place + 1 :]
            if changed == token:
                continue
            with pytest.raises(BadLink):
                LINKS.read(changed)


def test_the_spare_bits_of_the_last_character_open_nothing() -> None:
    token = LINKS.token(LINK)
    read = [other for other in ALPHABET if _opens(token[:-1] + other)]
    assert read == [token[-1]]


def _opens(token: str) -> bool:
    try:
        return LINKS.read(token) == LINK
    except BadLink:
        return False


@pytest.mark.parametrize(
    "junk", ["", ".", "a.b", "中文", "A" * 5000, "../../etc/passwd", "\x00", "=3D"]
)
def test_junk_is_no_link_of_ours(junk: str) -> None:
    with pytest.raises(BadLink):
        LINKS.read(junk)


@pytest.mark.parametrize(
    "damage",
    [
        "{}>",
        "{}。",
        "{}.",
        "<{}>",
        "{} ",
        "\n{}",
        "=3D{}",
        "{}=",
        "{}）",
        "{}，",
        "“{}”",
        "{}\u200b",
        "{}]",
        "{}。）",
        "{}*",
        "{}_",
        "{}-",
        "{}%3E",
        "{}%2529",
        "{}%E3%80%82",
        "{}?do=approve",
        '{}">here',
        "{}&amp;from=mail",
        "{}，请尽快处理 thanks",
    ],
)
def test_what_mail_programs_add_is_healed(damage: str) -> None:
    assert {LINKS.read(damage.format(token)).target for token in TOKENS} == set(range(300))


def test_full_stops_and_underscores_that_a_forwarding_program_quoted_are_healed() -> None:
    for quoted in ("=2E", "=5F", "=2D"):
        assert [
            LINKS.read(token.replace(chr(int(quoted[1:], 16)), quoted)).target for token in TOKENS
        ] == list(range(300))


@pytest.mark.parametrize("breaking", ["=\r\n", "\n", "\r\n ", "=\n", " "])
def test_a_line_break_within_is_healed(breaking: str) -> None:
    assert [LINKS.read(token[:40] + breaking + token[40:]).target for token in TOKENS] == list(
        range(300)
    )


def test_an_old_link_lives_under_a_fallback_key_and_new_ones_use_the_first() -> None:
    old, new = (
        Links(["the old key of the club"], ""),
        Links(["the new key of the club", "the old key of the club"], ""),
    )
    assert new.read(old.token(LINK)) == LINK
    assert Links(["the new key of the club"], "").read(new.token(LINK)) == LINK
    with pytest.raises(BadLink):
        old.read(new.token(LINK))


@pytest.mark.parametrize(
    ("kind", "age", "expired"),
    [
        ("case", LIFE, False),
        ("case", LIFE + timedelta(seconds=1), True),
        ("form", LIFE + timedelta(days=1), True),
        ("me", LIFE, False),
        ("unsubscribe", LIFE + timedelta(days=1), True),
        ("calendar", timedelta(days=9999), False),
        ("desk", SIGN_IN_LIFE, False),
        ("desk", SIGN_IN_LIFE + timedelta(seconds=1), True),
    ],
)
def test_links_live_half_a_year_sign_ins_half_an_hour_calendars_as_long_as_the_epoch(
    kind: str, age: timedelta, expired: bool
) -> None:
    assert Link(kind, 1, 2, 3, 4, MADE).expired(MADE + age) is expired  # type: ignore[arg-type]
