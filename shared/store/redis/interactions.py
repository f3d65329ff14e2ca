"""Interactions in Redis: authorization requests that wait for a person."""

from datetime import timedelta
from typing import Any

import orjson

from shared.model import Json
from shared.store.redis.transport.client import RedisClient


def _key(interaction_hash: bytes) -> str:
    return f"{{interaction:{interaction_hash.hex()}}}"


def _read(data: bytes | None) -> Json | None:
    interaction: dict[str, Any] | None = orjson.loads(data) if data else None
    return interaction


class RedisInteractions:
    """`Interactions` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def add(self, interaction_hash: bytes, interaction: Json, lifetime: timedelta) -> None:
        milliseconds = int(lifetime.total_seconds() * 1000)
        await self._redis.execute(
            "SET", _key(interaction_hash), orjson.dumps(interaction), "PX", milliseconds
        )

    async def find(self, interaction_hash: bytes) -> Json | None:
        return _read(await self._redis.execute("GET", _key(interaction_hash)))

    async def replace(self, interaction_hash: bytes, interaction: Json) -> bool:
        data = orjson.dumps(interaction)
        return bool(await self._redis.execute("SET", _key(interaction_hash), data, "XX", "KEEPTTL"))

    async def end(self, interaction_hash: bytes) -> Json | None:
        return _read(await self._redis.execute("GETDEL", _key(interaction_hash)))
