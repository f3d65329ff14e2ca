"""Replay marks in Redis. Each `jti` is accepted once, and never if Redis may have forgotten it."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.store import Unavailable
from shared.store.redis.transport.client import RedisClient, Script
from shared.store.redis.transport.single_flight import SingleFlight

MARGIN = timedelta(seconds=10)  # more than a client's clock may be ahead
BUCKETS = 256


def _bucket(number: int) -> str:
    return f"{{jti:{number:02x}}}"


def epoch_key(number: int) -> str:
    """The key of a bucket's epoch."""
    return f"{_bucket(number)}:epoch"


class RedisReplayMarks:
    """`ReplayMarks` over Redis: one round trip.

    A Redis that restarted without its data, or that replaced another one, does not know which marks were set.
    The first lacks its epoch. The second has a replication id that this process has not known from the start.
    A `jti` that was issued before that is neither new nor seen, and the answer is Unavailable. A bucket that
    moves to another node of a cluster takes its epoch and its marks along.
    """

    def __init__(self, redis: RedisClient, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._clock = clock
        self._beginning = SingleFlight(self.begin)
        self._begin = Script("begin_epoch")
        self._add = Script("add_replay_mark")
        self._since: dict[bytes, float] = {}  # by replication id: the time when its memory may have begun

    async def begin(self, since: datetime | None = None) -> None:
        """Give every bucket without an epoch one: *since*, or now."""
        epoch = int(since.timestamp() if since else self._clock())
        keys = [epoch_key(number) for number in range(BUCKETS)]
        starts = await asyncio.gather(
            *(self._redis.run(self._begin, [key], [epoch]) for key in keys), return_exceptions=True
        )
        is_first = not self._since
        for memory in starts:
            if isinstance(memory, bytes):
                self._since.setdefault(memory, float("-inf") if is_first else self._clock())
        for fault in starts:
            if isinstance(fault, BaseException):
                raise fault

    async def add(self, kind: str, owner: str, jti: str, issued_at: datetime, expires_at: datetime) -> bool:
        if not self._since:
            await self._beginning.result()
        mark = hashlib.sha256("\0".join((kind, owner, jti)).encode("utf-8", "surrogatepass")).digest()
        key, issued = f"{_bucket(mark[0])}:{mark.hex()}", issued_at.timestamp()
        left = max(0.0, expires_at.timestamp() - self._clock()) + MARGIN.total_seconds()
        verdict, was_missing, memory = await self._redis.run(
            self._add, [key, epoch_key(mark[0])], [issued, MARGIN.total_seconds(), int(left * 1000)]
        )
        since = self._since.setdefault(memory, self._clock())
        if was_missing:
            await self._beginning.result()
        if verdict == b"seen":
            return False
        if verdict == b"unknown" or issued < since + MARGIN.total_seconds():
            raise Unavailable("Redis may have forgotten the jti: retry with a newer one")
        return True
