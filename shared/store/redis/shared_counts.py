"""The sums of counts of many processes, in Redis."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from shared.store.redis.transport.client import RedisClient


def _key(name: str, key: str) -> str:
    return f"{{tally:{name}:{hashlib.sha256(key.encode()).hexdigest()}}}"


class RedisSharedCounts:
    """`SharedCounts` over Redis."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def add(self, name: str, counts: Mapping[str, int], lifetime: timedelta) -> Mapping[str, int]:
        milliseconds = int(lifetime.total_seconds() * 1000)
        commands: list[tuple[str, str, int]] = []
        for key, count in counts.items():
            counter = _key(name, key)
            commands += [("INCRBY", counter, count), ("PEXPIRE", counter, milliseconds)]
        answers = await self._redis.batch(*commands)
        return dict(zip(counts, answers[::2], strict=True))
