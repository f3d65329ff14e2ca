"""The client's address, as far as proxies may be believed."""

import pytest

from shared.web.forwarded import TrustedProxies, request_id

PROXIES = TrustedProxies.of(["unix", "127.0.0.0/8", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        (None, "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (None, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (None, "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (None, None, "unknown"),
        (None, "", "unknown"),
        (None, "garbage", "garbage"),
    ],
)
def test_only_what_a_trusted_proxy_appended_counts(
    peer: str | None, forwarded_for: str | None, expected: str
) -> None:
    """A client cannot choose its address by sending the header itself."""
    assert PROXIES.client_address(peer, forwarded_for) == expected


@pytest.mark.parametrize(
    ("given", "is_trusted", "expected"),
    [
        ("abcdef0123456789", True, "abcdef0123456789"),
        ("abcdef0123456789", False, "fresh"),
        ("a b", True, "fresh"),
    ],
)
def test_a_request_id_comes_from_a_trusted_proxy_or_is_made(
    given: str, is_trusted: bool, expected: str
) -> None:
    """Log lines cannot be forged by a header."""
    assert request_id(given, is_trusted, "fresh") == expected
