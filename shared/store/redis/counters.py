"""Counted attempts in Redis, and in the memory of the process in case Redis loses its data."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from shared.store import Pace
from shared.store.redis.transport.client import RedisClient, Script

MAX_REMEMBERED = 10_000
_SURELY = 0.9  # of a key's lifetime: within it, a key that is missing in Redis was lost


def _key(name: str, key: str) -> str:
    # Hashed, because it may be anything that someone typed as a user name, of any length.
    return f"{{tries:{name}:{hashlib.sha256(key.encode()).hexdigest()}}}"


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


class RedisCounters:
    """`Counters` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._attempt = Script("attempt")
        self._take_back = Script("take_back")
        self._remembered: OrderedDict[str, tuple[int, int, float]] = OrderedDict()

    async def attempt(self, name: str, key: str, pace: Pace) -> timedelta | None:
        counter = _key(name, key)
        lifetime = _milliseconds(pace.forgotten_after)
        wait, tries, opens_at = await self._redis.run(
            self._attempt,
            [counter],
            [
                pace.free,
                _milliseconds(pace.first_wait),
                _milliseconds(pace.longest_wait),
                lifetime,
                *self._recall(counter),
            ],
        )
        self._remember(counter, tries, opens_at, pace.forgotten_after)
        return timedelta(milliseconds=wait) if wait else None

    async def take_back(self, name: str, key: str) -> None:
        counter = _key(name, key)
        self._remembered.pop(counter, None)
        await self._redis.run(self._take_back, [counter], [])

    async def forget(self, name: str, key: str, pace: Pace) -> None:
        # Set to zero instead of deleted: another process must not take it for lost and restore its own
        # memory.
        counter = _key(name, key)
        self._remembered.pop(counter, None)
        await self._redis.batch(
            ("HSET", counter, "tries", 0, "opens_at", 0),
            ("PEXPIRE", counter, _milliseconds(pace.forgotten_after)),
        )

    def _recall(self, counter: str) -> tuple[int, int]:
        tries, opens_at, until = self._remembered.get(counter, (0, 0, 0.0))
        return (tries, opens_at) if self._clock() < until else (0, 0)

    def _remember(self, counter: str, tries: int, opens_at: int, forgotten_after: timedelta) -> None:
        until = self._clock() + forgotten_after.total_seconds() * _SURELY
        self._remembered[counter] = (tries, opens_at, until)
        self._remembered.move_to_end(counter)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
