"""Authorization codes in Redis. That one is redeemed once is PostgreSQL's to decide."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from shared.model import AuthorizationCode
from shared.store.authorizations import details, restored
from shared.store.redis.pushed_requests import pushed_key
from shared.store.redis.transport.client import RedisClient, Script


def _key(code_hash: bytes) -> str:
    return f"{{code:{code_hash.hex()}}}"


def _write(code: AuthorizationCode) -> bytes:
    authorization = code.authorization
    return orjson.dumps(
        {
            "client_id": authorization.client_id,
            "user_id": str(authorization.user_id),  # of asyncpg: a subclass of UUID, which orjson refuses
            "sid": str(authorization.sid),
            "scope": authorization.scope,
            "details": details(authorization),
            "redirect_uri": code.redirect_uri,
            "code_challenge": code.code_challenge,
            "epoch": code.epoch,
            "expires_at": code.expires_at.timestamp(),
        }
    )


def _read(data: bytes) -> AuthorizationCode:
    kept = orjson.loads(data)
    return AuthorizationCode(
        authorization=restored(
            kept["client_id"],
            UUID(kept["user_id"]),
            UUID(kept["sid"]),
            tuple(kept["scope"]),
            kept["details"],
        ),
        redirect_uri=kept["redirect_uri"],
        code_challenge=kept["code_challenge"],
        epoch=kept["epoch"],
        expires_at=datetime.fromtimestamp(kept["expires_at"], UTC),
    )


class RedisAuthorizationCodes:
    """`AuthorizationCodes` over Redis: one round trip each."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._count_failure = Script("count_failure")

    async def add(
        self, code_hash: bytes, code: AuthorizationCode, lifetime: timedelta, pushed: bytes | None = None
    ) -> bool:
        milliseconds = int(lifetime.total_seconds() * 1000)
        put = ("SET", _key(code_hash), _write(code), "PX", milliseconds)
        if pushed is None:
            await self._redis.execute(*put)
            return True
        _, request = await self._redis.batch(put, ("GETDEL", pushed_key(pushed)))
        return request is not None

    async def find(self, code_hash: bytes) -> AuthorizationCode | None:
        data: bytes | None = await self._redis.execute("GET", _key(code_hash))
        return _read(data) if data else None

    async def count_failure(self, code_hash: bytes, limit: int) -> None:
        key = _key(code_hash)
        await self._redis.run(self._count_failure, [key, f"{key}:failures"], [limit])
