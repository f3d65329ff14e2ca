"""Authorization codes in Redis. PostgreSQL ensures that each is redeemed once."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.model import AuthorizationCode
from shared.store.codecs.authorizations import AuthorizationDetails, details, restored
from shared.store.redis.attempts import attempts_key, kept_attempt, with_attempts
from shared.store.redis.pushed_requests import pushed_key
from shared.store.redis.records import ClientEpoch, Epoch, RecordFormat, Seconds, Version, moment
from shared.store.redis.transport.client import RedisClient, Script

BEYOND_EXPIRY = timedelta(seconds=30)
"""A request that began before the code expired may still store its attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRecord:
    """An authorization code as it is written."""

    v: Version = 1
    client_id: str
    client_epoch: ClientEpoch = 0
    user_id: UUID
    sid: UUID
    scope: tuple[str, ...]
    details: AuthorizationDetails
    redirect_uri: str
    code_challenge: str | None
    epoch: Epoch
    expires_at: Seconds


FORMAT = RecordFormat(CodeRecord)


def _key(code_hash: bytes) -> str:
    return f"{{code:{code_hash.hex()}}}"


def encode(code: AuthorizationCode) -> bytes:
    """The record of a code."""
    authorization = code.authorization
    record = CodeRecord(
        client_id=authorization.client_id,
        client_epoch=authorization.client_epoch,
        user_id=authorization.user_id,
        sid=authorization.sid,
        scope=authorization.scope,
        details=details(authorization),
        redirect_uri=code.redirect_uri,
        code_challenge=code.code_challenge,
        epoch=code.epoch,
        expires_at=code.expires_at.timestamp(),
    )
    return FORMAT.encode(record)


def decode(data: bytes | None) -> AuthorizationCode | None:
    """None: there is no such code, or this release cannot read it."""
    record = FORMAT.decode(data)
    if record is None:
        return None
    return AuthorizationCode(
        authorization=restored(
            record.client_id,
            record.user_id,
            record.sid,
            record.scope,
            record.details,
            client_epoch=record.client_epoch,
        ),
        redirect_uri=record.redirect_uri,
        code_challenge=record.code_challenge,
        epoch=record.epoch,
        expires_at=moment(record.expires_at),
    )


class RedisAuthorizationCodes:
    """`AuthorizationCodes` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._count_failure = Script("count_failure")

    async def add(
        self, code_hash: bytes, code: AuthorizationCode, lifetime: timedelta, pushed: bytes | None = None
    ) -> bool:
        milliseconds = int((lifetime + BEYOND_EXPIRY).total_seconds() * 1000)
        put = ("SET", _key(code_hash), encode(code), "PX", milliseconds)
        if pushed is None:
            await self._redis.execute(*put)
            return True
        _, request = await self._redis.batch(put, ("GETDEL", pushed_key(pushed)))
        return request is not None

    async def find(self, code_hash: bytes) -> AuthorizationCode | None:
        key = _key(code_hash)
        data, attempts = await self._redis.execute("MGET", key, attempts_key(key))
        code = decode(data)
        return with_attempts(code, attempts) if code else None

    async def count_failure(self, code_hash: bytes, limit: int) -> None:
        key = _key(code_hash)
        await self._redis.run(self._count_failure, [key, f"{key}:failures"], [limit])

    async def keep_attempt(self, code_hash: bytes, attempt_id: UUID) -> None:
        await self._redis.batch(*kept_attempt(_key(code_hash), attempt_id))
