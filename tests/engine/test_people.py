"""How an address becomes a person."""

from __future__ import annotations

import pytest

from engine.text.addresses import BadAddress, fold_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("lilei@qq.com", "lilei@qq.com"),
        ("  LiLei@QQ.com ", "lilei@qq.com"),
        ("ｌｉｌｅｉ＠ｑｑ．ｃｏｍ", "lilei@qq.com"),
        ("lilei@qq。com", "lilei@qq.com"),
        ("lilei@qq．com", "lilei@qq.com"),
        ("lilei@qq｡com", "lilei@qq.com"),
        ("<lilei@qq.com>", "lilei@qq.com"),
        ("１２３４５６＠ＱＱ．ＣＯＭ", "123456@qq.com"),
        ("li.lei+club@gmail.com", "li.lei+club@gmail.com"),
        ("li_lei-1@mail.example.org", "li_lei-1@mail.example.org"),
        (
            "lilei@例子.中国",
            "lilei@xn--fsqu00a.xn--fiqs8s",
        ),  # a server without SMTPUTF8 takes only this form
        (
            "lilei@XN--FSQU00A.xn--fiqs8s",
            "lilei@xn--fsqu00a.xn--fiqs8s",
        ),  # the same mailbox, so the same person
        ("lilei@münchen.de", "lilei@xn--mnchen-3ya.de"),
    ],
)
def test_an_address_is_folded_to_the_one_form_it_is_kept_in(typed: str, kept: str) -> None:
    assert fold_address(typed) == kept


@pytest.mark.parametrize(
    "junk",
    [
        "",
        " ",
        "lilei",
        "@qq.com",
        "lilei@",
        "lilei@qq",
        "a b@qq.com",
        "lilei@qq..com",
        "lilei@@qq.com",
        "李雷@qq.com",
        "a@b@qq.com",
        "lilei@qq.com,x@qq.com",
        "lilei@qq.com\nBcc: x@qq.com",
        "lilei@[127.0.0.1]",
        "lilei@-qq.com",
        "lilei@" + "x" * 250 + ".com",
        "lilei@localhost",
        "\x00@qq.com",
        '"li lei"@qq.com',
    ],
)
def test_what_no_mail_can_reach_is_refused_with_an_example(junk: str) -> None:
    with pytest.raises(BadAddress) as wrong:
        fold_address(junk)
    assert str(wrong.value) == "This does not look like an e-mail address. Example: lilei@qq.com"
