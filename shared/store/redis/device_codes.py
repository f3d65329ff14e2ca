"""Device codes in Redis. PostgreSQL ensures that each is redeemed once.

The keys of a device code are in one slot: the request, the decision, attempts to redeem it, a mark of the
last poll, and the interval if it has grown. The user code has a key of its own. Pending codes are counted in
two sets: one for each client, and one for all.
"""

from datetime import timedelta
from uuid import UUID

from shared.model import Approved, Denied, DeviceCode
from shared.oauth.user_code import user_code_digest
from shared.store import Polled, Taken
from shared.store.redis.attempts import attempts_key, kept_attempt, with_attempts
from shared.store.redis.device_code_records import decode, encode_decision, encode_request
from shared.store.redis.transport.client import RedisClient, Script

REMEMBERED = timedelta(hours=1)  # after it expires, to tell an expired code from an unknown one

_ALL = "{devices}"
_WRONG_GUESSES = "{devices}:guesses"


def _key(code_hash: bytes) -> str:
    return f"{{device:{code_hash.hex()}}}"


def _decision_key(code_hash: bytes) -> str:
    return f"{_key(code_hash)}:decision"


def _user_code_key(user_code: str) -> str:
    return f"{{user_code:{user_code_digest(user_code).hex()}}}"


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


class RedisDeviceCodes:
    """`DeviceCodes` over Redis."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._poll = Script("poll_device_code")
        self._add_pending = Script("add_pending")
        self._count_guess = Script("count_guess")

    async def add(self, code_hash: bytes, code: DeviceCode, lifetime: timedelta, most: int) -> bool:
        milliseconds = _milliseconds(lifetime)
        pending = [f"{{devices:{code.client_id}}}"]
        if not await self._redis.run(self._add_pending, pending, [code_hash.hex(), milliseconds, most]):
            return False
        await self._redis.run(self._add_pending, [_ALL], [code_hash.hex(), milliseconds, 0])
        remembered = _milliseconds(lifetime + REMEMBERED)
        _, is_named = await self._redis.batch(
            ("SET", _key(code_hash), encode_request(code), "PX", remembered),
            ("SET", _user_code_key(code.user_code), code_hash.hex(), "NX", "PX", milliseconds),
        )
        if not is_named:
            raise Taken("the user code is taken")
        return True

    async def poll(self, code_hash: bytes, interval: timedelta, growth: timedelta) -> Polled | None:
        key = _key(code_hash)
        data, decision, attempts, is_too_fast = await self._redis.run(
            self._poll,
            [key, _decision_key(code_hash), attempts_key(key), f"{key}:polled", f"{key}:interval"],
            [_milliseconds(interval), _milliseconds(growth)],
        )
        code = decode(data, decision)
        return Polled(with_attempts(code, attempts), is_too_fast=bool(is_too_fast)) if code else None

    async def find(self, user_code: str) -> tuple[bytes, DeviceCode] | None:
        hex_hash: bytes | None = await self._redis.execute("GET", _user_code_key(user_code))
        if hex_hash is None:
            return None
        try:
            code_hash = bytes.fromhex(hex_hash.decode())
        except ValueError:  # written by a release that this one cannot read
            return None
        data, decision = await self._redis.execute("MGET", _key(code_hash), _decision_key(code_hash))
        code = decode(data, decision)
        return (code_hash, code) if code else None

    async def decide(self, code_hash: bytes, code: DeviceCode, state: Approved | Denied) -> bool:
        remembered = _milliseconds(REMEMBERED)
        put = ("SET", _decision_key(code_hash), encode_decision(state), "NX", "PX", remembered)
        is_first, _ = await self._redis.batch(put, ("DEL", _user_code_key(code.user_code)))
        return bool(is_first)

    async def may_guess(self, budget: int) -> bool:
        spent: bytes | None = await self._redis.execute("GET", _WRONG_GUESSES)
        return spent is None or not spent.isdigit() or int(spent) < budget

    async def count_guess(self, period: timedelta) -> None:
        await self._redis.run(self._count_guess, [_ALL, _WRONG_GUESSES], [_milliseconds(period)])

    async def keep_attempt(self, code_hash: bytes, attempt_id: UUID) -> None:
        await self._redis.batch(*kept_attempt(_key(code_hash), attempt_id))
