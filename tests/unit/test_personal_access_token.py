"""The form of personal access tokens, and the scopes that they may have."""

import re
import zlib

import pytest

from shared.live.randomness import new_personal_access_token
from shared.oauth.errors import InvalidScope
from shared.oauth.tokens.personal_access_token import (
    DIGITS,
    is_personal_access_token,
    personal_access_token,
    personal_scope,
)

NODE = "node:0b6f1d2e-93a4-4c0a-8a51-2f1f0c9d7e55"


def test_the_checksum_is_the_documented_one() -> None:
    """As deploy/README.md tells scanners: CRC-32 in base 62, six digits, padded with zeros."""
    for _ in range(50):
        token = new_personal_access_token()
        assert re.fullmatch("ostp_[0-9A-Za-z]{49}", token)
        value = 0
        for digit in token[-6:]:
            value = value * 62 + DIGITS.index(digit)
        assert value == zlib.crc32(token[:-6].encode())


def test_a_known_token_keeps_its_form() -> None:
    """Scanners have learnt it."""
    token = personal_access_token("0123456789" * 4 + "abc")
    assert token == "ostp_0123456789012345678901234567890123456789abc" + token[-6:]
    assert is_personal_access_token(token)


@pytest.mark.parametrize("position", [0, 4, 5, 30, 47, 53])
def test_a_mistyped_token_is_none(position: int) -> None:
    """Any changed character is noticed without the database."""
    token = personal_access_token("A" * 43)
    for other in {"a", "0", "-", "é"} - {token[position]}:
        assert not is_personal_access_token(token[:position] + other + token[position + 1 :])


def test_a_token_of_another_length_is_none() -> None:
    """Nor is one with a line break at its end."""
    token = personal_access_token("A" * 43)
    for other in ("", "ostp_", token[:-1], token + "0", token + "\n", " " + token, token.upper()):
        assert not is_personal_access_token(other)


@pytest.mark.parametrize(
    "scope", ["openid", "profile email pydio groups", f"openid {NODE}:r {NODE}:w {NODE}:rw"]
)
def test_a_scope_is_passed_through(scope: str) -> None:
    """Each scope-token stays as it is."""
    assert personal_scope(scope) == tuple(scope.split())


@pytest.mark.parametrize(
    "scope",
    [
        *("", " ", "offline_access", "openid offline", "ostiary.clients:write", "OpenID", 'a"b'),
        *("node:x:r", f"{NODE}", f"{NODE}:", f"{NODE}:wr", f"{NODE}:rwx", f"{NODE}:rw:r", f"x{NODE}:r"),
    ],
)
def test_no_other_scope_is_given(scope: str) -> None:
    """Neither the administration's nor a malformed one."""
    with pytest.raises(InvalidScope):
        personal_scope(scope)
