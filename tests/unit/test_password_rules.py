"""Which passwords may be set: long enough, not the first that attackers try, nothing else."""

import pytest

from shared.identity.common_passwords import COMMON_PASSWORDS
from shared.identity.password_rules import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    MIN_SINGLE_FACTOR,
    least_length,
    password_fault,
    password_forms,
    prepared_password,
)
from tests.planted import planted
from tests.planted.passwords import knows_no_common_passwords


@pytest.mark.parametrize(
    "password",
    [
        "gjwmqzvt",
        "correct horse battery staple",
        "a" * 20 + "bcd" + "e" * 20,
        "пароль от почты",
        "\u30d1\u30b9\u30ef\u30fc\u30c9\u3092\u5fd8\u308c\u305f",
        " spaces at both ends ",
        "\U0001f40e\U0001f50b\U0001f4ce and 4",
        "x1y2" * (MAX_PASSWORD // 4),
    ],
)
def test_no_kind_of_character_is_demanded_or_forbidden(password: str) -> None:
    """NIST SP 800-63B-4 §3.1.1.2: letters of any script, spaces and pictures, up to a thousand."""
    assert password_fault(password, MIN_PASSWORD, ("ada", "ada@example.org")) is None


@pytest.mark.parametrize("password", ["", "x1y2z3", "x" * (MIN_PASSWORD - 1), "abcd" * 256 + "e"])
def test_length(password: str) -> None:
    """Counted in characters, however many bytes they are."""
    assert password_fault(password, MIN_PASSWORD) == "length"


@pytest.mark.parametrize(("needs_second_factor", "least"), [(True, MIN_PASSWORD), (False, MIN_SINGLE_FACTOR)])
def test_a_password_that_signs_in_alone_is_longer(*, needs_second_factor: bool, least: int) -> None:
    """NIST SP 800-63B-4 §3.1.1.2: 15 characters, or 8 beside a second factor."""
    assert least_length(needs_second_factor=needs_second_factor) == least
    password = "gjwmqzvt xkcdrhb"
    assert password_fault(password[:least], least) is None
    assert password_fault(password[: least - 1], least) == "length"


def test_length_is_counted_after_normalization() -> None:
    """Otherwise one keyboard could type a password that another cannot."""
    decomposed = "e\u0301e\u0300a\u0300o\u0302i\u0308u\u0308"
    assert len(decomposed) > MIN_PASSWORD
    assert password_fault(decomposed, MIN_PASSWORD) == "length"


@pytest.mark.parametrize(
    "password",
    ["tab\there and there", "null\0character", "\ud800 half a pair", "\u200bzero width"],
    ids=["tab", "NUL", "surrogate", "invisible"],
)
def test_characters_that_keyboards_do_not_type(password: str) -> None:
    """RFC 8265 §4.2.2: control characters and invisible ones."""
    assert password_fault(password, MIN_PASSWORD) == "characters"


@planted(knows_no_common_passwords)
@pytest.mark.parametrize(
    "password", ["password", "PassWord", "Password1!", "sunshine2026", "trustno1", "\uff50assword"]
)
def test_common_passwords(password: str) -> None:
    """In any case, width, and with a year or an exclamation mark after them."""
    assert password_fault(password, MIN_PASSWORD) == "common"


@pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "abababababab", "12121212121212"])
def test_repetitions(password: str) -> None:
    """However long."""
    assert password_fault(password, MIN_PASSWORD) == "common"


@pytest.mark.parametrize(
    "password", ["amelie.laurent", "Amelie.Laurent1985", "amelie@example.org", "Am\u00e9lie Laurent!"]
)
def test_the_name_of_the_user(password: str) -> None:
    """Name, address, and what stands before its @."""
    names = ("amelie.laurent", "amelie@example.org", "Am\u00e9lie Laurent")
    assert password_fault(password, MIN_PASSWORD, names) == "name"


def test_the_list_is_compact_and_ready_to_compare() -> None:
    """Only entries that the length alone does not refuse, in lower case."""
    assert 10_000 < len(COMMON_PASSWORDS) < 20_000
    assert all(len(entry) >= MIN_PASSWORD and entry == entry.lower() for entry in COMMON_PASSWORDS)


def test_the_forms_of_a_password() -> None:
    """RFC 8265 §4.2.1 first; then NFC, which earlier releases hashed; then as typed."""
    typed = "cafe\u0301\u00a0noir"
    assert prepared_password(typed) == "caf\u00e9 noir"
    assert password_forms(typed) == ("caf\u00e9 noir", "caf\u00e9\u00a0noir", typed)
    assert password_forms("plain") == ("plain",)
    assert password_forms("a\tb") == ("a\tb",)
