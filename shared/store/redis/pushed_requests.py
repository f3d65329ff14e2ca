"""Pushed authorization requests in Redis."""

from datetime import timedelta
from typing import Any

import orjson

from shared.model import Json
from shared.store.redis.transport.client import RedisClient


def pushed_key(request_hash: bytes) -> str:
    return f"{{pushed:{request_hash.hex()}}}"


class RedisPushedRequests:
    """`PushedRequests` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def add(self, request_hash: bytes, pushed: Json, lifetime: timedelta) -> None:
        milliseconds = int(lifetime.total_seconds() * 1000)
        await self._redis.execute("SET", pushed_key(request_hash), orjson.dumps(pushed), "PX", milliseconds)

    async def find(self, request_hash: bytes) -> Json | None:
        data: bytes | None = await self._redis.execute("GET", pushed_key(request_hash))
        pushed: dict[str, Any] | None = orjson.loads(data) if data else None
        return pushed

    async def end(self, request_hash: bytes) -> bool:
        return await self._redis.execute("GETDEL", pushed_key(request_hash)) is not None
