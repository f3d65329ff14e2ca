"""E-mail addresses that mails are sent to."""

import pytest

from shared.identity.mail_address import mail_address, mailable


@pytest.mark.parametrize(
    ("address", "prepared"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada+id.x@mail.example.org", "ada+id.x@mail.example.org"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_an_address_is_prepared(address: str, prepared: str) -> None:
    """Its domain in ASCII."""
    assert mailable(address) == prepared


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example.org, eve@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\n",
        "a b@example.org",
        "<ada@example.org>",
        "ada@eve@example.org",
        '"ada"@example.org',
        "ada@exa_mple..org",
        "ada@example.org\u202e",
        f"{'a' * 65}@example.org",
        f"a@{'b' * 64}.org",
        "a@" + ".".join(["b" * 60] * 5),
    ],
)
def test_what_is_not_one_address_gets_no_mail(address: str) -> None:
    """Nor does what would end a header field, or name two people."""
    assert mailable(address) is None


def test_an_address_that_may_be_somebody_elses_gets_none() -> None:
    """If it is marked unverified; without a mark an operator has given it."""
    assert mail_address({"email": "ada@example.org"}) == "ada@example.org"
    assert mail_address({"email": "ada@example.org", "email_verified": True}) == "ada@example.org"
    assert mail_address({"email": "ada@example.org", "email_verified": False}) is None
    assert mail_address({}) is None
    assert mail_address({"email": 1}) is None
