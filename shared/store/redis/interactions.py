"""Interactions in Redis: authorization requests that wait for the user."""

from datetime import timedelta

from shared.model import Json
from shared.store.redis.records import JsonRecord, RecordFormat
from shared.store.redis.transport.client import RedisClient

FORMAT = RecordFormat(JsonRecord)


def _key(interaction_hash: bytes) -> str:
    return f"{{interaction:{interaction_hash.hex()}}}"


def decode(data: bytes | None) -> Json | None:
    """None: there is no such interaction, or this release cannot read it."""
    record = FORMAT.decode(data)
    return record.model_extra if record else None


class RedisInteractions:
    """`Interactions` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def add(self, interaction_hash: bytes, interaction: Json, lifetime: timedelta) -> None:
        data, milliseconds = FORMAT.encode(JsonRecord(**interaction)), int(lifetime.total_seconds() * 1000)
        await self._redis.execute("SET", _key(interaction_hash), data, "PX", milliseconds)

    async def find(self, interaction_hash: bytes) -> Json | None:
        return decode(await self._redis.execute("GET", _key(interaction_hash)))

    async def replace(self, interaction_hash: bytes, interaction: Json) -> bool:
        data = FORMAT.encode(JsonRecord(**interaction))
        return bool(await self._redis.execute("SET", _key(interaction_hash), data, "XX", "KEEPTTL"))

    async def end(self, interaction_hash: bytes) -> Json | None:
        return decode(await self._redis.execute("GETDEL", _key(interaction_hash)))
