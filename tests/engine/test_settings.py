"""Settings: what is wrong is named in one line that begins with its variable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from engine.settings import MailServer, Settings, SettingsError, is_loopback, load


def settings(folder: Path, **given: str) -> Settings:
    return load({"JIUNIU_DATA_DIR": str(folder)} | given)


def test_without_any_setting_it_is_a_club_on_this_machine(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found == Settings(
        data_dir=tmp_path,
        base_url="http://127.0.0.1:8000",
        secret_keys=((tmp_path / "secret-key").read_text(),),
        database_url=f"sqlite:///{tmp_path / 'jiuniu.sqlite'}",
        mail_server=None,
        mail_from="Jiuniu <jiuniu@localhost>",
        host="127.0.0.1",
        port=8000,
        trusted_proxies=0,
        clock_file=None,
        rate_limits=True,
    )
    assert found.is_local and found.built_in_mailbox


WRONG = [
    ("JIUNIU_HOST", "not a host"),
    ("JIUNIU_PORT", "http"),
    ("JIUNIU_PORT", "0"),
    ("JIUNIU_PORT", "65536"),
    ("JIUNIU_PORT", "８０００"),
    ("JIUNIU_PORT", "-1"),
    ("JIUNIU_PORT", "80.0"),
    ("JIUNIU_TRUSTED_PROXIES", "yes"),
    ("JIUNIU_TRUSTED_PROXIES", "11"),
    ("JIUNIU_RATE_LIMITS", "no"),
    ("JIUNIU_RATE_LIMITS", "ON"),
    ("JIUNIU_BASE_URL", "club.example"),
    ("JIUNIU_BASE_URL", "ftp://club.example"),
    ("JIUNIU_BASE_URL", "https://"),
    ("JIUNIU_BASE_URL", "https://club.example:x"),
    ("JIUNIU_BASE_URL", "https://club.example?x=1"),
    ("JIUNIU_BASE_URL", "https://me@club.example"),
    ("JIUNIU_BASE_URL", "https://club.example#x"),
    ("JIUNIU_BASE_URL", "http://club.example"),
    ("JIUNIU_BASE_URL", "http://8.8.8.8"),
    ("JIUNIU_BASE_URL", "https://club .example"),
    ("JIUNIU_SECRET_KEY", "short"),
    ("JIUNIU_DATABASE_URL", "mysql://x/y"),
    ("JIUNIU_DATABASE_URL", "nonsense"),
    ("JIUNIU_DATABASE_URL", "postgres://x/y"),
    ("JIUNIU_DATABASE_URL", "postgresql://"),
    ("JIUNIU_DATABASE_URL", "postgresql://host"),
    ("JIUNIU_DATABASE_URL", "postgresql+psycopg2://x/y"),
    ("JIUNIU_SMTP_URL", "smtp.qq.com"),
    ("JIUNIU_SMTP_URL", "http://smtp.qq.com"),
    ("JIUNIU_SMTP_URL", "smtps://"),
    ("JIUNIU_SMTP_URL", "smtps://smtp.qq.com:x"),
    ("JIUNIU_SMTP_URL", "smtps://smtp.qq.com:99999"),
    ("JIUNIU_SMTP_URL", "smtps://club@smtp.qq.com"),
    ("JIUNIU_SMTP_URL", "smtps://smtp.qq.com/x"),
    ("JIUNIU_SMTP_URL", "smtps://smtp.qq.com?x"),
    ("JIUNIU_MAIL_FROM", "club"),
    ("JIUNIU_MAIL_FROM", "Club <club@>"),
    ("JIUNIU_MAIL_FROM", "<>"),
    ("JIUNIU_SECRET_KEY_FILE", "/nowhere/key"),
    ("JIUNIU_SMTP_URL_FILE", "/nowhere/url"),
    ("JIUNIU_DATA_DIR", "/dev/null/x"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_one_line_that_begins_with_its_variable(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        settings(tmp_path, **{name: value})
    assert str(wrong.value).startswith(name + ": ")
    assert "\n" not in str(wrong.value)


SERVER = "postgresql://club:word@db.example/jiuniu"


def test_a_database_server_wants_the_key_that_every_host_has(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError,
        match=r"^JIUNIU_SECRET_KEY: must be set with a database server, the same on every host$",
    ):
        settings(tmp_path, JIUNIU_DATABASE_URL=SERVER)
    assert not (tmp_path / "secret-key").exists()
    key = "a-key-of-many-letters"
    assert settings(tmp_path, JIUNIU_DATABASE_URL=SERVER, JIUNIU_SECRET_KEY=key).secret_keys == (
        key,
    )
    local = "postgresql:///jiuniu?host=/run/postgresql"
    assert (
        settings(tmp_path, JIUNIU_DATABASE_URL=local, JIUNIU_SECRET_KEY=key).database_url == local
    )


def test_without_the_driver_of_postgresql_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        SettingsError,
        match=r"^JIUNIU_DATABASE_URL: psycopg is missing; .*requirements-postgresql.txt$",
    ):
        settings(tmp_path, JIUNIU_DATABASE_URL=SERVER, JIUNIU_SECRET_KEY="a-key-of-many-letters")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://club.example/", "https://club.example"),
        ("https://club.example/a/b", "https://club.example/a/b"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost", "http://localhost"),
        ("http://192.168.1.5:8000", "http://192.168.1.5:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://box.local", "http://box.local"),
    ],
)
def test_https_is_a_must_but_for_loopback_and_private_addresses(
    tmp_path: Path, text: str, url: str
) -> None:
    assert settings(tmp_path, JIUNIU_BASE_URL=text).base_url == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("192.168.1.5", "http://192.168.1.5:8000"),
    ],
)
def test_without_a_base_url_it_follows_from_host_and_port(
    tmp_path: Path, host: str, url: str
) -> None:
    assert settings(tmp_path, JIUNIU_HOST=host).base_url == url


def test_a_variable_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key from a secrets folder\n")
    found = settings(
        tmp_path,
        JIUNIU_SECRET_KEY_FILE=str(tmp_path / "key"),
        JIUNIU_SECRET_KEY="the key beside it, not used",
    )
    assert found.secret_keys == ("a key from a secrets folder",)


def test_the_clock_file_is_a_file_of_its_own(tmp_path: Path) -> None:
    assert (
        settings(tmp_path, JIUNIU_CLOCK_FILE=str(tmp_path / "clock")).clock_file
        == tmp_path / "clock"
    )


def test_a_secret_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = settings(tmp_path), settings(tmp_path)
    assert first.secret_keys == second.secret_keys
    assert len(first.secret_keys[0]) == 64
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_file_is_told_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("")
    with pytest.raises(
        SettingsError, match=r"^JIUNIU_SECRET_KEY: .*secret-key is empty or damaged"
    ):
        settings(tmp_path)


def test_a_key_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    key = tmp_path / "secret-key"
    key.write_bytes(b"\xff\xfe" * 40)
    with pytest.raises(
        SettingsError, match=r"^JIUNIU_SECRET_KEY: .*secret-key is empty or damaged"
    ):
        settings(tmp_path)
    key.unlink()
    key.mkdir()
    with pytest.raises(
        SettingsError, match=r"^JIUNIU_SECRET_KEY: .*secret-key cannot be read by this account"
    ):
        settings(tmp_path)


def test_a_key_that_is_younger_than_its_database_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings(tmp_path)
    assert caplog.messages == []
    (tmp_path / "jiuniu.sqlite").write_bytes(b"rows")
    (tmp_path / "secret-key").unlink()
    settings(tmp_path)
    settings(tmp_path)
    assert [message.partition(": ")[0] for message in caplog.messages] == [
        f"{tmp_path}/secret-key was missing and is made anew"
    ]


def test_a_folder_that_an_address_of_a_database_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"^JIUNIU_DATA_DIR: takes a folder without a question mark"
    ):
        settings(tmp_path / "why?")
    assert (
        settings(tmp_path / "数据 #%41").database_url
        == f"sqlite:///{tmp_path}/数据 #%41/jiuniu.sqlite"
    )


def test_with_a_database_server_the_key_must_be_set(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"^JIUNIU_SECRET_KEY: must be set with a database server"
    ):
        settings(tmp_path, JIUNIU_DATABASE_URL="postgresql://club@db/club")


def test_fallback_keys_follow_the_key(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        JIUNIU_SECRET_KEY="the present key, long",
        JIUNIU_SECRET_KEY_FALLBACKS="one-that-was-before, one-that-was-older",
    )
    assert found.secret_keys == (
        "the present key, long",
        "one-that-was-before",
        "one-that-was-older",
    )


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.lan", MailServer("smtp", "mail.lan", 25)),
        (
            "smtps://club%40qq.com:p%3A%2F@smtp.qq.com",
            MailServer("smtps", "smtp.qq.com", 465, "club@qq.com", "p:/"),
        ),
        (
            "smtp+starttls://a:b@mail.example:2525/",
            MailServer("smtp+starttls", "mail.example", 2525, "a", "b"),
        ),
    ],
)
def test_a_mail_server_is_read_from_its_address(
    tmp_path: Path, url: str, server: MailServer
) -> None:
    assert (
        settings(tmp_path, JIUNIU_SMTP_URL=url, JIUNIU_MAIL_FROM="九牛 <club@qq.com>").mail_server
        == server
    )


@pytest.mark.parametrize(
    ("login", "sender", "fine"),
    [
        ("club%40qq.com", "九牛 <club@qq.com>", True),
        ("Club%40QQ.com", "club@qq.com", True),
        ("club%40qq.com", "九牛 <other@qq.com>", False),
        ("club%40163.com", "club@jiuniu.example", False),
        ("club%40jiuniu.example", "post@jiuniu.example", True),
    ],
)
def test_qq_and_163_take_no_sender_but_the_login(
    tmp_path: Path, login: str, sender: str, fine: bool
) -> None:
    given: dict[str, Any] = {
        "JIUNIU_SMTP_URL": f"smtps://{login}:secret@smtp.example",
        "JIUNIU_MAIL_FROM": sender,
    }
    if fine:
        assert settings(tmp_path, **given).mail_from == sender
        return
    with pytest.raises(
        SettingsError, match=r"^JIUNIU_MAIL_FROM: this provider wants the login as sender: club@"
    ):
        settings(tmp_path, **given)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("club.example", False),
    ],
)
def test_loopback_is_told_from_everything_else(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_the_built_in_mailbox_shows_itself_only_where_everything_is_local(tmp_path: Path) -> None:
    assert not settings(tmp_path, JIUNIU_BASE_URL="https://club.example").built_in_mailbox
    assert not settings(tmp_path, JIUNIU_HOST="0.0.0.0").built_in_mailbox
    assert not settings(tmp_path, JIUNIU_SMTP_URL="smtp://mail.lan").built_in_mailbox
