"""`SharedCounts` with the real Redis."""

import asyncio
import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.store import Unavailable
from shared.store.redis.shared_counts import RedisSharedCounts
from shared.store.redis.transport.client import RedisClient
from tests.contract.conftest import in_every_layout

LIFETIME = timedelta(minutes=1)


@in_every_layout
async def test_counts_of_all_processes_add_up(redis: RedisClient) -> None:
    """Keys and names are counted separately, and concurrent additions are not lost."""
    shared_counts, one, two = RedisSharedCounts(redis), uuid4().hex, uuid4().hex
    assert await shared_counts.add("a", {one: 2, two: 1}, LIFETIME) == {one: 2, two: 1}
    assert await shared_counts.add("b", {one: 5}, LIFETIME) == {one: 5}
    await asyncio.gather(*(RedisSharedCounts(redis).add("a", {one: 1}, LIFETIME) for _ in range(50)))
    assert await shared_counts.add("a", {one: 1}, LIFETIME) == {one: 53}


@in_every_layout
async def test_a_tally_goes_by_itself(redis: RedisClient) -> None:
    """Counts expire after their lifetime."""
    key = "*:\n\0"
    await RedisSharedCounts(redis).add("a", {key: 1}, LIFETIME)
    name = f"{{tally:a:{hashlib.sha256(key.encode()).hexdigest()}}}"
    assert 0 < await redis.execute("PTTL", name) <= 60_000


async def test_without_redis_nothing_is_added() -> None:
    """Without Redis, adding raises Unavailable."""
    away = RedisClient.open("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        await RedisSharedCounts(away).add("a", {"x": 1}, LIFETIME)
    await away.close()
