"""Device codes in Redis. That one is redeemed once is PostgreSQL's to decide.

A device code has three keys of one slot: what was asked, what was decided, and a mark of the last poll. Its
user code is a key of its own. All that are in flight are counted in two sets: one a client, and one of all.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from shared.model import Approved, Denied, DeviceCode, Pending
from shared.oauth.user_code import user_code_digest
from shared.store import Polled, Taken
from shared.store.authorizations import details, restored
from shared.store.redis.transport.client import RedisClient, Script

REMEMBERED = timedelta(hours=1)  # beyond its end, to tell what has expired from what never was

_ALL = "{devices}"
_GUESSES = "{devices}:guesses"


def _key(code_hash: bytes) -> str:
    return f"{{device:{code_hash.hex()}}}"


def _decision_key(code_hash: bytes) -> str:
    return f"{_key(code_hash)}:decision"


def _user_code_key(user_code: str) -> str:
    return f"{{user_code:{user_code_digest(user_code).hex()}}}"


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


def _read(data: bytes, decision: bytes | None) -> DeviceCode:
    kept = orjson.loads(data)
    return DeviceCode(
        client_id=kept["client_id"],
        scope=tuple(kept["scope"]),
        user_code=kept["user_code"],
        expires_at=datetime.fromtimestamp(kept["expires_at"], UTC),
        state=_state(decision),
    )


def _state(decision: bytes | None) -> Pending | Approved | Denied:
    if decision is None:
        return Pending()
    kept = orjson.loads(decision)
    if kept is None:
        return Denied()
    authorization = restored(
        kept["client_id"], UUID(kept["user_id"]), UUID(kept["sid"]), tuple(kept["scope"]), kept["details"]
    )
    return Approved(authorization, kept["epoch"])


def _decision(state: Approved | Denied) -> bytes:
    if isinstance(state, Denied):
        return b"null"
    authorization = state.authorization
    return orjson.dumps(
        {
            "client_id": authorization.client_id,
            "user_id": str(authorization.user_id),  # of asyncpg: a subclass of UUID, which orjson refuses
            "sid": str(authorization.sid),
            "scope": authorization.scope,
            "details": details(authorization),
            "epoch": state.epoch,
        }
    )


class RedisDeviceCodes:
    """`DeviceCodes` over Redis."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._join = Script("join_flight")
        self._count_guess = Script("count_guess")

    async def add(self, code_hash: bytes, code: DeviceCode, lifetime: timedelta, most: int) -> bool:
        milliseconds = _milliseconds(lifetime)
        flight = [f"{{devices:{code.client_id}}}"]
        if not await self._redis.run(self._join, flight, [code_hash.hex(), milliseconds, most]):
            return False
        await self._redis.run(self._join, [_ALL], [code_hash.hex(), milliseconds, 0])
        data = orjson.dumps(
            {
                "client_id": code.client_id,
                "scope": code.scope,
                "user_code": code.user_code,
                "expires_at": code.expires_at.timestamp(),
            }
        )
        remembered = _milliseconds(lifetime + REMEMBERED)
        _, is_named = await self._redis.batch(
            ("SET", _key(code_hash), data, "PX", remembered),
            ("SET", _user_code_key(code.user_code), code_hash.hex(), "NX", "PX", milliseconds),
        )
        if not is_named:
            raise Taken("the user code is in flight")
        return True

    async def poll(self, code_hash: bytes, interval: timedelta) -> Polled | None:
        key = _key(code_hash)
        (data, decision), is_in_time = await self._redis.batch(
            ("MGET", key, _decision_key(code_hash)),
            ("SET", f"{key}:polled", "", "NX", "PX", _milliseconds(interval)),
        )
        return Polled(_read(data, decision), is_too_fast=not is_in_time) if data else None

    async def find(self, user_code: str) -> tuple[bytes, DeviceCode] | None:
        named: bytes | None = await self._redis.execute("GET", _user_code_key(user_code))
        if named is None:
            return None
        code_hash = bytes.fromhex(named.decode())
        data, decision = await self._redis.execute("MGET", _key(code_hash), _decision_key(code_hash))
        return (code_hash, _read(data, decision)) if data else None

    async def decide(self, code_hash: bytes, code: DeviceCode, state: Approved | Denied) -> bool:
        remembered = _milliseconds(REMEMBERED)
        put = ("SET", _decision_key(code_hash), _decision(state), "NX", "PX", remembered)
        is_first, _ = await self._redis.batch(put, ("DEL", _user_code_key(code.user_code)))
        return bool(is_first)

    async def may_guess(self, budget: int) -> bool:
        spent: Any = await self._redis.execute("GET", _GUESSES)
        return int(spent or 0) < budget

    async def count_guess(self, period: timedelta) -> None:
        await self._redis.run(self._count_guess, [_ALL, _GUESSES], [_milliseconds(period)])
