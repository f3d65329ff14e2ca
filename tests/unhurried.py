"""Time limits that a busy machine does not reach, for services in the process of the tests.

There, a service shares its event loop and its cores with all other tests, so that a fault in production would
only be a slow machine here. Unit tests, which have their own clocks, keep the real limits, and so does every
service that a test starts as a process.
"""

from collections.abc import Iterator

import pytest

from shared.server.http import lateness
from shared.store.postgres.transport import connection
from shared.store.redis.transport.client import RedisClient
from shared.store.redis.transport.limits import Limits

UNHURRIED = Limits(silence=10, deadline=20)
SECONDS = 20.0


@pytest.fixture(autouse=True, scope="module")
def _unhurried(request: pytest.FixtureRequest) -> Iterator[None]:
    """Replace the limits, unless a test sets its own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if "unit" not in request.path.parts:
            opening = RedisClient.open
            monkeypatch.setattr(RedisClient, "open", lambda url, limits=UNHURRIED: opening(url, limits))
            monkeypatch.setattr(connection, "CONNECT_TIMEOUT", SECONDS)
            monkeypatch.setattr(lateness, "LATE", SECONDS)
        yield
