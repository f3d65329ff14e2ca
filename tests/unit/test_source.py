"""Addresses of one subscriber."""

import pytest

from shared.live.address_block import address_block


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ],
)
def test_a_source_is_what_one_subscriber_has(address: str, expected: str) -> None:
    """An IPv6 /64 counts as one; text that is not an address stands for itself."""
    assert address_block(address) == expected
