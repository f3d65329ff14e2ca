"""Refresh tokens: format, families, and successors that only the predecessor decrypts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oauth.tokens.refresh_token import (
    CannotOpen,
    RefreshToken,
    open_successor,
    parse_refresh_token,
    seal_successor,
)

_random = st.binary(min_size=32, max_size=32)
_secret = st.binary(min_size=16, max_size=16)
_nonce = st.binary(min_size=12, max_size=12)
_tokens = st.builds(RefreshToken.of, _random, _secret)

TOKEN = RefreshToken.of(b"r" * 32, b"f" * 16)


@given(_tokens)
def test_a_token_is_read_as_it_was_written(token: RefreshToken) -> None:
    """The value has the random part and the family's secret, in 75 characters."""
    assert parse_refresh_token(token.value) == token
    assert len(token.value) == 75


@given(_tokens, st.integers(0), st.characters(min_codepoint=0x21, max_codepoint=0x7E))
def test_a_mangled_token_is_unknown(token: RefreshToken, position: int, character: str) -> None:
    """A malformed token does not count as reused."""
    at = position % len(token.value)
    mangled = token.value[:at] + character + token.value[at + 1 :]
    assert mangled == token.value or parse_refresh_token(mangled) is None


@given(st.text(max_size=90))
def test_other_text_is_unknown(value: str) -> None:
    """Any text is parsed or refused."""
    assert parse_refresh_token(value) is None
    assert parse_refresh_token(f"rt_{value}") is None


@given(_tokens, _random, _nonce)
def test_a_successor_is_opened_by_its_predecessor(token: RefreshToken, random: bytes, nonce: bytes) -> None:
    """A successor has the same family and another generation."""
    successor = token.succeeded_by(random)
    assert open_successor(token, seal_successor(token, successor, nonce)) == successor
    assert successor.family_hash == token.family_hash
    assert random == token.random or successor.hash != token.hash


@given(_tokens, _random, _random)
def test_nobody_else_opens_it(token: RefreshToken, random: bytes, other: bytes) -> None:
    """Neither the successor, another generation nor stored values decrypt it."""
    sealed = seal_successor(token, token.succeeded_by(random), bytes(12))
    if other == token.random:
        return
    with pytest.raises(CannotOpen):
        open_successor(token.succeeded_by(other), sealed)
    assert token.random not in sealed
    assert random not in sealed


def test_the_family_secret_does_not_show() -> None:
    """Two generations share nothing that a reader of logs could see."""
    one, two = TOKEN.value, TOKEN.succeeded_by(b"s" * 32).value
    assert not any(one[at : at + 6] == two[at : at + 6] for at in range(3, len(one) - 6))


def test_a_token_in_a_traceback_shows_no_secret() -> None:
    """repr is what logs and debuggers print."""
    assert "rrrr" not in repr(TOKEN)
    assert "ffff" not in repr(TOKEN)
