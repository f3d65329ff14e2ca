"""base64url for handles and keys: every value has exactly one encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codec.base64url import base64url, from_base64url


@given(st.binary(max_size=40))
def test_bytes_make_the_round_trip(data: bytes) -> None:
    """RFC 7515 §2."""
    assert from_base64url(base64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AAB", "AA==", "AA\n", "A A", "AA+/", "AAA*", "ÄÄ"])
def test_there_is_no_second_way_to_write_them(text: str) -> None:
    """Unused bits, padding, whitespace and other alphabets are refused."""
    with pytest.raises(ValueError, match=r"."):
        from_base64url(text)
