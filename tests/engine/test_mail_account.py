"""The account that was set on a page: sealed, opened by older keys, bound to its server."""

from __future__ import annotations

import pytest

from engine.operations.mail_account import open_password, reencrypt, save_account, seal_password
from engine.security.encryption import CannotDecrypt, Encryption
from engine.settings import MailServer
from engine.storage.models import MailAccount
from mailers.smtp.reply import SmtpReply
from tests.club import House

pytestmark = pytest.mark.postgres

ACCOUNT = MailServer("smtps", "smtp.qq.com", 465, "club@qq.com", "授权码-code")
OLD, NEW = "the-older-key-of-this-place", "the-newer-key-of-this-place"


def test_a_sealed_text_opens_with_each_key_and_with_no_other() -> None:
    sealed = Encryption([OLD]).encrypt("code")
    assert b"code" not in sealed
    assert Encryption([NEW, OLD]).decrypt(sealed) == "code"
    assert Encryption([OLD]).encrypt("code") != sealed  # equal secrets do not look equal
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for seal, text in (
        (Encryption([NEW]), sealed),
        (Encryption([OLD]), damaged),
        (Encryption([OLD]), b""),
    ):
        with pytest.raises(CannotDecrypt):
            seal.decrypt(text)


def test_after_a_new_key_the_password_is_closed_with_it(house: House) -> None:
    """So the old key may be dropped later. One that no key opens stays as it is."""
    house.db.write(save_account, Encryption([OLD]), ACCOUNT, sender="club@qq.com", now=house.now)
    house.db.write(reencrypt, Encryption([NEW]))
    house.db.write(reencrypt, Encryption([NEW, OLD]))
    with house.db.read() as session:
        [kept] = session.query(MailAccount)
    assert (
        open_password(Encryption([NEW]), kept.secret, host="smtp.qq.com", user="club@qq.com")
        == ACCOUNT.password
    )


@pytest.mark.parametrize(
    ("host", "user"), [("smtp.163.com", "club@qq.com"), ("smtp.qq.com", "other@qq.com")]
)
def test_a_password_opens_for_its_server_and_login_alone(host: str, user: str) -> None:
    seal = Encryption([OLD])
    sealed = seal_password(seal, ACCOUNT)
    assert open_password(seal, sealed, host="smtp.qq.com", user="club@qq.com") == "授权码-code"
    with pytest.raises(CannotDecrypt):
        open_password(seal, sealed, host=host, user=user)


def test_a_new_account_takes_the_old_one_s_place(house: House) -> None:
    seal = Encryption([OLD])
    other = MailServer("smtp", "127.0.0.1", 25)
    house.db.write(save_account, seal, ACCOUNT, sender="club@qq.com", now=house.now)
    house.db.write(save_account, seal, other, sender="club@jiuniu.example", now=house.now)
    with house.db.read() as session:
        assert [row.host for row in session.query(MailAccount)] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("answer", "stays"),
    [(SmtpReply("recipient", 451, "later"), False), (SmtpReply("dot", 0, "TimeoutError"), True)],
    ids=["refused", "maybe sent"],
)
def test_a_letter_that_was_refused_is_composed_anew_with_the_new_sender(
    house: House, answer: SmtpReply, stays: bool
) -> None:
    """One that may have arrived keeps its bytes: a second copy is to be the same."""
    house.apply()
    [claimed] = house.claim()
    frozen = house.freeze(claimed)
    assert frozen is not None
    house.settle(claimed, answer)
    house.db.write(save_account, Encryption([OLD]), ACCOUNT, sender="club@qq.com", now=house.now)
    assert [letter.bytes for letter in house.letters()] == [frozen.content if stays else None]
