"""Redis in several layouts, for contracts that apply to each."""

from collections.abc import AsyncIterator

import pytest

from shared.store.redis.transport.client import RedisClient
from tests.redis_layouts import Cluster

LAYOUTS = ("server", "cluster")

in_every_layout = pytest.mark.parametrize("redis_url", LAYOUTS, indirect=True)


def _url(request: pytest.FixtureRequest, server_url: str) -> str:
    if getattr(request, "param", "server") == "server":
        return server_url
    cluster: Cluster = request.getfixturevalue("session_redis_cluster")
    cluster.flush()
    return cluster.url


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, redis_url: str) -> str:
    """An empty Redis, in the layout that the test is parametrized with."""
    return _url(request, redis_url)


@pytest.fixture(scope="module")
def module_redis_url(request: pytest.FixtureRequest, module_redis_url: str) -> str:
    """As `redis_url`, for the tests of a module."""
    return _url(request, module_redis_url)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    """A client of that Redis."""
    redis = RedisClient.open(redis_url)
    yield redis
    await redis.close()
