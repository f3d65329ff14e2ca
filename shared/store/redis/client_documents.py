"""Copies of client ID metadata documents in Redis."""

from dataclasses import dataclass
from datetime import timedelta

from shared.store.ports.client_documents import DocumentCopy
from shared.store.redis.records import RecordFormat, Seconds, Version, moment
from shared.store.redis.transport.client import RedisClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """The text of a document."""

    v: Version = 1
    text: str
    fresh_until: Seconds


FORMAT = RecordFormat(DocumentRecord)


def encode(copy: DocumentCopy) -> bytes:
    """The record of a copy."""
    return FORMAT.encode(DocumentRecord(text=copy.text, fresh_until=copy.fresh_until.timestamp()))


def decode(data: bytes | None) -> DocumentCopy | None:
    """None: there is no copy, or none that this release can read."""
    record = FORMAT.decode(data)
    return DocumentCopy(record.text, moment(record.fresh_until)) if record else None


def _copy_key(key: bytes) -> str:
    return f"{{document:{key.hex()}}}"


def _claim_key(key: bytes) -> str:
    return f"{{document:{key.hex()}}}:claim"


class RedisDocumentCopies:
    """`DocumentCopies` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def find(self, key: bytes) -> DocumentCopy | None:
        return decode(await self._redis.execute("GET", _copy_key(key)))

    async def add(self, key: bytes, copy: DocumentCopy, lifetime: timedelta) -> None:
        milliseconds = int(lifetime.total_seconds() * 1000)
        await self._redis.execute("SET", _copy_key(key), encode(copy), "PX", milliseconds)

    async def claim(self, key: bytes, lifetime: timedelta) -> bool:
        milliseconds = int(lifetime.total_seconds() * 1000)
        return await self._redis.execute("SET", _claim_key(key), b"1", "NX", "PX", milliseconds) is not None

    async def release(self, key: bytes) -> None:
        await self._redis.execute("DEL", _claim_key(key))
