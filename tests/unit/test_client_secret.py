"""Client secrets through a rotation."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.model import ClientSecret
from shared.oauth.client_secret import rotated_secrets

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WEEK = NOW + timedelta(days=7)
FRESH, OLD, OLDER = (ClientSecret(bytes([each]) * 32) for each in range(3))


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
    """The one before it, no longer than the overlap, and never longer than it would have held."""
    assert rotated_secrets(FRESH, secrets, NOW, until) == expected
