"""Pushed authorization requests in Redis."""

from datetime import timedelta

from shared.model import Json
from shared.store.redis.records import JsonRecord, RecordFormat
from shared.store.redis.transport.client import RedisClient

FORMAT = RecordFormat(JsonRecord)


def pushed_key(request_hash: bytes) -> str:
    return f"{{pushed:{request_hash.hex()}}}"


def decode(data: bytes | None) -> Json | None:
    """None: there is no such request, or this release cannot read it."""
    record = FORMAT.decode(data)
    return record.model_extra if record else None


class RedisPushedRequests:
    """`PushedRequests` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def add(self, request_hash: bytes, pushed: Json, lifetime: timedelta) -> None:
        data, milliseconds = FORMAT.encode(JsonRecord(**pushed)), int(lifetime.total_seconds() * 1000)
        await self._redis.execute("SET", pushed_key(request_hash), data, "PX", milliseconds)

    async def find(self, request_hash: bytes) -> Json | None:
        return decode(await self._redis.execute("GET", pushed_key(request_hash)))

    async def end(self, request_hash: bytes) -> bool:
        return await self._redis.execute("GETDEL", pushed_key(request_hash)) is not None
