"""The client's address, from headers of trusted proxies."""

import pytest

from shared.web.forwarded import TrustedProxies, request_id_of

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
    ("forwarded", "expected"),
    [("abcdef0123456789", "abcdef0123456789"), ("a b", None), ("short", None), (None, None)],
)
def test_a_request_id_is_well_formed(forwarded: str | None, expected: str | None) -> None:
    """It stands in log lines without quoting."""
    assert request_id_of(forwarded) == expected
