"""The last refusals of clients in Redis: a list of records for each client, newest first."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.oauth.refusal import Reason, Refusal
from shared.store.ports.refusals import MOST_REFUSALS, REFUSALS_LIFETIME
from shared.store.redis.records import RecordFormat, Seconds, Version, moment
from shared.store.redis.transport.client import RedisClient
from shared.store.redis.transport.topology import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRecord:
    """`reason`: the name of a reason, which another release may not know."""

    v: Version = 1
    at: Seconds
    endpoint: str
    error: str
    detail: str
    reason: str | None = None
    sent: str | None = None


FORMAT = RecordFormat(RefusalRecord)


def _key(client_id: str) -> str:
    return f"{{refusals:{hashlib.sha256(client_id.encode()).hexdigest()}}}"


def encode(refusal: Refusal) -> bytes:
    """The record of a refusal."""
    record = RefusalRecord(
        at=refusal.at.timestamp(),
        endpoint=refusal.endpoint,
        error=refusal.error,
        detail=refusal.detail,
        reason=refusal.reason.name if refusal.reason else None,
        sent=refusal.sent,
    )
    return FORMAT.encode(record)


def decode(data: bytes) -> Refusal | None:
    """None: this release cannot read it."""
    if (record := FORMAT.decode(data)) is None:
        return None
    return Refusal(
        at=moment(record.at),
        endpoint=record.endpoint,
        error=record.error,
        detail=record.detail,
        reason=Reason.__members__.get(record.reason or ""),
        sent=record.sent,
    )


def _newest_first(refusals: Sequence[Refusal]) -> Sequence[Refusal]:
    """In the order of their times: processes write at different moments."""
    return sorted(refusals, key=lambda refusal: refusal.at, reverse=True)


class RedisRefusals:
    """`Refusals` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def add(self, refusals: Mapping[str, Sequence[Refusal]]) -> None:
        milliseconds = int(REFUSALS_LIFETIME.total_seconds() * 1000)
        commands: list[Command] = []
        for client_id, added in refusals.items():
            key = _key(client_id)
            commands += [
                ("LPUSH", key, *map(encode, added)),
                ("LTRIM", key, 0, MOST_REFUSALS - 1),
                ("PEXPIRE", key, milliseconds),
            ]
        if commands:
            await self._redis.batch(*commands)

    async def of_client(self, client_id: str) -> Sequence[Refusal]:
        records = await self._redis.execute("LRANGE", _key(client_id), 0, MOST_REFUSALS - 1)
        return _newest_first([refusal for record in records if (refusal := decode(record))])
