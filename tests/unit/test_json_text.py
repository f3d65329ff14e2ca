"""Ambiguous JSON is refused."""

import pytest

from shared.codec.json_text import BadJson, parse_object, parse_value

BAD = [
    b"",
    b"{",
    b"{}x",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"a": "\xff"}',
    b'{"a": 1, "a": 2}',
    b'{"x": {"a": 1, "\\u0061": 2}}',
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e400}',
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"a": ' + b"[" * 30 + b"]" * 30 + b"}",
    b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"a": ' + b'{"a": ' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    b'{"a": ' + b"9" * 10_000 + b"}",
]


@pytest.mark.parametrize("data", BAD, ids=range(len(BAD)))
def test_what_readers_differ_about_is_refused(data: bytes) -> None:
    """RFC 8259 §4, §8: duplicates, NUL, lone surrogates, depth, numbers that are not, a byte order mark."""
    with pytest.raises(BadJson):
        parse_value(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b'"x"', b"1"])
def test_metadata_are_an_object(data: bytes) -> None:
    """A list at the top is not metadata."""
    with pytest.raises(BadJson):
        parse_object(data)
    assert parse_object(b'{"a": [1.5, "\\ud83d\\ude00"]}') == {"a": [1.5, "😀"]}
