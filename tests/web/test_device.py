"""What a browser says it is, as its owner would call it."""

from __future__ import annotations

import pytest

from web.labels.user_agent import device_words

MOBILE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
TABLE = [
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {MOBILE} Mobile/15E148 MicroMessenger/8.0.42",
        ("iPhone", "WeChat"),
    ),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {MOBILE} Version/17.0 Mobile/15E148 Safari/604.1",
        ("iPhone", "Safari"),
    ),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {MOBILE} CriOS/120.0 Mobile/15E148 Safari/604.1",
        ("iPhone", "Chrome"),
    ),
    (
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
        ("Android", "Chrome"),
    ),
    (
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 QQ/8.9",
        ("Android", "QQ"),
    ),
    (
        "Mozilla/5.0 (Linux; U; Android 12) AppleWebKit/537.36 MQQBrowser/13 Mobile Safari/537.36",
        ("Android", "QQ Browser"),
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0",
        ("Windows", "Edge"),
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:120.0) Gecko/20100101 Firefox/120.0",
        ("Mac", "Firefox"),
    ),
    ("Mozilla/5.0 (X11; Linux x86_64)", ("Linux", "browser")),
    ("python-requests/2.32", ("", "python-requests")),
    ("", ("an unknown device", "")),
    ("<script>alert(1)</script>", ("an unknown device", "")),
]


@pytest.mark.parametrize(("agent", "words"), TABLE)
def test_a_browser_is_known_again(agent: str, words: tuple[str, str]) -> None:
    assert device_words(agent) == words
