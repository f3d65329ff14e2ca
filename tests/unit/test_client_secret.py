"""Client secrets: creation, storage and rotation."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.secret import (
    MIN_SIGNING_SECRET,
    needs_secret,
    new_secret,
    retained_secrets,
    rotated_secrets,
    signs_with_secret,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WEEK = NOW + timedelta(days=7)
FRESH, OLD, OLDER = (ClientSecret(bytes([each]) * 32) for each in range(3))


HASH_ALONE, READABLE = ClientSecret(b"1" * 32), ClientSecret(b"2" * 32, WEEK, "value")
METHODS = {
    "client_secret_basic": (True, False, (HASH_ALONE, ClientSecret(READABLE.hash, WEEK))),
    "client_secret_post": (True, False, (HASH_ALONE, ClientSecret(READABLE.hash, WEEK))),
    "client_secret_jwt": (True, True, (READABLE,)),
    "private_key_jwt": (False, False, ()),
    "none": (False, False, ()),
}


@pytest.mark.parametrize(("method", "expected"), METHODS.items())
def test_a_secret_serves_a_method_and_is_readable_for_one_alone(
    method: str, expected: tuple[bool, bool, tuple[ClientSecret, ...]]
) -> None:
    """A change of method keeps a usable secret. The value of a new secret is kept if it signs."""
    client = Client(client_id="c", token_endpoint_auth_method=method)
    kept = retained_secrets(client, [HASH_ALONE, READABLE])
    assert (needs_secret(client), signs_with_secret(client), kept) == expected
    value = "ü" if method == "client_secret_jwt" else None
    assert new_secret(client, "ü") == ClientSecret(hashlib.sha256("ü".encode()).digest(), value=value)


def test_a_secret_that_signs_is_as_long_as_the_hash() -> None:
    """RFC 7518 §3.2, for HS256, which every such client may use."""
    assert hashlib.sha256().digest_size == MIN_SIGNING_SECRET


@pytest.mark.parametrize(
    ("secrets", "until", "expected"),
    [
        ((OLD,), NOW, (FRESH,)),
        ((), WEEK, (FRESH,)),
        ((OLD,), WEEK, (FRESH, ClientSecret(OLD.hash, WEEK))),
        ((OLD, ClientSecret(OLDER.hash, WEEK)), WEEK, (FRESH, ClientSecret(OLD.hash, WEEK))),
        ((ClientSecret(OLD.hash, NOW),), WEEK, (FRESH,)),
        ((ClientSecret(OLD.hash, WEEK),), WEEK + timedelta(days=1), (FRESH, ClientSecret(OLD.hash, WEEK))),
    ],
)
def test_a_rotation_leaves_the_fresh_secret_and_at_most_one_other(
    secrets: tuple[ClientSecret, ...], until: datetime, expected: tuple[ClientSecret, ...]
) -> None:
    """The previous secret is valid for the overlap, but never longer than before."""
    assert rotated_secrets(FRESH, secrets, NOW, until) == expected
